"""Audacity's label tracks: text files `*.txt` without a heading, each for the recording of the same name.

Each line has start, end and label, with tabs between them. Where Audacity saves frequencies, a label that has them is
followed by a line with a backslash, the lowest and the highest one; -1 stands for none.
Source: https://manual.audacityteam.org/man/importing_and_exporting_labels.html

crowsetta's reader takes two lines for each label, and so pairs them wrongly if only some labels have frequencies.
"""

import re
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from dawnchorus.data.formats.held_labels import decimal, held_labels, lost_annotators
from dawnchorus.data.formats.label_files import LabelFile
from dawnchorus.data.table_layout import read_text, split_lines
from dawnchorus.errors import InputError

SUFFIXES = (".txt",)
# Some systems write decimal commas.
NUMBER = r"[-+]?\d+(?:[.,]\d*)?(?:[eE][-+]?\d+)?"
# BirdNET-Analyzer adds its confidence behind the label. Audacity ignores it, too.
LABEL = re.compile(rf"({NUMBER})\t({NUMBER})(?:\t([^\t]*)(?:\t.*)?)?")
FREQUENCIES = re.compile(rf"\\\t({NUMBER})\t({NUMBER})\s*")
NO_LENGTH = "labels of a point in time, which have no length"


def why_not(path: Path) -> str | None:
    """Why a text file is no label track; None if it is one."""
    first = next((line.rstrip("\r\n") for line in split_lines(read_text(path)) if line.strip()), "")
    if LABEL.fullmatch(first):
        return None
    return f"{path}: line 1: found {first[:80]!r}, expected start, end and label, with tabs between them"


def read_labels(path: Path) -> LabelFile:
    """Read a label track.

    Raises:
        InputError: a line is neither a label nor frequencies of one, or a label ends before it starts.
    """
    rows: dict[int, list[object]] = {}
    last: int | None = None
    for line, text in enumerate(map(str.rstrip, split_lines(read_text(path))), start=1):
        if not text:
            continue
        if text.startswith("\\"):
            edges = FREQUENCIES.fullmatch(text)
            if edges is None or last is None:
                expected = "a backslash and two numbers, below the label that they belong to"
                raise InputError(f"{path}: line {line}: found {text!r}, expected {expected}; correct the line")
            low, high = (_number(edge) for edge in edges.groups())
            if 0 <= high < low:
                raise InputError(
                    f"{path}: line {line}: found {text!r}, expected the lowest frequency before the highest; correct "
                    "the line"
                )
            rows[last][3:] = [low if low >= 0 else np.nan, high if high >= 0 else np.nan]
            last = None
            continue
        label = LABEL.fullmatch(text)
        if label is None:
            raise InputError(
                f"{path}: line {line}: found {text!r}, expected start, end and label, with tabs between them; correct "
                "or remove the line"
            )
        begin, end = _number(label[1]), _number(label[2])
        if begin < 0 or end < begin:
            raise InputError(
                f"{path}: line {line}: found {text!r}, expected a start of 0 s or more and an end not before it; "
                "correct or remove the line"
            )
        rows[line] = [(label[3] or "").strip(), begin, end, np.nan, np.nan]
        last = line
    table = pd.DataFrame.from_dict(rows, "index", columns=["species", "t_min", "t_max", "f_min", "f_max"])
    table = table.astype({"species": str} | dict.fromkeys(table.columns[1:], float)).assign(
        label="present", annotator=""
    )
    has_length = table.t_max > table.t_min
    return LabelFile(path, table[has_length], None, len(table), {NO_LENGTH: int((~has_length).sum())})


def write_labels(folder: Path, annotations: pd.DataFrame, recordings: pd.DataFrame) -> list[str]:
    """Write a label track for each recording that has labels: `site/X.txt` for `site/X.wav`.

    Args:
        folder: an empty folder.
        annotations: labels, as in `writing.write_labels`.
        recordings: their recordings, as in `writing.write_labels`.

    Returns:
        Remarks about what label tracks cannot hold.
    """
    rows, remarks = held_labels(annotations, ["present"], "Audacity")
    for recording_id, own in rows.sort_values("t_min", kind="stable").groupby("recording_id"):
        lines = []
        for row in own.itertuples():
            lines.append(f"{decimal(row.t_min)}\t{decimal(row.t_max)}\t{row.species}\n")
            edges = [-1.0 if np.isnan(edge) else edge for edge in (row.f_min, row.f_max)]
            if edges != [-1.0, -1.0]:
                lines.append("\\\t" + "\t".join(map(decimal, edges)) + "\n")
        path = folder / PurePosixPath(recordings.file[recording_id]).with_suffix(".txt")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(lines), encoding="utf-8", newline="\n")
    return remarks + lost_annotators(rows, "Audacity")


def _number(text: str) -> float:
    return float(text.replace(",", "."))
