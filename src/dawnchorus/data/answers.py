"""Answers of reviewers, the table `answers/answers.csv`, and how they become annotations."""

from dataclasses import replace
from pathlib import Path

import pandas as pd

from dawnchorus.data.dataset import Dataset
from dawnchorus.data.tables import read_table, refuse_rows, to_numbers, to_numbers_or_nan

TABLE = "answers.csv"
COLUMNS = ["review", "item", "recording_id", "split", "t_min", "t_max", "species", "answer", "reviewer", "time",
           "model", "score", "purpose", "stratum", "inclusion_probability"]  # fmt: skip
# The annotation that each answer becomes.
LABELS = {"present": "present", "absent": "absent", "unsure": "uncertain"}
# The answers of a sample that measured are annotations once it is spent.
MEASURE, SPENT = "measure", "spent"
PURPOSES = (MEASURE, "improve", "confirm", SPENT)


def read_answers(folder: Path) -> pd.DataFrame:
    """Read the answers in a folder; none if it has no table.

    Returns:
        The columns `COLUMNS`, a row for each answer about a species: `split` is train, test or empty (the recording is
        not in the data set), t_min, t_max (s), score and inclusion_probability are floats (NaN where empty).

    Raises:
        InputError: the table is damaged, or a cell has an invalid value.
    """
    path = folder / TABLE
    if not path.exists():
        return pd.DataFrame({column: pd.Series(dtype=float if column in _NUMBERS else str) for column in COLUMNS})
    table = read_table(path, COLUMNS, may_be_empty=True)[COLUMNS].copy()
    for column in ("review", "recording_id", "species"):
        refuse_rows(path, table, column, table[column] == "", "a name")
    refuse_rows(path, table, "split", ~table.split.isin(["train", "test", ""]), "train, test or nothing")
    refuse_rows(path, table, "answer", ~table.answer.isin(LABELS), " or ".join(LABELS))
    refuse_rows(path, table, "purpose", ~table.purpose.isin(PURPOSES), " or ".join(PURPOSES))
    for column in ("t_min", "t_max"):
        table[column] = to_numbers(path, table, column)
    refuse_rows(path, table, "t_max", (table.t_max <= table.t_min) | (table.t_min < 0), "a time after the row's t_min")
    for column in ("score", "inclusion_probability"):
        table[column] = to_numbers_or_nan(path, table, column)
        is_wrong = ~table[column].between(0, 1) & table[column].notna()
        refuse_rows(path, table, column, is_wrong, "a number from 0 to 1, or nothing")
    is_used = (table.purpose == MEASURE) & (table.answer != "unsure")
    is_wrong = is_used & ~(table.inclusion_probability > 0)
    refuse_rows(path, table, "inclusion_probability", is_wrong, "a number above 0, because the purpose is measure")
    is_repeated = table.duplicated(["review", "item", "species"])
    refuse_rows(path, table, "item", is_repeated, "each item of a review once for each species")
    return table


_NUMBERS = ("t_min", "t_max", "score", "inclusion_probability")


def write_answers(path: Path, answers: pd.DataFrame) -> None:
    """Write a table with the columns `COLUMNS`."""
    answers[COLUMNS].to_csv(path, index=False, float_format="%.10g")


def add_answers(dataset: Dataset, answers: pd.DataFrame) -> Dataset:
    """Add answers about training recordings to the annotations.

    A present species gets a present box as long as the stretch that was listened to, an absent one an absent box, and
    an unsure answer an uncertain box, which masks the species. Answers to a sample that measures stay out until it is
    spent: a model must not learn from what measures it. Answers about test recordings stay out, too.

    Args:
        dataset: a data set with the species of the canonical tables.
        answers: table from `read_answers`.

    Returns:
        The data set, with remarks about what was added and left out. Labels stand where answers contradict them.
    """
    if answers.empty:
        return dataset
    remarks = []
    is_free = answers.purpose != MEASURE
    is_train = answers.split == "train"
    in_files = answers.recording_id.isin(list(dataset.files["train"]))
    is_species = answers.species.isin(dataset.species)
    for left_out, which in [
        (~is_free, "which measure the model"),
        (is_free & (answers.split == "test"), "about test recordings"),
        (is_free & ((answers.split == "") | (is_train & ~in_files)), "about recordings that are not in the data set"),
        (is_free & is_train & in_files & ~is_species, "about species without a label"),
    ]:
        if left_out.any():
            remarks.append(f"{left_out.sum()} answers are no annotations: those {which}")
    used = answers[is_free & is_train & in_files & is_species]
    rows = pd.DataFrame(
        {
            "recording_id": used.recording_id, "species": used.species, "t_min": used.t_min, "t_max": used.t_max,
            "f_min": float("nan"), "f_max": float("nan"), "label": used.answer.map(LABELS), "annotator": used.reviewer,
            "table": TABLE, "line": used.index,
        }
    )  # fmt: skip
    stretch = ["recording_id", "species", "t_min", "t_max"]
    # Where reviews contradict each other, nobody knows.
    is_open = rows.groupby(stretch).label.transform("nunique") > 1
    rows = rows.assign(label=rows.label.where(~is_open, "uncertain")).drop_duplicates(stretch)
    if rows.empty:
        return replace(dataset, remarks=[*dataset.remarks, *remarks])
    counts = ", ".join(f"{(rows.label == label).sum()} {answer}" for answer, label in LABELS.items())
    remarks.append(f"{len(rows)} answers of reviewers are annotations: {counts}")
    labelled = dataset.annotations[dataset.annotations.label == "present"]
    both = rows[rows.label == "absent"].reset_index().merge(labelled, on=["recording_id", "species"])
    contradicted = both[(both.t_min_y >= both.t_min_x) & (both.t_max_y <= both.t_max_x)]
    if len(contradicted):
        first = contradicted.iloc[0]
        remarks.append(
            f"{contradicted['index'].nunique()} answers say absent where a label says present, which stands; first "
            f"{TABLE} line {first.line_x} and {first.table_y}: correct one of them"
        )
    parts = [table for table in (dataset.annotations, rows) if len(table)]
    return replace(dataset, annotations=pd.concat(parts, ignore_index=True), remarks=[*dataset.remarks, *remarks])
