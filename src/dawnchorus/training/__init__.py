"""Training: window sampling, labels and masks, augmentation, losses, the loop, checkpoints and pseudo-labels.

`job` combines them to train one backbone with one fold left out.
"""
