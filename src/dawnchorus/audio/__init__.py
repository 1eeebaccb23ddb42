"""Decoding and resampling of recordings, block by block, and checks of audio files.

Modules here return arrays of samples or what is wrong with a file, and know nothing about annotations or models.
"""
