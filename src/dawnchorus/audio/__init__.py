"""Decoding and resampling of recordings, block by block.

Modules here return arrays of samples and know nothing about annotations or models.
"""
