"""Reporting: the metrics of an experiment and their provenance.

It combines what the packages below it compute into the files in `results/` that users read.
"""
