"""The embedded data set: synthesized recordings in the layout of the competition, with their full truth."""
