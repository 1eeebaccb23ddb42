"""Models: preprocessing layers, backbones and heads, and the code that builds models and loads weights.

A model maps windows of features to a score for each species.
"""
