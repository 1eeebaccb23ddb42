"""What a data set is: recordings, annotations, species, ground truth and folds, and the checks of all of them.

The adapters in `formats/` turn other people's layouts into the canonical tables that everything else reads.
"""
