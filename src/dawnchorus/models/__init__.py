"""Networks: backbones, heads, what lies before them, and building and loading models.

Models map windows of features to a score for each species.
"""
