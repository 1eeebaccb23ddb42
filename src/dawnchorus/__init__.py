"""Dawnchorus: find which species call in soundscape recordings."""

import os

# TensorFlow reads both once, when it is imported. Its notes on how it was built are no news in every log.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# oneDNN's kernels, on every processor alike: TensorFlow itself takes them on some only, though they halve the time of a
# training step on others too.
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"
