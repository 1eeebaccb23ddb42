"""Reporting: the metrics of an experiment, their provenance, comparisons and logs of trainings.

It combines what the packages below it compute into the files in `results/` that users read.
"""
