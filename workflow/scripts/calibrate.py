"""Fit the probabilities of window scores to the out-of-fold annotations, and choose a threshold for each species."""

import argparse
from pathlib import Path

import pandas as pd

from dawnchorus.cli import run
from dawnchorus.config.loading import load_params
from dawnchorus.data.annotations import Annotations, labelled_boxes, read_annotations, read_uncertain
from dawnchorus.data.complete import read_complete
from dawnchorus.data.recordings import read_recordings
from dawnchorus.data.species import read_species
from dawnchorus.data.splits import TRAIN
from dawnchorus.evaluation.bootstrap import number_groups
from dawnchorus.features.frames import to_frames, to_seconds
from dawnchorus.files import replacing
from dawnchorus.inference.ensemble import collect_windows, read_weights
from dawnchorus.inference.threshold_tables import write_thresholds
from dawnchorus.inference.thresholds import choose_thresholds, count_labels
from dawnchorus.reporting.provenance import require_same_inputs
from dawnchorus.seeding import generator
from dawnchorus.training.evidence import gather_evidence

# Fewer test recordings do not show how often species call.
FEWEST_TEST = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--annotations", type=Path, required=True)
    parser.add_argument("--complete", type=Path, required=True)
    parser.add_argument("--species", type=Path, required=True)
    parser.add_argument("--splits", type=Path, required=True, help="folder with train.csv")
    parser.add_argument("--predictions", type=Path, required=True, help="folder with <round>/<backbone>/<fold>/")
    parser.add_argument("--lock", type=Path, required=True, help="dvc.lock, which has the hashes of inputs")
    parser.add_argument("--thresholds", type=Path, required=True, help="output: a row for each species")
    arguments = parser.parse_args()
    params = load_params(arguments.params)
    require_same_inputs(params, arguments.lock)

    species = read_species(arguments.species)
    folder = arguments.predictions / params.rounds[-1].id
    weights = read_weights(folder, params.members, params.folds, params.ensemble.weights)
    windows = collect_windows(folder, weights, params.folds, species)
    table = read_annotations(arguments.annotations, species)
    uncertain = Annotations.of_table(read_uncertain(arguments.annotations, species))
    boxes = labelled_boxes(table, set(windows.oof.recording_ids))
    complete = read_complete(arguments.complete, species)
    groups = read_recordings(arguments.splits / f"{TRAIN}.csv").group
    evidence = gather_evidence(
        windows.oof, boxes, Annotations.of_table(table), uncertain, complete,
        pd.Series(number_groups(groups, windows.oof.recording_ids), windows.oof.recording_ids),
        to_seconds(to_frames(params.window.seconds, params.spectrogram), params.spectrogram), params.labels.min_overlap,
    )  # fmt: skip
    labels = count_labels(boxes, complete.of(windows.oof.recording_ids))
    # With few test recordings, thresholds are for recordings such as the annotated ones.
    has_test = len(windows.test.recording_ids) >= FEWEST_TEST
    by_group = [each.scores for each in windows.test_by_fold] if has_test else [windows.oof.scores]
    model, table = choose_thresholds(
        evidence, by_group, windows.test.scores if has_test else windows.oof.scores, species, params.detect.precision,
        labels, generator(params.seed, "thresholds"),
    )  # fmt: skip
    # As for `metrics_of`: these out-of-fold scores are too high.
    reason = ""
    if len(params.rounds) > 1:
        reason = "models of an earlier round were trained on the recordings that this one left out"
    elif params.train.checkpoint != "last":
        reason = "the epoch was chosen by the recordings that were left out"
    table["no_promise"] = table.no_promise.where(table.no_promise != "", reason)
    with replacing(arguments.thresholds) as path:
        write_thresholds(path, model, table)


if __name__ == "__main__":
    run(main)
