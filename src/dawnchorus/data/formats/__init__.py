"""Formats of labels: one module for each, and `reading`, which reads a data set in any of them.

A module tells its files from others and converts one into a `label_files.LabelFile`. `rfcx` reads a whole folder.
"""
