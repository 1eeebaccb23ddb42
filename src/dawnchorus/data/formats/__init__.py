"""Adapters: one module for each layout in which recordings and labels come.

Each has a function `read` that turns a folder into a `data.dataset.Dataset`.
"""
