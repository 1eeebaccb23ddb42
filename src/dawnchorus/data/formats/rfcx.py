"""The layout of the RFCx competition: one folder per split, a table of present boxes and one of absent boxes.

    train/, test/          recordings, also in nested folders; test/ is optional
    train_tp.csv           boxes in which an expert heard the species
    train_fp.csv           boxes in which an expert did not hear the species; optional
    sample_submission.csv  the recordings and species that a submission must have; optional
    truth_test.csv         0 or 1 for each test recording and species; optional

A table of boxes gives the species as a number in the column `species_id` (3 means s3), or as a code in the column
`species`.
"""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from dawnchorus.config.section import MOST
from dawnchorus.data.annotations import COLUMNS
from dawnchorus.data.dataset import SPLITS, Dataset
from dawnchorus.data.formats.held_labels import held_labels, lost_annotators
from dawnchorus.data.groups import merged_spellings, spelling_remarks
from dawnchorus.data.recording_names import match_recordings
from dawnchorus.data.recordings import list_recordings
from dawnchorus.data.repeats import without_repeats
from dawnchorus.data.score_tables import read_score_rows
from dawnchorus.data.tables import read_table, refuse_rows, to_numbers
from dawnchorus.errors import InputError

# The competition's columns. This adapter does not use songtype_id.
ANNOTATION_COLUMNS = ["recording_id", "species_id", "songtype_id", "t_min", "f_min", "t_max", "f_max"]
BOX = ["t_min", "f_min", "t_max", "f_max"]
TABLES = {"train_tp.csv": "present", "train_fp.csv": "absent"}


def species_columns(n_species: int) -> list[str]:
    """The competition's species codes: s0, s1, ..."""
    return [f"s{number}" for number in range(n_species)]


def read(root: Path, group: str | None = None) -> Dataset:
    """Read a folder in this layout.

    Args:
        root: the folder.
        group: an extra column of the tables of boxes; recordings with the same value stay in one fold.

    Raises:
        InputError: a table or folder is missing, or a table has an invalid row or a recording without a file.
    """
    files, remarks = {}, []
    for split in SPLITS:
        files[split], said = list_recordings(root / split, may_be_empty=split == "test")
        remarks += said
    template_path, truth_path = root / "sample_submission.csv", root / "truth_test.csv"
    template, species = {}, None
    if template_path.exists():
        rows = read_score_rows(template_path)
        species = [column for column in rows.columns if column != "recording_id"]
        meant, said = _test_recordings(template_path, rows.recording_id, files, root)
        template = dict(zip(meant, rows.recording_id, strict=True))
        remarks += said
    tables = {
        root / name: read_boxes(root / name, label, species, group, may_be_empty=label == "absent")
        for name, label in TABLES.items()
        if label == "present" or (root / name).exists()
    }
    for path, table in tables.items():
        table["recording_id"], said = match_recordings(path, table.recording_id, files, "train", root)
        remarks += said
    groups = pd.Series(dtype=str)
    if group is not None:
        groups, said = recording_groups(tables, group)
        remarks += said
    annotations = pd.concat(
        [table[COLUMNS].assign(annotator="", table=path.name, line=table.index) for path, table in tables.items()],
        ignore_index=True,
    )
    annotations, said = without_repeats(annotations)
    remarks += said
    species = species or _sorted_codes(annotations.species)
    truth = pd.DataFrame(columns=species, index=pd.Index([], name="recording_id"))
    if truth_path.exists():
        rows = read_score_rows(truth_path, species)
        rows["recording_id"], said = _test_recordings(truth_path, rows.recording_id, files, root)
        truth = _checked_truth(truth_path, rows, list(template) or None)
        remarks += said
    return Dataset(root, files, annotations, species, groups, truth, template, remarks)


def _test_recordings(
    path: Path, names: pd.Series, files: dict[str, dict[str, Path]], root: Path
) -> tuple[pd.Series, list[str]]:
    """The test recordings that the rows of a table mean, each once, and remarks about their names."""
    meant, remarks = match_recordings(path, names, files, "test", root)
    refuse_rows(path, meant.to_frame("recording_id"), "recording_id", meant.duplicated(), "each recording once")
    return meant, remarks


def read_boxes(
    path: Path, label: str, species: Sequence[str] | None, group: str | None = None, *, may_be_empty: bool = False
) -> pd.DataFrame:
    """Read a table of present boxes or of absent boxes.

    Args:
        path: a CSV file with recording_id, t_min, t_max (s), f_min, f_max (Hz), and species_id or species.
        label: "present" or "absent".
        species: the allowed species codes; None allows any.
        group: an extra column that the table must have.
        may_be_empty: whether to accept a table without rows.

    Returns:
        The columns `annotations.COLUMNS`, and `group` as text, indexed by the number of each row's line.

    Raises:
        InputError: the file is missing or empty, lacks a column, or has an invalid row.
    """
    required = ["recording_id", *BOX] + ([] if group is None else [group])
    found = read_table(path, required, may_be_empty, numbers=["species_id", *BOX])
    refuse_rows(path, found, "recording_id", found.recording_id == "", "a recording id")
    table = pd.DataFrame({"recording_id": found.recording_id, "species": _codes(path, found, species)})
    for column in BOX:
        table[column] = to_numbers(path, found, column)
    table["label"] = label
    if group is not None:
        table[group] = found[group]
        expected = "a group, for split.group in params.yaml is this column"
        refuse_rows(path, table, group, table[group].str.strip() == "", expected)
    refuse_rows(path, table, "t_min", table.t_min < 0, "seconds from the start of the recording, 0 or more")
    refuse_rows(path, table, "f_min", table.f_min < 0, "a frequency in Hz, 0 or more")
    refuse_rows(path, table, "t_max", table.t_max <= table.t_min, "a time after the row's t_min")
    refuse_rows(path, table, "f_max", table.f_max < table.f_min, "a frequency not below the row's f_min")
    return table


def _codes(path: Path, table: pd.DataFrame, species: Sequence[str] | None) -> pd.Series:
    """The species code of each row, from the column `species` if there is one, else from `species_id`."""
    if "species" in table.columns:
        refuse_rows(path, table, "species", table.species == "", "a species code")
        trimmed = table.species.str.strip().str.replace(r"[\r\n]", "", regex=True)
        refuse_rows(path, table, "species", table.species != trimmed, "a code without spaces around it or line breaks")
        if species is not None:
            refuse_rows(path, table, "species", ~table.species.isin(species), f"one of {', '.join(species)}")
        return table.species
    if "species_id" not in table.columns:
        raise InputError(
            f"{path}: has no column species_id or species; found {', '.join(table.columns)}; "
            "add the column name to the first line"
        )
    numbers = to_numbers(path, table, "species_id")
    last = MOST if species is None else len(species) - 1
    expected = "a whole number from 0" + ("" if species is None else f" to {last}")
    refuse_rows(path, table, "species_id", (numbers % 1 != 0) | ~numbers.between(0, last), expected)
    codes = numbers.astype(int).map("s{}".format)
    if species is not None and list(species) != species_columns(len(species)):
        raise InputError(
            f"{path}: gives species as numbers, which stand for the codes s0, s1, ..., but the columns of "
            f"sample_submission.csv are {', '.join(species)}; give the codes in a column species"
        )
    return codes


def _sorted_codes(codes: pd.Series) -> list[str]:
    """The unique codes in natural order: s2 before s10."""
    return sorted(set(codes), key=lambda code: (len(code), code) if code[1:].isdigit() else (0, code))


def recording_groups(tables: dict[Path, pd.DataFrame], column: str) -> tuple[pd.Series, list[str]]:
    """Find the group of each recording.

    Args:
        tables: tables of boxes by their path.
        column: the column with the group.

    Returns:
        The groups, indexed by recording_id, and remarks about those that are spelled in several ways.

    Raises:
        InputError: a recording has two groups.
    """
    spelling = merged_spellings(name for table in tables.values() for name in table[column].unique())
    groups: dict[str, str] = {}
    for path, table in tables.items():
        own = table[column].map(spelling)
        first = [groups.setdefault(*row) for row in zip(table.recording_id, own, strict=True)]
        differs = np.flatnonzero(own != first)
        if len(differs):
            expected = f"{first[differs[0]]!r} as in an earlier row of the same recording"
            refuse_rows(path, table.iloc[differs], column, np.ones(len(differs), bool), expected)
    return pd.Series(groups), spelling_remarks(column, spelling)


def read_truth(path: Path, columns: list[str], recording_ids: list[str] | None = None) -> pd.DataFrame:
    """Read a table of ground truth: recording_id, and 0 or 1 for each species.

    Args:
        path: of the table.
        columns: the species columns that it must have.
        recording_ids: recordings that must have a row; None for any.

    Returns:
        The rows of `recording_ids`, in this order; or all.

    Raises:
        InputError: as in `read_scores`; also if a cell is neither 0 nor 1, or a recording has no row.
    """
    return _checked_truth(path, read_score_rows(path, columns), recording_ids)


def _checked_truth(path: Path, rows: pd.DataFrame, recording_ids: list[str] | None) -> pd.DataFrame:
    """Convert rows from `read_score_rows` to the result of `read_truth`."""
    for column in rows.columns.drop("recording_id"):
        refuse_rows(path, rows, column, ~rows[column].isin([0, 1]), "0 or 1")
    truth = rows.set_index("recording_id")
    if recording_ids is None:
        return truth
    missing = [name for name in recording_ids if name not in truth.index]
    if missing:
        raise InputError(f"{path}: has no row for {len(missing)} test recordings, for example {missing[0]!r}; add them")
    return truth.loc[recording_ids]


def write_labels(folder: Path, annotations: pd.DataFrame, recordings: pd.DataFrame) -> list[str]:
    """Write `train_tp.csv` with the present boxes and `train_fp.csv` with the absent ones.

    They are about recordings in the folder `train`; without one, about all, which must be moved into one.

    Args:
        folder: an empty folder.
        annotations: labels, as in `writing.write_labels`.
        recordings: their recordings, as in `writing.write_labels`.

    Returns:
        Remarks about what the tables cannot hold.
    """
    program = "the competition"
    rows, remarks = held_labels(annotations, list(TABLES.values()), program)
    remarks += lost_annotators(rows, program)
    names = recordings.file.map(lambda file: PurePosixPath(file).with_suffix("").as_posix())
    if names.str.startswith("train/").any():
        names = names[names.str.startswith("train/")].str.removeprefix("train/")
    else:
        remarks.append("the recordings must be in a folder train beside the tables; move them there")
    has_none = rows.f_min.isna() | rows.f_max.isna()
    half_rate = rows.recording_id.map(recordings.sample_rate) / 2
    is_outside = ~rows.recording_id.isin(names.index)
    is_unknown = ~is_outside & has_none & ~(half_rate > 0)
    for wrong, which in (
        (is_outside, "of recordings outside the folder train"),
        (is_unknown, "without frequencies, of recordings that cannot be read"),
    ):
        if wrong.any():
            remarks.append(f"left out: {wrong.sum()} labels {which}, which {program} has no boxes for")
    is_written = ~is_outside & ~is_unknown
    if (is_written & has_none).any():
        remarks.append(
            f"{(is_written & has_none).sum()} labels get 0 Hz or half the sample rate for a frequency that they do not "
            f"have, because {program} has only boxes"
        )
    rows = rows.assign(
        recording_id=rows.recording_id.map(names), f_min=rows.f_min.fillna(0.0), f_max=rows.f_max.fillna(half_rate)
    )[is_written]
    if rows.empty:
        return remarks
    for name, label in TABLES.items():
        if label == "present" or (rows.label == label).any():
            of_table = rows[rows.label == label]
            of_table[["recording_id", "species", *BOX]].to_csv(folder / name, index=False, lineterminator="\n")
    return remarks
