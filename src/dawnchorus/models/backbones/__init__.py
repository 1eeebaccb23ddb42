"""Backbones: one module each, known by its file name; `models.backbone` finds and builds them.

A module declares `SMALLEST_IMAGE`, the fewest frames and mel bands it can take, as a plain number, and defines
`build(frames, n_mels, frequency_channel)`. That returns a Keras model from standardized images (Batch, Frames, Mels, 1)
to features (Batch, Time, Frequency, Channels). A backbone that can start from pretrained weights also defines
`NETWORK`, the Keras application that has them, and brings images into the range that those weights expect.
"""
