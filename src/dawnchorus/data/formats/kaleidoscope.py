"""Kaleidoscope Pro's tables: `cluster.csv` of a cluster analysis, and `id.csv` of the identification of bats.

Each row is a detection in the recording INDIR/FOLDER/IN FILE, which begins at OFFSET and is DURATION long (s).
TOP1MATCH or AUTO ID is what the program took it for, MANUAL ID what a person heard. Several names there, with commas
between them, are several species. Noise is none, and NoID a sound that the person could not name. An empty cell means
that nobody has listened. A heading may end in an asterisk.

Fmin and Fmax are in Hz in `cluster.csv`. In `id.csv` they are in kHz, the means of a bat's pulses. A cluster that
nobody has named has a number, such as `Cluster.017`.

Sources: programs that read these tables, https://github.com/ABbiodiversity/wildrtrax (wt_kaleidoscope_tags) and
https://github.com/AVianEco/Upload-Bioacoustic-Results-to-R.
"""

import re
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from dawnchorus.data.formats.label_files import LabelFile
from dawnchorus.data.table_layout import read_text, split_lines
from dawnchorus.data.tables import read_table, refuse_rows, to_numbers, to_numbers_or_nan
from dawnchorus.errors import InputError
from dawnchorus.files import replacing

SUFFIXES = (".csv",)
FOLDERS, FILE = ("INDIR", "FOLDER"), "IN FILE"
OFFSET, DURATION, LOW, HIGH = "OFFSET", "DURATION", "Fmin", "Fmax"
BATS, CLUSTERS = "AUTO ID", "TOP1MATCH"
MANUAL = "MANUAL ID"
ANNOTATOR = "REVIEW USERID"
# Between several names in one cell; semicolons as people type them.
SEPARATOR = re.compile("[,;]")
# Words for a label that is not a species.
NOISE, UNNAMED = "Noise", "NoID"
NO_SPECIES = {NOISE.casefold(), UNNAMED.casefold()}
NUMBERED = re.compile(r".+\.\d{2,}")
# No recorder samples so fast that half its rate is as much, kHz; and no bat calls below, Hz.
KHZ_LIMIT = 1000.0


def why_not(path: Path) -> str | None:
    """Why a file is no table that somebody has reviewed in Kaleidoscope; None if it is one."""
    heading = _heading(path)
    if any(name not in heading for name in (FILE, OFFSET, DURATION)):
        first = next(split_lines(read_text(path)), "").strip()[:80]
        return f"{path}: line 1: found {first!r}, expected a heading with {FILE}, {OFFSET}, {DURATION} and {MANUAL}"
    if MANUAL not in heading:
        return (
            f"{path}: has no column {MANUAL}, so nobody has judged its rows (a table of BirdNET-Analyzer has none); "
            "review it in Kaleidoscope, and save it"
        )
    return None


def read_labels(path: Path) -> LabelFile:
    """Read a table.

    A detection is present of each species in MANUAL ID, and absent of the automatic one if this is not among them.

    Args:
        path: the table.

    Raises:
        InputError: the table is damaged, or a row has no recording, or an invalid time or frequency.
    """
    heading = _heading(path)
    columns = [*FOLDERS, FILE, OFFSET, DURATION, LOW, HIGH, BATS, CLUSTERS, MANUAL, ANNOTATOR]
    written = {name: f"{name}*" if f"{name}*" in heading else name for name in columns}
    required = [written[name] for name in (FILE, OFFSET, DURATION, MANUAL)]
    numbers = [written[name] for name in (OFFSET, DURATION, LOW, HIGH)]
    found = read_table(path, required, may_be_empty=True, numbers=numbers)
    found = found.rename(columns={theirs: name for name, theirs in written.items()})
    if not found.columns.is_unique:
        name = found.columns[found.columns.duplicated()][0]
        raise InputError(f"{path}: has both a column {name} and {name}*; remove one of them")
    refuse_rows(path, found, FILE, found[FILE].str.strip() == "", "a recording")
    offset, duration = to_numbers(path, found, OFFSET), to_numbers(path, found, DURATION)
    refuse_rows(path, found, OFFSET, offset < 0, "seconds from the start of the recording, 0 or more")
    refuse_rows(path, found, DURATION, duration <= 0, "seconds, more than 0")
    boxes = pd.DataFrame({"t_min": offset, "t_max": offset + duration})
    for name, edge in (("f_min", LOW), ("f_max", HIGH)):
        boxes[name] = to_numbers_or_nan(path, found, edge)
    refuse_rows(path, found, LOW, boxes.f_min < 0, "a frequency, 0 or more")
    refuse_rows(path, found, HIGH, boxes.f_max < boxes.f_min, f"a frequency not below the row's {LOW}")
    if BATS in found.columns:
        boxes[["f_min", "f_max"]] *= _to_hz(path, found, boxes.f_max)
    boxes["annotator"] = found[ANNOTATOR].str.strip() if ANNOTATOR in found.columns else ""
    automatic = next((found[name].str.strip() for name in (BATS, CLUSTERS) if name in found.columns), None)
    manual = found[MANUAL].str.strip(" ,;")
    pairs = zip(manual, [""] * len(found) if automatic is None else automatic, strict=True)
    verdicts = [_verdict(*cells) for cells in pairs]
    counts = np.array([len(labels) for labels in verdicts], int)
    # A row has as many labels as its verdict names species.
    taken = np.repeat(np.arange(len(found)), counts)
    labels = [label for each in verdicts for label in each]
    rows = boxes.iloc[taken].assign(species=[name for name, _ in labels], label=[label for _, label in labels])
    recordings = found[FILE].str.strip()
    for name in reversed(FOLDERS):
        if name in found.columns:
            folder = found[name].str.strip().str.rstrip("\\/")
            recordings = (folder + "/").where(folder != "", "") + recordings
    is_judged = manual != ""
    dropped = {
        "rows that nobody has judged": int((~is_judged).sum()),
        "rows judged to be no species, without an automatic id that is one": int((is_judged & (counts == 0)).sum()),
    }
    return LabelFile(path, rows, recordings.rename(FILE).iloc[taken], len(found), dropped)


def _heading(path: Path) -> str:
    return next((line for line in split_lines(read_text(path)) if FILE in line), "")


def _verdict(manual: str, automatic: str) -> list[tuple[str, str]]:
    """The labels that a row gives: each species with present or absent."""
    if not manual:
        return []
    names = [name.strip() for name in SEPARATOR.split(manual)]
    labels = [(name, "present") for name in dict.fromkeys(names) if name and name.casefold() not in NO_SPECIES]
    is_species = automatic and automatic.casefold() not in NO_SPECIES and not NUMBERED.fullmatch(automatic)
    if is_species and automatic.casefold() not in {name.casefold() for name in names}:
        is_unnamed = UNNAMED.casefold() in {name.casefold() for name in names}
        labels.append((automatic, "uncertain" if is_unnamed else "absent"))
    return labels


def _to_hz(path: Path, table: pd.DataFrame, f_max: pd.Series) -> float:
    """The factor that converts the frequencies in a table of bats, which somebody may have converted already."""
    is_given = f_max > 0
    in_khz = f_max < KHZ_LIMIT
    if (is_given & ~in_khz).sum() == is_given.sum() > 0:
        return 1.0
    refuse_rows(path, table, HIGH, is_given & ~in_khz, "a frequency in kHz, as in other rows of this table of bats")
    return 1000.0


def write_labels(folder: Path, annotations: pd.DataFrame, recordings: pd.DataFrame, root: Path) -> list[str]:
    """Write labels as `cluster.csv`. Absent is what a person judged as Noise, uncertain what they judged as NoID.

    Labels that a program gave (with a score) have no MANUAL ID, so that a person can add it.

    Args:
        folder: an empty folder.
        annotations: labels, as in `writing.write_labels`.
        recordings: their recordings, as in `writing.write_labels`.
        root: the folder that has the recordings.

    Returns:
        Remarks about what the format cannot hold.
    """
    # As an automatic id, such a name would be that of a cluster.
    is_other = annotations.species.str.fullmatch(NUMBERED) & (annotations.label != "present")
    is_other |= annotations.species.str.contains(SEPARATOR) | annotations.species.str.casefold().isin(NO_SPECIES)
    rows = annotations[~is_other].reset_index(drop=True)
    files = rows.recording_id.map(recordings.file).map(PurePosixPath)
    table = pd.DataFrame(
        {
            "INDIR": str(root.resolve()),
            "FOLDER": [str(file.parent) if file.parent.name else "" for file in files],
            FILE: [file.name for file in files],
            "CHANNEL": 0,
            OFFSET: rows.t_min,
            DURATION: rows.t_max - rows.t_min,
            LOW: rows.f_min,
            HIGH: rows.f_max,
            CLUSTERS: rows.species,
        }
    )
    if "score" in rows.columns:
        # Kaleidoscope's is a distance: the lower, the better.
        table["TOP1DIST"], table[MANUAL] = 1 - rows.score, ""
        table["CHANNEL"] = rows.channel.astype(int) - 1
    else:
        table[MANUAL] = rows.label.map({"absent": NOISE, "uncertain": UNNAMED}).fillna(rows.species)
    table[ANNOTATOR] = rows.annotator
    with replacing(folder / "cluster.csv") as path:
        table.to_csv(path, index=False)
    if not is_other.any():
        return []
    names = ", ".join(sorted(set(annotations.species[is_other])))
    return [f"left out: {is_other.sum()} labels of species whose names Kaleidoscope would misread: {names}"]
