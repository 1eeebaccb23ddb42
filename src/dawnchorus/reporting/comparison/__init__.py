"""Comparison of experiments: their figures, the spread over seeds, and paired differences.

It takes the files of each experiment from folders and returns tables, text and a page.
"""
