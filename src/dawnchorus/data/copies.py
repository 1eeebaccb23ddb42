"""Test recordings that are copies of training recordings."""

import pandas as pd


def copies_of_training(train: pd.DataFrame, test: pd.DataFrame) -> list[str]:
    """List the usable test recordings with the same sound as a training recording.

    They are left out of the test metrics, because models may have been trained on them.

    Args:
        train: annotated recordings, as from `recordings.read_recordings`.
        test: test recordings.
    """
    return list(test.index[test.usable & test.digest.isin(train.digest)])
