"""BirdNET's detections, and the segments that people have reviewed in BirdNET-Analyzer.

Detections are tables: the CSV of BirdNET-Analyzer, its older table for R, its selection table for Raven, and the CSV of
the library `birdnet`. They are labels of a program.

Segments are short sound files that BirdNET-Analyzer cuts from recordings, `<species>/0.835_1_A_3.00s_6.00s.wav` for a
detection of confidence 0.835 in the recording A, from 3 to 6 s. The review moves them to the folders `Positive` and
`Negative` in the species' folder.

Sources: https://github.com/birdnet-team/BirdNET-Analyzer (analyze/core.py, segments/utils.py, gui/review.py) and
https://github.com/birdnet-team/birdnet.

There is no writer: labels of people are no detections of BirdNET, and its table holds neither absent labels nor
frequencies. BirdNET-Analyzer reads Raven's tables.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from dawnchorus.data.formats import delimited, raven
from dawnchorus.data.formats.delimited import Form
from dawnchorus.data.formats.label_files import LabelFile
from dawnchorus.data.recordings import SUFFIXES as SOUNDS
from dawnchorus.data.recordings import files_below
from dawnchorus.data.table_layout import read_text, split_lines
from dawnchorus.data.tables import read_table, refuse_rows, to_numbers
from dawnchorus.errors import InputError

SUFFIXES = (".csv", ".txt", ".tsv")
# Whom its labels are from.
PROGRAM = "BirdNET"
# The library writes both names of a species into one cell, the scientific one first.
BOTH_NAMES = "species_name"
FORMS = (
    # Older versions wrote no File; the table has the name of its recording.
    Form({"recording": "File", "species": "Scientific name", "t_min": "Start (s)", "t_max": "End (s)",
          "confidence": "Confidence"}, optional=("recording",)),
    Form({"recording": "filepath", "species": "scientific_name", "t_min": "start", "t_max": "end",
          "confidence": "confidence"}),
    Form({"recording": "input", "species": BOTH_NAMES, "t_min": "start_time", "t_max": "end_time",
          "confidence": "confidence"}),
)  # fmt: skip
CONFIDENCE = "Confidence"
RAVEN_SPECIES = ("Scientific Name", "Common Name")
VERDICTS = {"positive": "present", "negative": "absent"}
SEGMENT = re.compile(r"(\d\.\d+)_(\d+)_(?P<recording>.+)_(?P<begin>\d+(\.\d+)?)s_(?P<end>\d+(\.\d+)?)s")

# Older versions wrote no times.
WITHOUT_TIMES = re.compile(r"\d\.\d{3}_.+")


def why_not(path: Path) -> str | None:
    """Why a file is no table of detections; None if it is one."""
    if _is_for_raven(path) or _form(path) is not None:
        return None
    first = _heading(path)[:80]
    return f"{path}: line 1: found {first!r}, expected the heading of a table of BirdNET, such as Start (s),End (s),..."


def list_segments(root: Path) -> tuple[dict[Path, list[Path]], list[str]]:
    """Find segments in a data set's folder.

    Returns:
        The segments by the folder that they are in, and why other sound files in the folders of a review are none.
    """
    sounds = [path for path in files_below(root) if path.suffix.lower() in SOUNDS]
    reviewed = {path.parent for path in sounds if path.parent.name.casefold() in VERDICTS}
    of_review = reviewed | {folder.parent for folder in reviewed}
    folders, others = defaultdict(list), []
    for path in sounds:
        if SEGMENT.fullmatch(path.stem) or (path.parent in of_review and WITHOUT_TIMES.fullmatch(path.stem)):
            folders[path.parent].append(path)
        elif path.parent in reviewed:
            others.append(f"{path}: expected the name of a segment, such as 0.835_1_A_3.00s_6.00s.wav")
    return dict(folders), others


def read_segments(root: Path, folder: Path, segments: Sequence[Path]) -> LabelFile:
    """Read the labels that the names of segments tell.

    Args:
        root: the data set's folder.
        folder: the folder of the segments; its name is the verdict, and that of the folder above it the species.
        segments: the files.

    Raises:
        InputError: a segment ends before it begins, or no folder is named after the species.
    """
    label = VERDICTS.get(folder.name.casefold())
    if label is not None and folder.parent == root:
        raise InputError(
            f"{folder}: is in no folder named after a species; move it to {root / '<species>' / folder.name}"
        )
    reviewed = [] if label is None else segments
    parts = {path.name: match.groupdict() for path in reviewed if (match := SEGMENT.fullmatch(path.stem))}
    found = pd.DataFrame(list(parts.values()), list(parts), ["recording", "begin", "end"], dtype=str)
    rows = pd.DataFrame({"t_min": found.begin.astype(float), "t_max": found.end.astype(float)})
    refuse_rows(folder, found, "end", rows.t_max <= rows.t_min, "a time after the segment's begin", "remove the file")
    rows = rows.assign(species=folder.parent.name, label=label, f_min=np.nan, f_max=np.nan, annotator="")
    dropped = {
        "segments that nobody has reviewed": len(segments) - len(reviewed),
        "segments whose names do not tell their times": len(reviewed) - len(rows),
    }
    return LabelFile(folder, rows, found.recording, len(segments), dropped)


def read_labels(path: Path, species_column: str | None = None) -> LabelFile:
    """Read a table of detections.

    Args:
        path: the table.
        species_column: the column with the species; None for the one with scientific names, or common ones if there
            are no others.

    Raises:
        InputError: the table is damaged, or a row has an invalid time or confidence.
    """
    if _is_for_raven(path):
        heading = _heading(path).split("\t")
        species_column = species_column or next(name for name in RAVEN_SPECIES if name in heading)
        found = raven.read_labels(path, species_column)
        table = read_table(path, [CONFIDENCE], may_be_empty=True, numbers=[CONFIDENCE])
        found = replace(found, confidence=to_numbers(path, table, CONFIDENCE)[found.rows.index])
    else:
        form = _form(path)
        if form is None:
            raise InputError(str(why_not(path)))
        form = form if species_column is None else form.renamed({"species": species_column})
        found = delimited.read_labels(path, form)
        if form.columns["species"] == BOTH_NAMES:
            found = replace(found, rows=found.rows.assign(species=found.rows.species.str.partition("_")[0]))
    return replace(found, rows=found.rows.assign(annotator=PROGRAM))


def _heading(path: Path) -> str:
    return next(split_lines(read_text(path)), "").strip()


def _is_for_raven(path: Path) -> bool:
    heading = _heading(path).split("\t")
    return {raven.BEGIN, CONFIDENCE} <= {*heading} and not {*RAVEN_SPECIES}.isdisjoint(heading)


def _form(path: Path) -> Form | None:
    return next((form for form in FORMS if delimited.why_not(path, form) is None), None)
