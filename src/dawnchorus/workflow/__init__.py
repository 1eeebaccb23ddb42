"""Running stages: planning, running one stage, devices, locks, and checks and clean-up of outputs.

Only this package uses the undocumented part of DVC's API.
"""
