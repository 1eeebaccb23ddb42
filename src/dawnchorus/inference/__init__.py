"""Scoring recordings with trained models: windows, ensembles, calibration.

Tables of scores are read and written here too.
"""
