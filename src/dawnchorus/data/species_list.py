"""The user's list of species: which to keep, under which code and names, and which labels are one species."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from dawnchorus.data.dataset import Dataset, find_table
from dawnchorus.data.repeats import without_repeats
from dawnchorus.data.species import COLUMNS, NOT_RESERVED, RESERVED
from dawnchorus.data.tables import read_table, refuse_rows
from dawnchorus.errors import InputError

# The name of a species in the label files, where it differs from the code.
LABEL = "label"
MOST_SHOWN = 10


def read_species_list(choice: str | list[str], folders: Sequence[Path]) -> pd.DataFrame:
    """Read the parameter `data.species`.

    Args:
        choice: codes, or the path of a table with the columns species, and if needed label, scientific_name and
            common_name, relative to one of `folders`.
        folders: data.root and data.labels.

    Returns:
        A row for each name in the label files, with the columns label and `species.COLUMNS`, text. Several rows may
        have one species.

    Raises:
        InputError: the table is missing, in both folders or damaged, names a label twice, gives one species different
            names, or a code is reserved.
    """
    if isinstance(choice, list):
        reserved = [code for code in choice if RESERVED.fullmatch(code)]
        if reserved:
            raise InputError(f"species: found {reserved[0]!r}, expected {NOT_RESERVED}; rename the species")
        return pd.DataFrame({LABEL: choice, "species": choice, "scientific_name": "", "common_name": ""})
    path = find_table(choice, folders, "data.species")
    table = read_table(path, ["species"], named_by="data.species in params.yaml names it").copy()
    for column in (LABEL, *COLUMNS):
        table[column] = table[column].astype(str).str.strip() if column in table.columns else ""
    refuse_rows(path, table, "species", table.species == "", "a species code")
    refuse_rows(path, table, "species", table.species.str.fullmatch(RESERVED), NOT_RESERVED, "rename the species")
    table[LABEL] = table[LABEL].where(table[LABEL] != "", table.species)
    refuse_rows(path, table, LABEL, table[LABEL].duplicated(), "each label once")
    for column in COLUMNS[1:]:
        filled = table[column].where(table[column] != "")
        first = filled.groupby(table.species).transform("first").fillna("")
        refuse_rows(path, table, column, filled.notna() & (filled != first), "the same name in all rows of a species")
        table[column] = first
    return table[[LABEL, *COLUMNS]]


def choose_species(dataset: Dataset, listed: pd.DataFrame) -> Dataset:
    """Keep the labels of listed species, under their codes, in the order of the list.

    Args:
        dataset: a data set.
        listed: table from `read_species_list`.

    Returns:
        The data set with these species alone. Its remarks count the labels that were left out. A recording is complete
        for a species if it is so for all of the species' names that labels have.

    Raises:
        InputError: a listed species has no label, or a template or ground truth gives the species.
    """
    if dataset.template or len(dataset.ground_truth):
        raise InputError(
            f"{dataset.root}: data.species in params.yaml must be null where a sample_submission.csv or truth_test.csv "
            "gives the species"
        )
    annotations = dataset.annotations
    codes = dict(zip(listed[LABEL], listed.species, strict=True))
    code = annotations.species.map(codes)
    # Labels that are merged may be repeated.
    kept, said = without_repeats(annotations.assign(species=code)[code.notna()].reset_index(drop=True))
    species = list(dict.fromkeys(listed.species))
    without = [name for name in species if name not in set(kept.species)]
    if without:
        more = ", ..." if len(dataset.species) > MOST_SHOWN else ""
        raise InputError(
            f"data.species in params.yaml: no label is of {', '.join(without[:MOST_SHOWN])}; found "
            f"{', '.join(dataset.species[:MOST_SHOWN])}{more}; correct the list, or give the labels' own name in its "
            "column label"
        )
    left_out = annotations.species[code.isna()].value_counts()
    remarks = [*dataset.remarks, *said]
    if len(left_out):
        shown = ", ".join(f"{name} ({count})" for name, count in left_out.iloc[:MOST_SHOWN].items())
        more = f" and {len(left_out) - MOST_SHOWN} more" if len(left_out) > MOST_SHOWN else ""
        remarks.append(f"left out: {left_out.sum()} labels of species that data.species does not list: {shown}{more}")
    tested = dataset.test_annotations
    tested = tested.assign(species=tested.species.map(codes))
    return replace(
        dataset, annotations=kept, species=species, remarks=remarks,
        test_annotations=tested[tested.species.notna()].reset_index(drop=True),
        complete=_under_codes(dataset.complete, {name: codes[name] for name in dataset.species if name in codes}),
    )  # fmt: skip


def _under_codes(complete: pd.DataFrame, codes: dict[str, str]) -> pd.DataFrame:
    """The table `Dataset.complete` with the code of each name of a species; `codes` has those that labels have."""
    is_named = complete.species.isin(list(codes))
    named = complete[is_named].drop_duplicates()
    named = named.assign(species=named.species.map(codes))
    names = pd.Series(codes).value_counts()
    key = ["split", "recording_id", "species"]
    whole = named.groupby(key).species.transform("size") == named.species.map(names)
    return pd.concat([complete[complete.species == ""], named[whole].drop_duplicates()], ignore_index=True)
