"""The schema of `params.yaml`, a module for each section, and reading it.

Nothing here imports anything heavy, so that every command can check its parameters at once.
"""
