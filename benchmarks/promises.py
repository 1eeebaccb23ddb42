"""Compare the demo's detections with its true calls: is the precision of each species what its threshold promises?

A detection is right if a call of its species overlaps it. A call is found if more than half of it lies in a detection.
The reliability of windows compares scores and probabilities, in ten bins of equal size, with the share of windows that
contain at least half of a call of the species. The expected calibration error is the mean difference.

The program fails if fewer than nine of ten species with a promise and detections keep their lower bound.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dawnchorus.config.loading import load_params
from dawnchorus.data.species import read_species
from dawnchorus.evaluation.reliability import expected_calibration_error, reliability
from dawnchorus.inference.ensemble import collect_windows, read_weights
from dawnchorus.inference.threshold_tables import read_thresholds

LEAST = 0.9
BINS = 10


def main() -> None:
    detections = pd.read_csv("results/detections.csv")
    calls = pd.read_csv(Path("data/demo/dataset/calls.csv"))
    calls = calls[calls.split == "test"].assign(species="s" + calls.species_id.astype(str))
    pairs = detections.merge(calls, left_on=["recording", "species"], right_on=["recording_id", "species"])
    shared = pairs[["end_s", "t_max"]].min(axis=1) - pairs[["start_s", "t_min"]].max(axis=1)
    right = pairs[shared > 0].drop_duplicates(["recording", "species", "start_s"]).species.value_counts()
    is_found = shared > 0.5 * (pairs.t_max - pairs.t_min)
    found = pairs[is_found].drop_duplicates(["recording", "species", "t_min", "t_max"]).species.value_counts()
    table = pd.read_csv("results/thresholds.csv", keep_default_na=False).set_index("species")
    table = table[["threshold", "precision", "precision_low", "no_promise"]]
    # Others call, too, but no model is to find them.
    calls = calls[calls.species.isin(table.index)]
    table["detections"] = detections.species.value_counts().reindex(table.index, fill_value=0)
    table["true_precision"] = (right.reindex(table.index, fill_value=0) / table.detections).round(3)
    table["recall"] = (found.reindex(table.index, fill_value=0) / calls.species.value_counts()).round(3)
    print(table.round({"precision": 3, "precision_low": 3}).to_string())
    promised = table[(table.no_promise == "") & (table.detections > 0)]
    kept = (promised.true_precision >= promised.precision_low).sum()
    print(f"{kept} of {len(promised)} species with a promise and detections have at least the precision that it names")
    for name, said, truth in window_values(calls):
        bins = reliability(said.ravel(), truth.ravel(), BINS)
        print(f"{name} of windows: expected calibration error {expected_calibration_error(bins):.4f}")
        print(bins.round(3).to_string(index=False))
    if kept < LEAST * len(promised):
        sys.exit(f"error: expected at least {LEAST:.0%}")


def window_values(calls: pd.DataFrame) -> list[tuple[str, NDArray[np.floating], NDArray[np.bool_]]]:
    """The test windows' scores and probabilities, each with its name and the truth, of all species."""
    params, species = load_params("params.yaml"), read_species(Path("data/species.csv"))
    folder = Path("results/predictions") / params.rounds[-1].id
    weights = read_weights(folder, params.members, params.folds, params.ensemble.weights)
    windows = collect_windows(folder, weights, params.folds, species).test
    truth = np.zeros(windows.scores.shape, bool)
    for name, first, last in zip(windows.recording_ids, windows.edges[:-1], windows.edges[1:], strict=True):
        starts = windows.starts[first:last]
        for call in calls[calls.recording_id == name].itertuples():
            inside = np.minimum(starts + params.window.seconds, call.t_max) - np.maximum(starts, call.t_min)
            is_in = inside >= min(call.t_max - call.t_min, params.window.seconds) / 2
            truth[first:last, species.index(call.species)] |= is_in
    probabilities = read_thresholds(Path("results/thresholds.csv"), species)[0].probabilities(windows.scores)
    return [("scores", windows.scores, truth), ("probabilities", probabilities, truth)]


if __name__ == "__main__":
    main()
