"""Tables of labels with one row per label and fixed columns: Arbimon's and Hoplite's exports, and tables of your own.

    arbimon  the CSV of a pattern matching (Export): recording and site, species, x1, x2 (s), y1, y2 (Hz), validated
    hoplite  recording, start_offset_s, end_offset_s, label, label_type (positive, negative, uncertain)
    csv      recording, species, t_min, t_max (s), and if there are any f_min, f_max (Hz), label (present, absent,
             uncertain), annotator and complete (yes, no); `data.columns` gives the names that they have in your table

Sources: https://github.com/rfcx/arbimon-legacy (app/routes/data-api/project/pattern_matchings.js) and
https://github.com/google-research/perch-hoplite (perch_hoplite/agile/README.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

import pandas as pd

from dawnchorus.data.formats.held_labels import held_labels, lost_annotators, lost_frequencies
from dawnchorus.data.formats.label_files import LabelFile
from dawnchorus.data.table_layout import find_layout, read_text
from dawnchorus.data.tables import read_table, refuse_rows, to_numbers, to_numbers_or_nan
from dawnchorus.errors import InputError

SUFFIXES = (".csv", ".tsv", ".txt")
PRESENT, ABSENT, UNCERTAIN = "present", "absent", "uncertain"
# What a cell of the column complete means, in lower case.
YES_OR_NO = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}

CSV_OPTIONAL = ("f_min", "f_max", "label", "annotator", "complete")


@dataclass(frozen=True)
class Form:
    """How a table of labels is written.

    Attributes:
        columns: the name of the column for each of recording, species, t_min, t_max, and, if the form has one, f_min,
            f_max, label, annotator (who gave the label), complete (whether the recording is annotated completely) and
            confidence (how sure the program is that gave it).
        folder: a column with the folder of the recording, if there is one.
        optional: those of `columns` that a table may lack.
        labels: what a cell of the column label means, in lower case: present, absent, uncertain, or None for a row that
            nobody has judged. Without such a column, all rows are present.
    """

    columns: Mapping[str, str]
    labels: Mapping[str, str | None] = field(default_factory=dict)
    optional: tuple[str, ...] = ()
    folder: str | None = None

    def renamed(self, names: Mapping[str, str]) -> "Form":
        """The same with other names of columns; what a user names must exist."""
        optional = tuple(name for name in self.optional if name not in names)
        return replace(self, columns={**self.columns, **names}, optional=optional)

    @property
    def required(self) -> list[str]:
        """The names of the columns that a table must have."""
        needed = [name for key, name in self.columns.items() if key not in self.optional]
        return needed + ([] if self.folder is None else [self.folder])


FORMATS = {
    "arbimon": Form(
        {"recording": "recording", "species": "species", "t_min": "x1", "t_max": "x2", "f_min": "y1", "f_max": "y2",
         "label": "validated"},
        {"present": PRESENT, "not present": ABSENT, "(not validated)": None, "": None},
        folder="site",
    ),
    "hoplite": Form(
        {"recording": "recording", "species": "label", "t_min": "start_offset_s", "t_max": "end_offset_s",
         "label": "label_type", "annotator": "annotator"},
        {"positive": PRESENT, "negative": ABSENT, "uncertain": UNCERTAIN},
        ("annotator",),
    ),
    "csv": Form(
        {name: name for name in ("recording", "species", "t_min", "t_max", *CSV_OPTIONAL)},
        {PRESENT: PRESENT, ABSENT: ABSENT, UNCERTAIN: UNCERTAIN},
        CSV_OPTIONAL,
    ),
}  # fmt: skip


def why_not(path: Path, form: Form) -> str | None:
    """Why a file is no table of labels in a form; None if it is one."""
    try:
        find_layout(path, read_text(path), form.required)
    except InputError as error:
        return str(error)
    return None


def read_labels(path: Path, form: Form) -> LabelFile:
    """Read a table of labels.

    Args:
        path: the table.
        form: how it is written.

    Raises:
        InputError: the table is damaged, or a row has an invalid time, frequency or label.
    """
    names = form.columns
    numbers = [names[key] for key in ("t_min", "t_max", "f_min", "f_max", "confidence") if key in names]
    found = read_table(path, form.required, may_be_empty=True, numbers=numbers)
    rows = pd.DataFrame({"species": found[names["species"]].str.strip()})
    for key in ("t_min", "t_max", "f_min", "f_max"):
        rows[key] = to_numbers_or_nan(path, found, names.get(key))
    complete = _completeness(path, found, names)
    # A row may say no more than that somebody has listened to the whole recording.
    is_label = ~(found.index.isin(complete.index) & (rows.species == "") & rows.t_min.isna() & rows.t_max.isna())
    for key, expected, wrong in (
        ("t_min", "seconds from the start of the recording, 0 or more", ~(rows.t_min >= 0)),
        ("t_max", f"a time after the row's {names['t_min']}", ~(rows.t_max > rows.t_min)),
        ("f_min", "a frequency in Hz, 0 or more", rows.f_min < 0),
        ("f_max", f"a frequency not below the row's {names.get('f_min')}", rows.f_max < rows.f_min),
    ):
        if names.get(key) in found.columns:
            refuse_rows(path, found, names[key], wrong & is_label, expected)
    recordings = found.get(names["recording"])
    if recordings is not None:
        refuse_rows(path, found, names["recording"], recordings.str.strip() == "", "a recording")
    if recordings is not None and form.folder is not None:
        # A recording may be in no folder.
        paths = found[form.folder].str.strip() + "/" + recordings.str.strip()
        recordings = paths.str.removeprefix("/").rename(recordings.name)
    rows["annotator"] = found[names["annotator"]].str.strip() if names.get("annotator") in found.columns else ""
    confidence = None if "confidence" not in names else to_numbers(path, found, names["confidence"])
    is_judged = pd.Series(True, rows.index)
    rows["label"] = PRESENT
    if names.get("label") in found.columns:
        cells = found[names["label"]].str.strip().str.casefold()
        expected = ", ".join(label for label in form.labels if label)
        is_wrong = is_label & ~cells.isin(list(form.labels))
        refuse_rows(path, found, names["label"], is_wrong, f"one of {expected}")
        rows["label"] = cells.map(form.labels)
        is_judged = rows.label.notna() | ~is_label
    dropped = {"rows that nobody has judged": int((~is_judged).sum())}
    is_used = is_judged & is_label
    return LabelFile(
        path,
        rows[is_used],
        None if recordings is None else recordings[is_used],
        len(rows),
        dropped,
        confidence=None if confidence is None else confidence[is_used],
        complete=complete,
    )


def _completeness(path: Path, table: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """The rows that say whether their recording is annotated completely, as in `LabelFile.complete`."""
    column = names.get("complete")
    if column is None or column not in table.columns:
        return pd.DataFrame({"recording": [], "is_complete": []})
    cells = table[column].str.strip().str.casefold()
    is_said = cells != ""
    refuse_rows(path, table, column, is_said & ~cells.isin(list(YES_OR_NO)), "yes or no")
    return pd.DataFrame({"recording": table[names["recording"]], "is_complete": cells.map(YES_OR_NO)})[is_said]


def write_labels(
    folder: Path, annotations: pd.DataFrame, recordings: pd.DataFrame, form: Form, program: str
) -> list[str]:
    """Write a table of labels, `labels.csv`.

    Args:
        folder: an empty folder.
        annotations: labels, as in `writing.write_labels`.
        recordings: their recordings, as in `writing.write_labels`.
        form: how the table is written.
        program: whose form it is, for remarks.

    Returns:
        Remarks about what the form cannot hold.
    """
    words = {label: word for word, label in form.labels.items() if label and word}
    rows, remarks = held_labels(annotations, words, program)
    if "annotator" not in form.columns:
        remarks += lost_annotators(rows, program)
    if "f_min" not in form.columns:
        remarks += lost_frequencies(rows, program)
    if rows.empty:
        return remarks
    files = rows.recording_id.map(recordings.file)
    rows = rows.assign(recording=files, label=rows.label.map(words))
    # People's labels have no confidence, and which recordings are complete is not known of each.
    kept = [column for column in form.columns if column in rows.columns]
    table = rows[kept].rename(columns=dict(form.columns))
    if form.folder is not None:
        paths = files.map(PurePosixPath)
        table[form.columns["recording"]] = paths.map(lambda path: path.name)
        table.insert(1, form.folder, paths.map(lambda path: "" if path.parent.name == "" else str(path.parent)))
    table.to_csv(folder / "labels.csv", index=False, lineterminator="\n")
    return remarks
