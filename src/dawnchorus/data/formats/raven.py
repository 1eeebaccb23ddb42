"""Raven's selection tables: text files with tabs, `*.txt` or `*.tsv`, for one recording each or for many.

A table for many recordings names each in `Begin Path` or `Begin File`; `File Offset (s)` is where a selection starts in
it. Without an offset, times count from the start of the first recording that was open.

Another table has the name of its recording: `X.Table.1.selections.txt` for `X.wav`.
"""

from pathlib import Path

import pandas as pd

from dawnchorus.data.formats.label_files import LabelFile
from dawnchorus.data.table_layout import read_text, split_lines
from dawnchorus.data.tables import read_table, refuse_rows, to_numbers, to_numbers_or_nan
from dawnchorus.errors import InputError

SUFFIXES = (".txt", ".tsv")
BEGIN, END = "Begin Time (s)", "End Time (s)"
LOW, HIGH = "Low Freq (Hz)", "High Freq (Hz)"
OFFSET = "File Offset (s)"
RECORDING = ("Begin Path", "Begin File")
# Columns that Raven writes itself. Measurements have a unit in parentheses.
OWN = ("Selection", "View", "Channel", "Begin Date", "Begin Hour", "Begin Date Time", "Begin Clock Time",
       "End Clock Time", "End Path", "End File", *RECORDING)  # fmt: skip
# Who gave a label, in lower case.
ANNOTATOR = "annotator"
# Usual names of the column with the species, the best first.
SPECIES = ("Species Code", "Species", "Annotation", "Label", "Scientific Name", "Common Name", "Tags")


def why_not(path: Path) -> str | None:
    """Why a text file is no selection table; None if it is one."""
    first = next(split_lines(read_text(path)), "")
    if BEGIN in first:
        return None
    return f"{path}: line 1: found {first.strip()[:80]!r}, expected a heading with {BEGIN}"


def read_labels(path: Path, species_column: str | None = None) -> LabelFile:
    """Read a selection table.

    Args:
        path: the table.
        species_column: the column with the species; None for the usual names, or the only column that is not Raven's.

    Raises:
        InputError: the table is damaged, a row has an invalid time or frequency, or no column can be the species.
    """
    found = read_table(path, [BEGIN, END], may_be_empty=True, numbers=[BEGIN, END, LOW, HIGH, OFFSET])
    n_rows = len(found)
    if found.empty:
        rows = pd.DataFrame(columns=["species", "label", "t_min", "t_max", "f_min", "f_max", "annotator"])
        return LabelFile(path, rows, None, 0, {})
    column = _species_column(path, found, species_column)
    for name in (BEGIN, END):
        found[name] = to_numbers(path, found, name)
    refuse_rows(path, found, BEGIN, found[BEGIN] < 0, "seconds, 0 or more")
    refuse_rows(path, found, END, found[END] <= found[BEGIN], "a time after the row's begin")
    rows = pd.DataFrame({"species": found[column].str.strip(), "label": "present", "t_min": found[BEGIN]})
    rows["t_max"] = found[END]
    annotator = next((name for name in found.columns if name.casefold() == ANNOTATOR), None)
    rows["annotator"] = "" if annotator is None else found[annotator].str.strip()
    for name, edge in (("f_min", LOW), ("f_max", HIGH)):
        rows[name] = to_numbers_or_nan(path, found, edge)
    refuse_rows(path, found, LOW, rows.f_min < 0, "a frequency in Hz, 0 or more")
    refuse_rows(path, found, HIGH, rows.f_max < rows.f_min, "a frequency not below the row's low frequency")
    named = next((name for name in RECORDING if name in found.columns and (found[name] != "").any()), None)
    if named is not None:
        refuse_rows(path, found, named, found[named] == "", "a recording, as in other rows")
    recordings = None if named is None else found[named]
    if recordings is not None and OFFSET in found.columns:
        offset = to_numbers(path, found, OFFSET)
        refuse_rows(path, found, OFFSET, offset < 0, "seconds from the start of the recording, 0 or more")
        # Begin and end are cumulative over all recordings that were opened.
        rows["t_max"] = offset + (rows.t_max - rows.t_min)
        rows["t_min"] = offset
    if "Selection" in found.columns:
        rows = _one_per_selection(rows, found)
    recordings = None if recordings is None else recordings[rows.index]
    is_cumulative = recordings is not None and OFFSET not in found.columns
    dropped = {"second views of a selection": n_rows - len(rows)}
    return LabelFile(path, rows, recordings, n_rows, dropped, is_cumulative)


def _species_column(path: Path, table: pd.DataFrame, chosen: str | None) -> str:
    """The name of the column with the species."""
    if chosen is not None:
        if chosen in table.columns:
            return chosen
        raise InputError(
            f"{path}: has no column {chosen!r}, which data.columns in params.yaml names; found "
            f"{', '.join(table.columns)}"
        )
    filled = [name for name in table.columns if (table[name] != "").any()]
    by_name = {name.casefold(): name for name in filled}
    usual = [by_name[name.casefold()] for name in SPECIES if name.casefold() in by_name]
    others = [name for name in filled if name not in OWN and not name.endswith(")") and name.casefold() != ANNOTATOR]
    if usual or len(others) == 1:
        return (usual or others)[0]
    raise InputError(
        f"{path}: which column has the species is not clear; found {', '.join(filled)}; name it in params.yaml: "
        "data.columns: {species: <column>}"
    )


def _one_per_selection(rows: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Keep one row of each selection, of which Raven writes one for each view: the one with frequencies."""
    names = [name for name in ("Selection", BEGIN, END, OFFSET, *RECORDING) if name in table.columns]
    key = table[names].assign(species=rows.species)
    order = rows.f_max.isna().argsort(kind="stable")
    kept = ~key.iloc[order].duplicated()
    return rows[kept.reindex(rows.index)]
