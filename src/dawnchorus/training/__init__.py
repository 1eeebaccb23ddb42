"""Training: sampling of windows, labels with masks, augmentation, losses, the loop, checkpoints and pseudo-labels.

`job` puts them together for one backbone and one fold.
"""
