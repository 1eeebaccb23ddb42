"""Export of a model bundle as one file that takes sound and needs neither TensorFlow nor this package.

The file is loaded again and compared with the bundle before it gets its name.
"""
