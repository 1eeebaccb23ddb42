"""What containers of audio state about themselves, compared with the bytes that are there, without decoding.

A decoder trusts a stated length and skips damaged parts, so what it returns can be too short, or too early after a gap.
Each module reads the structure of one family of formats.
"""
