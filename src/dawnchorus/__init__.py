"""Dawnchorus: find which species call in soundscape recordings."""

import os

# TensorFlow reads both variables once, on import. Level 2 keeps its notes on its build out of every log.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# Use oneDNN's kernels on every processor. TensorFlow enables them only on some, but they halve the time of a training
# step on others, too.
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"
