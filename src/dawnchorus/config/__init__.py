"""The schema of `params.yaml`, with one module per section, and the code that reads it.

Nothing here imports a heavy library, so that every command can validate its parameters immediately.
"""
