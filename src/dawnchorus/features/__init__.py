"""Features of whole recordings, and the store that keeps them on disk.

A feature is an array (frames, channels) with a hop in seconds.
"""
