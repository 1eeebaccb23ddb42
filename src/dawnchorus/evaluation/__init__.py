"""Metrics of clip scores and box scores, their bootstrap intervals, and baselines.

The functions take arrays or tables of boxes, and return arrays or numbers.
"""
