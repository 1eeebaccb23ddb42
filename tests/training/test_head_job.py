"""A head's job: which windows it learns from, and which labels it cannot use."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tiny import changed

from dawnchorus.config.params import Params
from dawnchorus.features.embeddings import write_embeddings
from dawnchorus.training.head_job import HeadJob, TrainedHead, train_head

# Windows of 2 s every 2 s, at 48,000 / 2,048 frames/s.
STARTS = np.array([0, 47, 94])
CHANNELS = 6


def trained(folder: Path, params: Params, late: float) -> TrainedHead:
    """Train on eight recordings with a call of one of two species, whose channel is large in the window of the call.

    Args:
        folder: gets the inputs.
        params: of the experiment.
        late: start of the calls, s; they are 1 s long.
    """
    rng = np.random.default_rng(0)
    names = [f"r{number}" for number in range(8)]
    for number, name in enumerate(names):
        vectors = rng.random((3, CHANNELS))
        vectors[int(late // 2), number % 2] += 3
        write_embeddings(folder / f"train/{name}.npz", STARTS, vectors)
    return train(folder, params, names, late, late + 1)


def train(folder: Path, params: Params, names: list[str], t_min: float, t_max: float) -> TrainedHead:
    """Train on embedded recordings in which, in turns, one of two species is present and the other absent in a box."""
    boxes = pd.DataFrame({
        "recording_id": names, "species": ["a", "b"] * 4, "t_min": t_min, "t_max": t_max, "f_min": "", "f_max": "",
        "label": "present",
    })  # fmt: skip
    absent = boxes.assign(species=["b", "a"] * 4, label="absent")
    pd.concat([boxes, absent]).to_csv(folder / "annotations.csv", index=False)
    pd.DataFrame({"recording_id": [*names, "other"], "fold": [1] * 8 + [0]}).to_csv(folder / "folds.csv", index=False)
    pd.DataFrame({"species": ["a", "b"], "scientific_name": "", "common_name": ""}).to_csv(
        folder / "species.csv", index=False
    )
    pd.DataFrame(columns=["recording_id", "species"]).to_csv(folder / "complete.csv", index=False)
    pd.DataFrame({
        "recording_id": names, "file": names, "split": "train", "group": "", "start": "", "seconds": 6.0,
        "sample_rate": 48000, "channels": 1, "usable": 1, "problem": "", "peak": 1, "rms": 1, "digest": names,
    }).to_csv(folder / "train.csv", index=False)  # fmt: skip
    (folder / "none").mkdir()
    job = HeadJob(
        "first", "tiny", 0, folder / "annotations.csv", folder / "folds.csv", folder / "species.csv",
        folder / "complete.csv", folder / "train.csv", folder / "train", folder / "unlabelled", folder / "none", 0.0,
    )  # fmt: skip
    return train_head(job, params)


@pytest.fixture
def sparse(tiny: Params) -> Params:
    return changed(tiny, {"predict": {"hop_seconds": 2.0}})


def test_it_learns_which_vectors_have_a_call(sparse: Params, tmp_path: Path) -> None:
    found = trained(tmp_path, sparse, late=2.5)
    assert (found.n_present, found.n_missed) == (8, 0)
    quiet, of_a, of_b = np.full((3, CHANNELS), 0.5, np.float32)
    of_a[0] += 3
    of_b[1] += 3
    scores = found.head.scores(np.stack([quiet, of_a, of_b]))
    assert scores[1, 0] > max(scores[0, 0], scores[2, 0])
    assert scores[2, 1] > max(scores[0, 1], scores[1, 1])


def test_it_counts_calls_of_which_no_window_has_enough(sparse: Params, tmp_path: Path) -> None:
    # Half of each call is in one window, and half in the next, where nine tenths are needed.
    strict = changed(sparse, {"labels": {"min_overlap": 0.9}})
    found = trained(tmp_path, strict, late=1.5)
    assert (found.n_present, found.n_missed) == (8, 8)


def test_a_label_of_a_whole_window_tells_nothing_about_windows_that_share_a_part_of_it(
    sparse: Params, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    names = [f"r{number}" for number in range(8)]
    starts = np.array([0, 23, 47, 70, 94])
    for number, name in enumerate(names):
        vectors = rng.random((5, CHANNELS))
        vectors[2, number % 2] += 3
        # Just before and after the window, the species calls that is absent in it.
        vectors[[1, 3], 1 - number % 2] += 3
        write_embeddings(tmp_path / f"train/{name}.npz", starts, vectors)
    second = 2048 / 48000
    found = train(tmp_path, sparse, names, 47 * second, 94 * second)
    assert (found.n_present, found.n_missed) == (8, 0)
    of_a, of_b = np.full((2, CHANNELS), 0.5, np.float32)
    of_a[0] += 3
    of_b[1] += 3
    scores = found.head.scores(np.stack([of_a, of_b]))
    assert scores[0, 0] > scores[1, 0]
    assert scores[1, 1] > scores[0, 1]
