"""Backbones, one module each; the file name is the backbone's name, by which `models.backbone` finds and builds it.

A module declares `SMALLEST_IMAGE`, the minimum number of frames and of mel bands, as a literal number. It defines
`build(frames, n_mels, frequency_channel)`, which returns a Keras model from standardized images
(Batch, Frames, Mels, 1) to features (Batch, Time, Frequency, Channels). A backbone with pretrained weights also defines
`NETWORK`, the Keras application that has them, and scales images to the range that those weights expect.
"""
