"""Decoding and resampling of recordings, block by block.

Arrays of samples go out; nothing here knows of annotations or models.
"""
