"""Which labels a format holds, remarks about what it cannot hold, and numbers as text."""

from collections.abc import Collection

import numpy as np
import pandas as pd


def held_labels(annotations: pd.DataFrame, words: Collection[str], program: str) -> tuple[pd.DataFrame, list[str]]:
    """Keep the labels that a format has a word for.

    Args:
        annotations: a table with the column label (present, absent or uncertain).
        words: the labels that the format has a word for.
        program: whose format it is, for the remark.

    Returns:
        The rows that can be written, and a remark that counts the others.
    """
    is_held = annotations.label.isin(words)
    if is_held.all():
        return annotations, []
    counts = annotations.label[~is_held].value_counts()
    kinds = " and ".join(f"{counts[label]} labels {label}" for label in sorted(counts.index))
    return annotations[is_held], [f"left out: {kinds}, which {program} has no word for"]


def lost_annotators(annotations: pd.DataFrame, program: str) -> list[str]:
    """A remark that counts the labels whose annotators a format cannot name."""
    count = int((annotations.annotator != "").sum())
    return [f"left out: the annotators of {count} labels, which {program} has no place for"] if count else []


def lost_frequencies(annotations: pd.DataFrame, program: str) -> list[str]:
    """A remark that counts the labels whose frequencies a format cannot hold."""
    count = int(annotations[["f_min", "f_max"]].notna().any(axis=1).sum())
    return [f"left out: the frequencies of {count} labels, which {program} has no place for"] if count else []


def decimal(number: float) -> str:
    """The shortest decimal number, without an exponent, that is read as the same float; empty for NaN."""
    return "" if np.isnan(number) else np.format_float_positional(number, trim="0")
