"""Which recordings a user declares to be annotated completely, and what follows for test recordings."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from dawnchorus.config.labels import ALL
from dawnchorus.data.complete import Completeness
from dawnchorus.data.dataset import Dataset, find_table
from dawnchorus.data.recording_names import match_recordings, match_recordings_of_any_split
from dawnchorus.data.tables import read_table, refuse_rows

MOST_SHOWN = 10


def declare_complete(dataset: Dataset, choice: str, splits: Sequence[str]) -> Dataset:
    """Add the recordings that the parameter `labels.complete` names to those that are annotated completely.

    Args:
        dataset: a data set, with species as its labels name them.
        choice: "all", or the path of a table with the columns recording_id and, if needed, species, relative to
            data.root or data.labels. An empty species stands for all.
        splits: those whose recordings may be complete: "train", or "train" and "test".

    Raises:
        InputError: the table is missing or damaged, or a row names an unknown recording or species.
    """
    if choice == ALL:
        rows = [(split, name, "") for split in splits for name in dataset.files[split]]
        return _with_complete(dataset, pd.DataFrame(rows, columns=["split", "recording_id", "species"]), [])
    folders = [dataset.root] if dataset.labels is None else [dataset.root, dataset.labels]
    path = find_table(choice, folders, "labels.complete")
    found = read_table(path, ["recording_id"], named_by="labels.complete in params.yaml names it")
    refuse_rows(path, found, "recording_id", found.recording_id.str.strip() == "", "a recording")
    species = found.species.str.strip() if "species" in found.columns else pd.Series("", found.index)
    more = ", ..." if len(dataset.species) > MOST_SHOWN else ""
    refuse_rows(
        path, found, "species", ~species.isin(["", *dataset.species]),
        f"a species that has a label ({', '.join(dataset.species[:MOST_SHOWN])}{more}), or none for all species",
    )  # fmt: skip
    if "test" in splits:
        meant, remarks = match_recordings_of_any_split(path, found.recording_id, dataset.files, dataset.root)
    else:
        names, remarks = match_recordings(path, found.recording_id, dataset.files, "train", dataset.root)
        meant = pd.DataFrame({"split": "train", "recording_id": names})
    return _with_complete(dataset, meant.assign(species=species), remarks)


def _with_complete(dataset: Dataset, complete: pd.DataFrame, remarks: list[str]) -> Dataset:
    every = pd.concat([dataset.complete, complete], ignore_index=True).drop_duplicates(ignore_index=True)
    return replace(dataset, complete=every, remarks=[*dataset.remarks, *remarks])


def use_test_labels(dataset: Dataset) -> Dataset:
    """Make ground truth from the labels of test recordings that are annotated completely.

    A species is present in a recording where a label says so. It is absent where the recording is complete for the
    species without such a label, and unknown where it is not complete or a label is uncertain.

    Args:
        dataset: a data set, with the species of the canonical tables.

    Returns:
        The data set with this ground truth. Its remarks count the labels that were left out.
    """
    tested, complete = dataset.test_annotations, dataset.complete[dataset.complete.split == "test"]
    is_used = tested.recording_id.isin(complete.recording_id)
    remarks = list(dataset.remarks)
    if not is_used.all():
        remarks.append(
            f"left out: {(~is_used).sum()} labels of test recordings; they become ground truth where labels.complete "
            "in params.yaml says that a recording is annotated completely"
        )
    if complete.empty:
        return replace(dataset, remarks=remarks)
    is_known = tested.species.isin(dataset.species)
    if (is_used & ~is_known).any():
        names = ", ".join(sorted(set(tested.species[is_used & ~is_known]))[:MOST_SHOWN])
        remarks.append(
            f"left out: {(is_used & ~is_known).sum()} labels of test recordings, of species without a label in "
            f"training recordings: {names}"
        )
    found = Completeness.of_table(complete, dataset.species)
    truth = np.where(found.species, 0.0, np.nan)
    for label, value in (("uncertain", np.nan), ("present", 1.0)):
        rows = tested[is_used & is_known & (tested.label == label)]
        truth[found.recordings.get_indexer(rows.recording_id), pd.Index(dataset.species).get_indexer(rows.species)] = (
            value
        )
    table = pd.DataFrame(truth, found.recordings.rename("recording_id"), dataset.species)
    return replace(dataset, ground_truth=table, remarks=remarks)


def describe_completeness(dataset: Dataset) -> list[str]:
    """Remarks about how much is annotated completely, and what scores mean if nothing is and no label is absent."""
    complete = dataset.complete
    if complete.empty:
        if (dataset.annotations.label == "absent").any() or len(dataset.ground_truth):
            return []
        return [
            "no recording is annotated completely (labels.complete in params.yaml), and no label says that a species "
            "is absent: scores can rank recordings by a species, but they are no probabilities, and their precision "
            "is unknown"
        ]
    remarks = []
    for split, of_split in complete.groupby("split", sort=False):
        n_recordings = of_split.recording_id.nunique()
        n_partly = n_recordings - of_split.recording_id[of_split.species == ""].nunique()
        labelled = dataset.annotations if split == "train" else dataset.test_annotations
        n_silent = len(set(of_split.recording_id) - set(labelled.recording_id))
        partly = f", {n_partly} of them for some species only" if n_partly else ""
        kind = "training" if split == "train" else "test"
        remarks.append(
            f"{n_recordings} {kind} recordings are annotated completely{partly}; {n_silent} of them have no label"
        )
    return remarks
