"""Where labels are in their recordings, if their times count from the start of the first of several recordings.

Raven counts times over all recordings that are open together. A table names the recording of each label, but not all
that were open. So every usual set is tried, and one alone must put all labels into their recordings.
"""

from collections.abc import Callable, Sequence
from itertools import accumulate
from pathlib import Path

import pandas as pd

from dawnchorus.audio.file_checks import TOLERANCE_SECONDS


def starts_of(
    recordings: pd.Series, begin: pd.Series, end: pd.Series, known: Sequence[Path], seconds: Callable[[Path], float]
) -> pd.Series | None:
    """Find where the recording of each label starts on the time scale of the labels.

    Args:
        recordings: the file of each label's recording.
        begin: start of each label, s.
        end: end of each label, s.
        known: the files of all recordings.
        seconds: the length of a recording, s.

    Returns:
        The start of each label's recording, s; None if no usual set of open recordings fits, or several do.
    """
    used = sorted(set(recordings))
    folders = {path.parent for path in used}
    lengths = {path: seconds(path) for path in sorted(known) if path.parent in folders}
    alone = dict.fromkeys(used, 0.0)
    fitting: list[pd.Series] = []
    for starts in (alone, _together(used, lengths), _together(list(lengths), lengths)):
        start = recordings.map(starts)
        fits = (begin >= start - TOLERANCE_SECONDS) & (end <= start + recordings.map(lengths) + TOLERANCE_SECONDS)
        if fits.all() and not any(start.equals(other) for other in fitting):
            fitting.append(start)
    return fitting[0] if len(fitting) == 1 else None


def _together(opened: Sequence[Path], lengths: dict[Path, float]) -> dict[Path, float]:
    return dict(zip(opened, accumulate((lengths[path] for path in opened), initial=0.0), strict=False))
