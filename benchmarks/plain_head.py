"""Plain logistic regression on embeddings: what a user would try first, and what the heads have to be better than."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score
from sklearn.model_selection import GroupKFold
from sklearn.preprocessing import StandardScaler

from dawnchorus.config.params import Params
from dawnchorus.data.annotations import read_annotations
from dawnchorus.data.species import read_species
from dawnchorus.features.embeddings import read_embeddings
from dawnchorus.features.frames import to_seconds
from dawnchorus.training.linear import fit_logistic

# Strengths of the regularization to choose from, 1 / C of scikit-learn's `LogisticRegression`.
L2 = (100.0, 1000.0, 10000.0)
PARTS = 3


def plain_scores(root: Path, params: Params, embedding: str, recordings: list[str]) -> NDArray[np.float64]:
    """Train on the windows of TP boxes, with each other species absent, and score recordings.

    Args:
        root: the project, whose embeddings are up to date.
        params: its parameters.
        embedding: name of the embedding.
        recordings: the test recordings to score, each by its highest window.

    Returns:
        Scores, shape [Recordings, Species].
    """
    species = read_species(root / "data/species.csv")
    table = read_annotations(root / "data/annotations.csv", species)
    folder = root / "data/embeddings" / embedding
    x, y, groups = _labelled_windows(table[table.is_tp], folder / "train", params, len(species))
    odds = {l2: np.zeros(y.shape) for l2 in L2}
    for others, left_out in GroupKFold(PARTS).split(x, y, groups):
        for l2, found in odds.items():
            found[left_out] = _fit(x[others], y[others], l2, x[left_out])
    best = max(L2, key=lambda l2: average_precision_score(y, odds[l2], average="macro"))
    tests = [read_embeddings(folder / "test" / f"{name}.npz")[1] for name in recordings]
    found = _fit(x, y, best, np.concatenate(tests))
    edges = np.cumsum([0, *map(len, tests)])[:-1]
    return np.maximum.reduceat(found, edges, axis=0)


def _fit(x: NDArray[np.float32], y: NDArray[np.bool_], l2: float, other: NDArray[np.float32]) -> NDArray[np.float64]:
    """The log odds of other windows, shape [Windows, Species], by a regression for each species."""
    scaler = StandardScaler().fit(x)
    target = y.astype(np.float32)
    weights, bias = fit_logistic(scaler.transform(x), target, np.ones_like(target), l2)
    return scaler.transform(other) @ weights + bias


def _labelled_windows(
    boxes: pd.DataFrame, folder: Path, params: Params, n_species: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.str_]]:
    """The windows with half of a box: their vectors, which species have one there, and their recordings."""
    x, y, groups = [], [], []
    for name, own in boxes.groupby("recording_id"):
        starts, vectors = read_embeddings(folder / f"{name}.npz")
        begins = starts * to_seconds(1, params.spectrogram)
        present = np.zeros((len(starts), n_species), bool)
        for box in own.itertuples():
            inside = np.minimum(box.t_max, begins + params.window.seconds) - np.maximum(box.t_min, begins)
            present[inside >= 0.5 * min(box.t_max - box.t_min, params.window.seconds), box.species_id] = True
        used = present.any(axis=1)
        x.append(vectors[used])
        y.append(present[used])
        groups += [str(name)] * int(used.sum())
    return np.concatenate(x), np.concatenate(y), np.array(groups)
