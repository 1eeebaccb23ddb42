"""Dawnchorus: find which species call in soundscape recordings."""

import os

# TensorFlow reads it once, when it is imported; its notes on how it was built are no news in every log.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
