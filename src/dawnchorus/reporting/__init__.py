"""What an experiment shows: its figures and where they come from.

Reads what the other rooms computed and computes nothing new.
"""
