"""Adapters: one module for each layout of recordings and labels.

Each adapter has a function `read` that converts a folder into a `data.dataset.Dataset`.
"""
