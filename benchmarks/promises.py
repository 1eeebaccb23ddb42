"""Compare the demo's detections with its true calls: is the precision of each species what its threshold promises?

A detection is right if a call of its species overlaps it. A call is found if more than half of it lies in a detection.
The program fails if fewer than nine of ten species with a promise and detections keep their lower bound.
"""

import sys
from pathlib import Path

import pandas as pd

LEAST = 0.9


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
    table["detections"] = detections.species.value_counts().reindex(table.index, fill_value=0)
    table["true_precision"] = (right.reindex(table.index, fill_value=0) / table.detections).round(3)
    table["recall"] = (found.reindex(table.index, fill_value=0) / calls.species.value_counts()).round(3)
    print(table.round({"precision": 3, "precision_low": 3}).to_string())
    promised = table[(table.no_promise == "") & (table.detections > 0)]
    kept = (promised.true_precision >= promised.precision_low).sum()
    print(f"{kept} of {len(promised)} species with a promise and detections have at least the precision that it names")
    if kept < LEAST * len(promised):
        sys.exit(f"error: expected at least {LEAST:.0%}")


if __name__ == "__main__":
    main()
