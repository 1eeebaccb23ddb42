"""Raven's selection tables: text files with tabs, or with commas where R or a spreadsheet saved them.

A table is about one recording or about many.

A table for many recordings names each in `Begin Path` or `Begin File`; `File Offset (s)` is where a selection starts in
it. Without an offset, times count from the start of the first recording that was open.

Another table has the name of its recording: `X.Table.1.selections.txt` for `X.wav`.

Raven opens a table for many recordings in two ways. As a selection table, it takes Begin Time and End Time, which count
over the recordings that are open; as a sound selection table, it takes Begin Path and File Offset. A table that is
written here is right in both. Source: https://github.com/maRce10/Rraven/issues/3

It opens as one sequence the recordings that a file `*.listfile.txt` names
(https://github.com/birdnet-team/BirdNET-Analyzer/issues/347).

Raven and other readers want frequencies in each row, and Raven opens no table with one above half the sample rate
(https://github.com/birdnet-team/BirdNET-Analyzer/issues/140). So a label without frequencies is written from 0 Hz to
half the sample rate, and `Whole Band (Hz)` has the latter again, by which it is read as one without.
"""

from itertools import accumulate
from pathlib import Path, PurePosixPath

import pandas as pd

from dawnchorus.data.formats.held_labels import decimal, held_labels
from dawnchorus.data.formats.label_files import LabelFile
from dawnchorus.data.table_layout import read_text, split_lines
from dawnchorus.data.tables import read_table, refuse_rows, to_numbers, to_numbers_or_nan
from dawnchorus.errors import InputError

SUFFIXES = (".txt", ".tsv", ".csv")
BEGIN, END = "Begin Time (s)", "End Time (s)"
LOW, HIGH = "Low Freq (Hz)", "High Freq (Hz)"
OFFSET = "File Offset (s)"
WHOLE_BAND = "Whole Band (Hz)"
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
    numbers = [BEGIN, END, LOW, HIGH, OFFSET, WHOLE_BAND]
    found = read_table(path, [BEGIN, END], may_be_empty=True, numbers=numbers)
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
    whole_band = to_numbers_or_nan(path, found, WHOLE_BAND)
    rows["f_min"] = rows.f_min.mask(whole_band.notna() & (rows.f_min == 0))
    rows["f_max"] = rows.f_max.mask(rows.f_max == whole_band)
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


def write_labels(folder: Path, annotations: pd.DataFrame, recordings: pd.DataFrame) -> list[str]:
    """Write a table for each recording that has labels: `site/X.Table.1.selections.txt` for `site/X.wav`.

    Args:
        folder: an empty folder.
        annotations: labels, as in `writing.write_labels`.
        recordings: their recordings, as in `writing.write_labels`.

    Returns:
        Remarks about what the tables cannot hold.
    """
    rows, remarks = _selections(annotations, recordings)
    number = rows.groupby("recording_id").cumcount() + 1
    table = _as_table(rows, number, rows.t_min, rows.t_max, {})
    for recording_id, own in table.groupby(rows.recording_id):
        path = folder / PurePosixPath(recordings.file[recording_id]).with_suffix(".Table.1.selections.txt")
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_table(path, own)
    return remarks


def write_one_table(folder: Path, annotations: pd.DataFrame, recordings: pd.DataFrame, root: Path) -> list[str]:
    """Write `selections.txt`, a table for all recordings, and `recordings.listfile.txt`, by which Raven opens them.

    Begin and end count over all recordings of known length in the order of `recordings`, with labels or not. They are
    exact to the digits that a float has for the sum of the lengths.

    Args:
        folder: an empty folder.
        annotations: labels, as in `writing.write_labels`.
        recordings: their recordings, as in `writing.write_labels`.
        root: the folder that has the recordings.

    Returns:
        Remarks about what the table cannot hold, or why Raven may not open it.
    """
    opened = recordings[recordings.seconds > 0]
    rows, remarks = _selections(annotations, recordings)
    is_opened = rows.recording_id.isin(opened.index)
    if not is_opened.all():
        names = recordings.file[rows.recording_id[~is_opened].unique()]
        remarks.append(
            f"left out: {(~is_opened).sum()} labels of {len(names)} recordings of unknown length, which Raven cannot "
            f"open with others, for example {names.iloc[0]}"
        )
        rows = rows[is_opened]
    if rows.empty:
        return remarks
    kinds = opened[["sample_rate", "channels"]].drop_duplicates()
    if len(kinds) > 1:
        found = ", ".join(f"{row.sample_rate:g} Hz and {row.channels} channels" for row in kinds.itertuples())
        remarks.append(
            "Raven opens recordings together only if all have one sample rate and one number of channels, and these "
            f"have several ({found}): open selections.txt as a sound selection table, or write a table for each "
            "recording"
        )
    paths = opened.file.map(lambda file: str(root.resolve() / file))
    starts = pd.Series(list(accumulate(opened.seconds, initial=0.0))[:-1], opened.index)
    start = rows.recording_id.map(starts)
    path = rows.recording_id.map(paths)
    more = {"Begin Path": path, "Begin File": path.map(lambda one: PurePosixPath(one).name), OFFSET: rows.t_min}
    number = pd.Series(range(1, len(rows) + 1), rows.index)
    _write_table(folder / "selections.txt", _as_table(rows, number, start + rows.t_min, start + rows.t_max, more))
    (folder / "recordings.listfile.txt").write_text("\n".join([*paths, ""]), encoding="utf-8", newline="\n")
    return remarks


def _selections(annotations: pd.DataFrame, recordings: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The labels that Raven has a word for, in the order of their recordings and times, with frequencies for Raven.

    Returns:
        The rows, whose `half_rate` (Hz) is NaN where the recording cannot be read, and remarks.
    """
    rows, remarks = held_labels(annotations, ["present"], "Raven")
    half_rate = rows.recording_id.map(recordings.sample_rate.where(recordings.sample_rate > 0)) / 2
    rows = rows.assign(half_rate=half_rate, order=rows.recording_id.map(recordings.index.get_loc))
    rows = rows.sort_values(["order", "t_min"], kind="stable")
    is_above = rows[["f_min", "f_max"]].max(axis=1) > rows.half_rate
    if is_above.any():
        remarks.append(
            f"the frequencies of {is_above.sum()} labels above half the sample rate are cut there, because Raven opens "
            "no table with such"
        )
        rows[["f_min", "f_max"]] = rows[["f_min", "f_max"]].clip(upper=rows.half_rate, axis=0)
    is_empty = rows.half_rate.isna() & (rows.f_min.isna() | rows.f_max.isna())
    if is_empty.any():
        remarks.append(
            f"{is_empty.sum()} labels without frequencies, of recordings that cannot be read, have none in their rows, "
            "and Raven may not open their tables"
        )
    return rows, remarks


def _as_table(
    rows: pd.DataFrame, number: pd.Series, begin: pd.Series, end: pd.Series, more: dict[str, pd.Series]
) -> pd.DataFrame:
    """Convert rows from `_selections` to a selection table of texts.

    Args:
        rows: the rows.
        number: of each selection, from 1.
        begin: its start, s.
        end: its end, s.
        more: further columns, by name, which come before that with the species.
    """
    has_none = rows.f_min.isna() | rows.f_max.isna()
    low, high = (
        rows[edge].where(rows[edge].notna() | rows.half_rate.isna(), unknown)
        for edge, unknown in (("f_min", 0.0), ("f_max", rows.half_rate))
    )
    channel = rows.channel if "channel" in rows.columns else 1
    table = pd.DataFrame({"Selection": number, "View": "Spectrogram 1", "Channel": channel, BEGIN: begin, END: end,
                          LOW: low, HIGH: high, **more})  # fmt: skip
    if has_none.any():
        table[WHOLE_BAND] = rows.half_rate.where(has_none)
    if (rows.annotator != "").any():
        table["Annotator"] = rows.annotator
    # What a program found has them, so that people can sort by them.
    for name in ("score", "probability"):
        if name in rows.columns:
            table[name.capitalize()] = rows[name]
    table["Species"] = rows.species
    numbers = table.select_dtypes(float).columns
    table[numbers] = table[numbers].map(decimal)
    return table.astype(str)


def _write_table(path: Path, table: pd.DataFrame) -> None:
    lines = [table.columns, *table.itertuples(index=False)]
    path.write_text("".join("\t".join(map(_cell, line)) + "\n" for line in lines), encoding="utf-8", newline="\n")


def _cell(text: str) -> str:
    """A cell, in quotes only where other readers would take it for something else, because Raven shows quotes."""
    return '"' + text.replace('"', '""') + '"' if text.startswith('"') or "\t" in text else text
