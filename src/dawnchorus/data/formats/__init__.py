"""Formats of labels: one module for each, `reading`, which reads a data set in any of them, and `writing`.

A module tells its files from others, converts one into a `label_files.LabelFile`, and writes labels. `rfcx` reads a
whole folder.
"""
