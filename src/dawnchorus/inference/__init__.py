"""Inference: windows, scoring with trained models, the ensemble, and calibration.

It also reads and writes window scores and box scores.
"""
