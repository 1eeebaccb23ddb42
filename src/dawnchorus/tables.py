"""Reading the tables of a data set and of results, with errors that name file, row and column."""

import warnings
from collections.abc import Collection, Container
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dawnchorus.errors import InputError
from dawnchorus.params import MOST

ANNOTATION_COLUMNS = ["recording_id", "species_id", "songtype_id", "t_min", "f_min", "t_max", "f_max"]
# Nothing here asks for the type of a song, so a table of one's own may do without it.
REQUIRED_COLUMNS = [column for column in ANNOTATION_COLUMNS if column != "songtype_id"]
# A labelled box is known by these; one that stands twice in an annotation table counts once.
BOX_COLUMNS = ["recording_id", "species_id", "t_min", "t_max", "is_tp"]


def species_columns(n_species: int) -> list[str]:
    """The species columns of a submission: s0, s1, ..."""
    return [f"s{number}" for number in range(n_species)]


def read_annotations(
    path: Path, n_species: int, group: str | None = None, *, may_be_empty: bool = False
) -> pd.DataFrame:
    """Read a table of TP or FP boxes.

    Args:
        path: a CSV file with `REQUIRED_COLUMNS` (s and Hz).
        n_species: species ids must be below it.
        group: a column of one's own that it must have too.
        may_be_empty: whether a table without rows is good.

    Returns:
        The required columns: recording_id as text, species_id as int, the rest as float; the column `group` is
        text. The index is the line in the file less 2.

    Raises:
        InputError: the file is missing or empty, lacks a column, or has an impossible row.
    """
    columns = REQUIRED_COLUMNS if group is None else [*REQUIRED_COLUMNS, group]
    found = _read(path, columns, may_be_empty, numbers=REQUIRED_COLUMNS[1:])
    table = found[REQUIRED_COLUMNS].copy()
    if group is not None:
        table[group] = found[group]
        _refuse(path, table, group, table[group] == "", "a name, for split.group in params.yaml says this column")
    _refuse(path, table, "recording_id", table.recording_id == "", "a recording's name")
    for column in REQUIRED_COLUMNS[1:]:
        table[column] = _numbers(path, table, column)
    wrong_species = (table.species_id % 1 != 0) | ~table.species_id.between(0, n_species - 1)
    _refuse(path, table, "species_id", wrong_species, f"a whole number from 0 to {n_species - 1}")
    table["species_id"] = table.species_id.astype(int)
    _refuse(path, table, "t_min", table.t_min < 0, "seconds from the recording's beginning, 0 or more")
    _refuse(path, table, "t_max", table.t_max <= table.t_min, "a time after the row's t_min")
    _refuse(path, table, "f_max", table.f_max < table.f_min, "a frequency not below the row's f_min")
    return table


def recording_groups(tables: dict[Path, pd.DataFrame], column: str) -> pd.Series:
    """The group of each recording, indexed by recording_id.

    Args:
        tables: annotations by their file.
        column: the one that holds the group.

    Raises:
        InputError: a recording stands in two groups.
    """
    groups: dict[str, str] = {}
    for path, table in tables.items():
        first = [groups.setdefault(*row) for row in zip(table.recording_id, table[column], strict=True)]
        differs = np.flatnonzero(table[column] != first)
        if len(differs):
            expected = f"{first[differs[0]]!r} as in an earlier row of the same recording"
            _refuse(path, table.iloc[differs], column, np.ones(len(differs), bool), expected)
    return pd.Series(groups)


def read_scores(path: Path, columns: list[str] | None = None) -> pd.DataFrame:
    """Read a table of scores or truth by recording: recording_id, s0, s1, ...

    Args:
        path: a CSV file; a sample submission, predictions, or a truth table.
        columns: the species columns that it must have; by default its own must be s0, s1, ... without a gap.

    Returns:
        A float table of the species columns, indexed by recording_id in the file's order.

    Raises:
        InputError: the file is missing or empty, lacks a column, repeats a recording, or has a cell that is no number.
    """
    table = _read(path, ["recording_id", *(columns or ["s0"])], numbers=columns or [])
    found = [column for column in table.columns if column != "recording_id"]
    expected = columns or species_columns(len(found))
    if found != expected:
        raise InputError(f"{path}: found the columns {', '.join(found)}; expected recording_id and {expected[0]} to "
                         f"{expected[-1]} in this order")  # fmt: skip
    _refuse(path, table, "recording_id", table.recording_id == "", "a recording's name")
    _refuse(path, table, "recording_id", table.recording_id.duplicated(), "each recording once")
    for column in expected:
        table[column] = _numbers(path, table, column)
    return table.set_index("recording_id")


def read_truth(path: Path, columns: list[str], recording_ids: list[str]) -> pd.DataFrame:
    """Read a truth table: recording_id and a 0 or 1 for each species.

    Returns:
        The rows of `recording_ids`, in this order.

    Raises:
        InputError: as in `read_scores`, for a cell that is neither 0 nor 1, and where a recording has no row.
    """
    truth = read_scores(path, columns)
    for column in columns:
        _refuse(path, truth.reset_index(), column, ~truth[column].isin([0, 1]).to_numpy(), "0 or 1")
    missing = [name for name in recording_ids if name not in truth.index]
    if missing:
        raise InputError(f"{path}: has no row for {len(missing)} test recordings, for example {missing[0]!r}; add them")
    truth = truth.loc[recording_ids]
    if not truth.to_numpy().any():
        raise InputError(f"{path}: no species calls in any test recording; without one there is nothing to evaluate")
    return truth


def require_recordings(path: Path, names: pd.Series, recordings: Container[str], folder: Path) -> None:
    """Refuse the first row of a table whose recording has no file.

    Args:
        path: the table.
        names: its recording_id of each row.
        recordings: those that have a file.
        folder: where the file should be.

    Raises:
        InputError: with the line, the recording and the folder.
    """
    without = np.array([name not in recordings for name in names], bool)
    _refuse(path, names.to_frame("recording_id"), "recording_id", without, f"a recording that has a file in {folder}")


def write_scores(path: Path, recording_ids: list[str], scores: NDArray[np.floating]) -> None:
    """Write scores of shape [Recordings, Species] as a CSV file: recording_id, s0, s1, ..."""
    table = pd.DataFrame(scores, columns=species_columns(scores.shape[1]))
    table.insert(0, "recording_id", recording_ids)
    # Nine digits are enough to read every float32 back unchanged.
    table.to_csv(path, index=False, float_format="%.9g")


def labelled_boxes(tp: pd.DataFrame, fp: pd.DataFrame, recording_ids: Container[str]) -> pd.DataFrame:
    """The boxes of some recordings.

    Args:
        tp: the TP annotations, as `read_annotations` gives them.
        fp: the FP annotations.
        recording_ids: names of the recordings.

    Returns:
        A row for each box with the columns `BOX_COLUMNS` (s; is_tp is bool), TP boxes first.
    """
    both = pd.concat([tp.assign(is_tp=True), fp.assign(is_tp=False)])
    wanted = [name in recording_ids for name in both.recording_id]
    return both.loc[wanted, BOX_COLUMNS].drop_duplicates(ignore_index=True)


def write_boxes(path: Path, boxes: pd.DataFrame, scores: NDArray[np.floating]) -> None:
    """Write the score of each box: a CSV file of the columns `BOX_COLUMNS` and score; is_tp is 1 for TP, 0 for FP."""
    # Times keep all their digits, so that boxes stay apart.
    table = boxes.assign(is_tp=boxes.is_tp.astype(int), score=[f"{score:.9g}" for score in scores])
    table.to_csv(path, index=False)


def read_boxes(path: Path) -> pd.DataFrame:
    """Read what `write_boxes` wrote.

    Returns:
        A float column score, indexed by `BOX_COLUMNS`.

    Raises:
        InputError: as in `read_scores`.
    """
    columns = [*BOX_COLUMNS, "score"]
    table = _read(path, columns, may_be_empty=True, numbers=columns[1:])[columns]
    for column in columns[1:]:
        table[column] = _numbers(path, table, column)
    wrong_species = (table.species_id % 1 != 0) | ~table.species_id.between(0, MOST)
    _refuse(path, table, "species_id", wrong_species, "a whole number from 0")
    _refuse(path, table, "is_tp", ~table.is_tp.isin([0, 1]), "0 or 1")
    table = table.astype({"species_id": int, "is_tp": bool})
    _refuse(path, table, "recording_id", table.duplicated(BOX_COLUMNS), "each box once")
    return table.set_index(BOX_COLUMNS)


def read_recordings(path: Path) -> pd.DataFrame:
    """Read `data/recordings/<split>.csv`: the usable recordings.

    Returns:
        Text columns file and same_as (the first recording with the same samples, mostly itself), indexed by
        recording_id.

    Raises:
        InputError: as in `read_scores`, and for a name that leads into another folder.
    """
    columns = ["recording_id", "file", "same_as"]
    table = _read(path, columns)[columns]
    for column in columns:
        _refuse(path, table, column, ~table[column].map(_is_file_name), "a name without a folder")
    _refuse(path, table, "recording_id", table.recording_id.duplicated(), "each recording once")
    return table.set_index("recording_id")


def read_skipped(path: Path) -> list[str]:
    """Read `data/audio.csv`: the names of the recordings that cannot be used, as split/recording_id."""
    table = _read(path, ["split", "recording_id", "usable"])
    _refuse(path, table, "usable", ~table.usable.isin(["0", "1"]), "0 or 1")
    bad = table[table.usable == "0"]
    return [f"{split}/{name}" for split, name in zip(bad.split, bad.recording_id, strict=True)]


def read_folds(path: Path) -> pd.Series:
    """Read `data/folds.csv`: the fold of each recording, as an int series indexed by recording_id.

    Where `split.method` lets a recording stand in several folds, it has a row for each; -1 is no fold's validation.
    """
    table = _read(path, ["recording_id", "fold"])
    _refuse(path, table, "recording_id", table.recording_id == "", "a recording's name")
    table["fold"] = _numbers(path, table, "fold")
    _refuse(path, table, "fold", (table.fold % 1 != 0) | ~table.fold.between(-1, MOST), "a fold's number, or -1")
    return table.fold.astype(int).set_axis(table.recording_id)


def read_species(path: Path) -> list[str]:
    """Read the names of the species out of `data/species.csv`: s0, s1, ..."""
    table = _read(path, ["species"])
    _refuse(path, table, "species", table.species != species_columns(len(table)), "s0, s1, ... in this order")
    return list(table.species)


def read_prevalence(path: Path, columns: list[str]) -> NDArray[np.float64]:
    """Read a table that declares how common species are: species (s0, s1, ...) and prevalence.

    Args:
        path: a CSV file; its rows may stand in any order.
        columns: the species columns, which must have a row each.

    Returns:
        The prevalence of each species in their order, shape [Species]; above 0 and below 1.

    Raises:
        InputError: as in `read_scores`, for a species that is missing, unknown or there twice, and for a prevalence
            that is not between 0 and 1.
    """
    table = _read(path, ["species", "prevalence"], named_by="`ensemble.prior` in params.yaml names the table")
    table["prevalence"] = _numbers(path, table, "prevalence")
    _refuse(path, table, "species", ~table.species.isin(columns), f"one of {columns[0]} to {columns[-1]}")
    _refuse(path, table, "species", table.species.duplicated(), "each species once")
    possible = table.prevalence.between(0, 1, inclusive="neither")
    _refuse(path, table, "prevalence", ~possible, "a part of the recordings, above 0 and below 1")
    missing = [name for name in columns if name not in set(table.species)]
    if missing:
        raise InputError(f"{path}: has no row for {len(missing)} species, for example {missing[0]}; add them")
    return table.set_index("species").prevalence[columns].to_numpy()


def read_both_annotations(folder: Path, n_species: int, group: str | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read `train_tp.csv` and `train_fp.csv`, of which the second may have no rows; as `read_annotations`."""
    return (
        read_annotations(folder / "train_tp.csv", n_species, group),
        read_annotations(folder / "train_fp.csv", n_species, group, may_be_empty=True),
    )


def _read(
    path: Path,
    required: list[str],
    may_be_empty: bool = False,
    named_by: str = "`data.root` in params.yaml names the folder of the data set",
    numbers: Collection[str] = (),
) -> pd.DataFrame:
    """The rows of a table as text; the columns `numbers` as floats, if each of their cells holds a finite number."""
    try:
        table = _parse(path, numbers)
    except FileNotFoundError as error:
        raise InputError(f"{path}: is missing; {named_by}") from error
    except pd.errors.EmptyDataError as error:
        raise InputError(f"{path}: is empty; expected a line with {', '.join(required)}, then rows") from error
    except (OSError, ValueError, pd.errors.ParserWarning) as error:
        raise InputError(f"{path}: cannot be read as a CSV table: {str(error).strip()}") from error
    missing = [column for column in required if column not in table.columns]
    if missing:
        raise InputError(
            f"{path}: has no column {', '.join(missing)}; found {', '.join(table.columns)}; "
            "put the column's name in the first line"
        )
    if table.empty and not may_be_empty:
        raise InputError(f"{path}: has no rows below its first line; expected at least one")
    return table


def _parse(path: Path, numbers: Collection[str]) -> pd.DataFrame:
    with warnings.catch_warnings():
        # Without it pandas drops cells that stand beyond the last column.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        read = partial(
            pd.read_csv, path, keep_default_na=False, index_col=False, skip_blank_lines=False, float_precision="high"
        )
        # Straight into numbers takes a fifth of the time, but does not say which cell is none.
        with suppress(ValueError):
            texts = [column for column in read(nrows=0).columns if column not in numbers]
            table = read(dtype=dict.fromkeys(texts, str), low_memory=False)
            found = table.drop(columns=texts)
            # True and False are no numbers.
            are_numbers = found.size and all(each.kind in "iuf" for each in found.dtypes)
            if are_numbers and np.isfinite(found.to_numpy(float)).all():
                return table.fillna("")
        table = read(dtype=str)
    # Blank lines count in the number of a line and for nothing else. Cells that are missing at a line's end are empty.
    table = table.fillna("")
    return table[(table != "").any(axis=1)]


def _numbers(path: Path, table: pd.DataFrame, column: str) -> pd.Series:
    numbers = pd.to_numeric(table[column], errors="coerce").astype(float)
    _refuse(path, table, column, ~np.isfinite(numbers), "a number")
    return numbers


def _is_file_name(name: str) -> bool:
    return name not in ("", "..") and "\0" not in name and Path(name).name == name


def _refuse(
    path: Path, table: pd.DataFrame, column: str, wrong: "pd.Series | NDArray[np.bool_]", expected: str
) -> None:
    """Raise for the first wrong row; its line is its index + 2, as an editor counts, the heading being line 1."""
    rows = np.flatnonzero(wrong)
    if len(rows):
        value = table[column].iloc[rows[0]]
        found = repr(value) if isinstance(value, str) else f"{value:g}"
        more = f" ({len(rows) - 1} more rows alike)" if len(rows) > 1 else ""
        raise InputError(
            f"{path}: line {table.index[rows[0]] + 2}, column {column}: found {found}, "
            f"expected {expected}{more}; correct or remove the row"
        )
