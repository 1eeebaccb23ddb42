"""Metrics of clip scores and of labelled boxes, their bootstrap intervals, and baselines.

All of them take arrays and return arrays or numbers.
"""
