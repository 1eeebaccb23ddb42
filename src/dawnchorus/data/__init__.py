"""Data sets: recordings, annotations, species, ground truth, folds, and checks of all of these.

The adapters in `formats/` convert external layouts into the canonical tables that all other code reads.
"""
