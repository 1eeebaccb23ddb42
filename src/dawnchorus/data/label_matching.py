"""Which recordings the labels in a file are about, from paths on another computer or from the file's own name."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePath

import pandas as pd

from dawnchorus.data.tables import refuse_rows
from dawnchorus.errors import InputError

MOST_SHOWN = 3


def match_paths(path: Path, written: pd.Series, recordings: Sequence[Path], root: Path) -> pd.Series:
    """Find the recordings that paths mean, which may be from another computer and system.

    A path means the recording of its file name. Of several, it means the one whose folders agree with the path's last
    folders the furthest. A recording may have another suffix, as after a conversion, if none has that of the path.

    Args:
        path: of the label file.
        written: the path or file name in each row, indexed by the number of the row's line; the name is its column.
        recordings: files of the recordings.
        root: the data set's folder.

    Returns:
        The file of each row's recording.

    Raises:
        InputError: a path means no recording, or several.
    """
    by_name, by_stem = defaultdict(list), defaultdict(list)
    for recording in recordings:
        by_name[_form(recording.name)].append(recording)
        by_stem[_form(recording.stem)].append(recording)
    found: dict[str, list[Path]] = {}
    for text in written.unique():
        parts = [_form(part) for part in re.split(r"[\\/]+", text.strip())]
        candidates = by_name.get(parts[-1]) or by_stem.get(PurePath(parts[-1]).stem, [])
        agreement = [_common_tail(parts[:-1], one.relative_to(root).parts[:-1]) for one in candidates]
        found[text] = [one for one, parts_in_common in zip(candidates, agreement, strict=True)
                       if parts_in_common == max(agreement)]  # fmt: skip
    table = written.to_frame()
    column = str(written.name)
    is_missing = written.map(lambda text: not found[text])
    refuse_rows(path, table, column, is_missing, f"a recording in {root}", "add the recording, or remove the row")
    is_ambiguous = written.map(lambda text: len(found[text]) > 1)
    if is_ambiguous.any():
        names = _listed(found[written[is_ambiguous].iloc[0]], root)
        refuse_rows(path, table, column, is_ambiguous, f"one recording, not {names}", "write more of its folders")
    return written.map(lambda text: found[text][0])


def match_name(path: Path, recordings: Sequence[Path], root: Path) -> Path:
    """Find the recording that has the name of a label file: `X.wav` for `X.Table.1.selections.txt`.

    Of several, it is the one in the label file's folder.

    Args:
        path: of the label file.
        recordings: files of the recordings.
        root: the data set's folder.

    Raises:
        InputError: no recording has this name, or several have.
    """
    by_name = defaultdict(list)
    for recording in recordings:
        for name in {_form(recording.stem), _form(recording.name)}:
            by_name[name].append(recording)
    parts = _form(path.name).split(".")
    for end in range(len(parts) - 1, 0, -1):
        candidates = by_name.get(".".join(parts[:end]), [])
        beside = [recording for recording in candidates if recording.parent == path.parent]
        if len(beside or candidates) == 1:
            return (beside or candidates)[0]
        if candidates:
            raise InputError(
                f"{path}: its name is that of {_listed(candidates, root)}; move it to the folder of its recording"
            )
    raise InputError(
        f"{path}: no recording in {root} has this name, and no column names one; rename the file as its recording "
        f"({path.stem.split('.')[0]}.wav, say), or move it out of {root}"
    )


def _form(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _common_tail(one: Sequence[str], other: Iterable[str]) -> int:
    count = 0
    for mine, theirs in zip(reversed(one), reversed([_form(part) for part in other]), strict=False):
        if mine != theirs:
            break
        count += 1
    return count


def _listed(recordings: Sequence[Path], root: Path) -> str:
    shown = " and ".join(recording.relative_to(root).as_posix() for recording in recordings[:MOST_SHOWN])
    return shown + (f" and {len(recordings) - MOST_SHOWN} more" if len(recordings) > MOST_SHOWN else "")
