"""The embedded data set: synthesized recordings in the layout of the RFCx competition, with complete ground truth.

The generator is deterministic: the same parameters always produce the same files.
"""
