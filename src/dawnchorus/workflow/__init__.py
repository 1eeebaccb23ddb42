"""How stages run: planning, running one, devices, locks, checks and clean-up of outputs.

The undocumented part of DVC's API is used here alone.
"""
