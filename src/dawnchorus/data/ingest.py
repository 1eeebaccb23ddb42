"""Checks of a data set's recordings, before anything is computed from them."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd

from dawnchorus.audio.decoding import Channel
from dawnchorus.audio.file_checks import Inspection, inspect, look_at_header
from dawnchorus.data.dataset import SPLITS, Dataset
from dawnchorus.data.frequencies import refuse_frequencies
from dawnchorus.data.quality import add_duplicates, add_labels_past_the_end, cut_at_the_end
from dawnchorus.errors import InputError
from dawnchorus.progress import track

MOST_SHOWN = 20


def check_recordings(
    dataset: Dataset,
    sample_rate: int,
    window_seconds: float,
    channel: Channel,
    workers: int,
    decode_all: bool = False,
) -> dict[str, dict[str, Inspection]]:
    """Decode every annotated recording and every test recording; read only the header of all others.

    Args:
        dataset: data set from an adapter.
        sample_rate: expected sample rate of the recordings, Hz.
        window_seconds: length of a window, s.
        channel: number of the channel that is used, from 1, or "mean".
        workers: number of processes.
        decode_all: whether to decode every recording.

    Returns:
        The inspection of each file, by split and recording_id.
    """
    annotated = dataset.annotated
    decode = partial(inspect, sample_rate=sample_rate, window_seconds=window_seconds, channel=channel)
    names = [(split, name) for split in SPLITS for name in dataset.files[split]]
    is_used = [decode_all or split == "test" or name in annotated for split, name in names]
    paths = [dataset.files[split][name] for split, name in names]
    with ProcessPoolExecutor(workers) as pool:
        work = pool.map(partial(_look, decode), paths, is_used, chunksize=4)
        looked = list(track(work, len(paths), "recordings checked"))
    # Decoded files come first, so that an undecoded copy of one is found by its file hash.
    add_duplicates(sorted(looked, key=lambda one: not one.is_decoded))
    inspections: dict[str, dict[str, Inspection]] = {split: {} for split in SPLITS}
    for (split, name), one in zip(names, looked, strict=True):
        inspections[split][name] = one
    return inspections


def check_labels(dataset: Dataset, inspections: dict[str, dict[str, Inspection]], cut: bool) -> Dataset:
    """Check the times and frequencies of labels beside the recordings.

    Args:
        dataset: data set from an adapter.
        inspections: of its recordings, by split and recording_id. A recording with labels past its end gets a fault.
        cut: whether to cut labels at the end of their recordings.

    Returns:
        The data set, with labels cut, and a remark about it.

    Raises:
        InputError: annotations have frequencies that their recordings cannot have.
    """
    if cut:
        annotations, said = cut_at_the_end(inspections["train"], dataset.annotations)
        test_annotations, more = cut_at_the_end(inspections["test"], dataset.test_annotations)
        dataset = replace(
            dataset, annotations=annotations, test_annotations=test_annotations,
            remarks=[*dataset.remarks, *said, *more],
        )  # fmt: skip
    add_labels_past_the_end(inspections["train"], dataset.annotations)
    add_labels_past_the_end(inspections["test"], dataset.test_annotations)
    # A damaged recording may have any rate, and its boxes are not used.
    rates = pd.Series({name: 0 if one.faults else one.rate for name, one in inspections["train"].items()}, dtype=float)
    refuse_frequencies(dataset.annotations, rates, dataset.path_of)
    return dataset


def _look(decode: Callable[[Path], Inspection], path: Path, is_used: bool) -> Inspection:
    return decode(path) if is_used else look_at_header(path)


def refuse_bad_recordings(inspections: dict[str, dict[str, Inspection]], dataset: Dataset, bad_audio: str) -> None:
    """Refuse a data set with unusable annotated or test recordings if `bad_audio` is "stop".

    Args:
        inspections: inspections by split and recording_id.
        dataset: the data set as its adapter read it.
        bad_audio: the parameter `data.bad_audio`.

    Raises:
        InputError: some recordings are unusable; the message lists them with their faults.
    """
    annotated = dataset.annotated
    bad = [
        one
        for split, by_id in inspections.items()
        for name, one in by_id.items()
        if one.faults and (split == "test" or name in annotated)
    ]
    if bad and bad_audio == "stop":
        shown = [f"{one.path}: {'; '.join(one.faults)}" for one in bad[:MOST_SHOWN]]
        more = [f"... and {len(bad) - MOST_SHOWN} more"] if len(bad) > MOST_SHOWN else []
        remedy = "repair or remove them, or set data.bad_audio in params.yaml to skip"
        raise InputError("\n".join([f"{len(bad)} recordings cannot be used; {remedy}", *shown, *more]))


def require_usable(recordings: pd.DataFrame, dataset: Dataset) -> None:
    """Refuse a data set without a usable annotated recording, or with test recordings of which none is usable.

    Args:
        recordings: table from `quality.as_table`.
        dataset: data set from an adapter.

    Raises:
        InputError: a split has no usable recording, and the message names its folder; or nothing says where the only
            species is absent.
    """
    annotated = dataset.annotated
    if not (dataset.annotations.label == "present").any():
        raise InputError(f"{dataset.root}: no label says that a species is present; expected at least one")
    has_absent = (dataset.annotations.label == "absent").any() or (dataset.complete.split == "train").any()
    if len(dataset.species) == 1 and not has_absent:
        raise InputError(
            f"{dataset.root}: all labels say that {dataset.species[0]} is present, and a model cannot learn from these "
            "alone what is without it; declare recordings that are annotated completely (labels.complete in "
            "params.yaml), add labels that say absent, or labels of another species"
        )
    for split in SPLITS:
        of_split = recordings[recordings.split == split]
        wanted = of_split[of_split.index.isin(annotated)] if split == "train" else of_split
        if not wanted.usable.any() and (split == "train" or len(wanted)):
            raise InputError(f"{dataset.root / split}: none of the recordings that are needed is usable")


def usable_ground_truth(recordings: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    """The ground truth of the usable test recordings.

    Args:
        recordings: table from `quality.as_table`.
        dataset: data set from an adapter.

    Raises:
        InputError: the data set has ground truth, but no species is present in a usable test recording.
    """
    usable = recordings.index[(recordings.split == "test") & recordings.usable]
    truth = dataset.ground_truth[dataset.ground_truth.index.isin(usable)]
    if len(dataset.ground_truth) and not (truth > 0).to_numpy().any():
        if (dataset.complete.split == "test").any():
            raise InputError(
                f"{dataset.root}: test recordings are annotated completely (labels.complete in params.yaml), but no "
                "label says that a species is present in any usable one; add their labels, or let labels.complete name "
                "a table without them"
            )
        raise InputError(
            f"{dataset.root}: truth_test.csv: no species is present in any usable test recording; without one there is "
            "nothing to evaluate"
        )
    return truth
