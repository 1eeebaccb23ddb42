"""Score the test recordings by the student, and choose its thresholds by those of the ensemble."""

import argparse
import json
from itertools import pairwise
from pathlib import Path

import pandas as pd

from dawnchorus.cli import run
from dawnchorus.config.loading import load_params
from dawnchorus.config.names import STUDENT
from dawnchorus.data.copies import copies_of_training
from dawnchorus.data.ground_truth import GroundTruth, read_ground_truth
from dawnchorus.data.recordings import read_recordings
from dawnchorus.data.score_tables import DIGITS, round_scores
from dawnchorus.data.species import read_species
from dawnchorus.data.splits import TEST, TRAIN
from dawnchorus.features.frames import to_frames
from dawnchorus.files import replacing
from dawnchorus.inference.ensemble import collect_windows, read_weights
from dawnchorus.inference.scoring import score_windows
from dawnchorus.inference.student import thresholds_by_rank, without_thresholds
from dawnchorus.inference.threshold_tables import read_thresholds, write_thresholds
from dawnchorus.inference.thresholds import FEWEST_TEST
from dawnchorus.inference.window_tables import Windows
from dawnchorus.models.building import build_models
from dawnchorus.models.shapes import Shapes
from dawnchorus.models.weights import load_weights
from dawnchorus.reporting.metrics import figures
from dawnchorus.reporting.provenance import note_job
from dawnchorus.workflow.devices import use_device


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--species", type=Path, required=True)
    parser.add_argument("--splits", type=Path, required=True, help="folder with train.csv and test.csv")
    parser.add_argument("--ground-truth", type=Path, required=True)
    parser.add_argument("--spectrograms", type=Path, required=True, help="spectrograms of test recordings")
    parser.add_argument("--predictions", type=Path, required=True, help="those of the last round")
    parser.add_argument("--ensemble-thresholds", type=Path, required=True)
    parser.add_argument("--weights", type=Path, required=True, help="of the student")
    parser.add_argument("--backbone", required=True, help="of the student")
    parser.add_argument("--thresholds", type=Path, required=True, help="output: a row for each species")
    parser.add_argument("--figures", type=Path, required=True, help="output: figures of ensemble and student, JSON")
    parser.add_argument("--provenance", type=Path, required=True, help="folder of the jobs' provenance notes")
    arguments = parser.parse_args()
    params = load_params(arguments.params)
    device = use_device(params.train.threads)

    species = read_species(arguments.species)
    shapes = Shapes.of(params)
    scorer, _ = build_models(
        arguments.backbone, shapes, len(species), 0.0, 0, params.image.frequency_channel, params.head.pooling,
        params.head.frame_weight > 0,
    )  # fmt: skip
    load_weights(scorer, arguments.weights)
    weights = read_weights(arguments.predictions, params.members, params.folds, params.ensemble.weights)
    ensemble = collect_windows(arguments.predictions, weights, params.folds, species).test
    hop = min(shapes.window[0], to_frames(params.predict.hop_seconds, params.spectrogram))
    scores = score_windows(
        scorer, arguments.spectrograms, ensemble.recording_ids, hop, params.predict.batch_size, "test windows scored"
    )
    edges = ensemble.edges
    starts = [ensemble.starts[first:last] for first, last in pairwise(edges)]
    student = Windows.of(ensemble.recording_ids, starts, scores, len(species))
    model, table = read_thresholds(arguments.ensemble_thresholds, species)
    if len(ensemble.recording_ids) >= FEWEST_TEST:
        model, table = thresholds_by_rank(model, table, ensemble.scores, student.scores)
    else:
        table = without_thresholds(table)

    tables = read_ground_truth(arguments.ground_truth, species)
    splits = [read_recordings(arguments.splits / f"{split}.csv") for split in (TRAIN, TEST)]
    truth = GroundTruth.of_truth(tables[~tables.index.isin(copies_of_training(*splits))])
    found = {}
    # LWLRAP needs at least one call.
    if truth.truth.any():
        clips = {
            name: round_scores(pd.DataFrame(each.clip_scores(), each.recording_ids, species), DIGITS)
            for name, each in {"ensemble": ensemble, STUDENT: student}.items()
        }
        all_figures = figures(truth, clips, params.ensemble.bootstrap_samples, params.seed)
        found = {name: all_figures[name] for name in clips}
    with replacing(arguments.thresholds) as path:
        write_thresholds(path, model, table)
    with replacing(arguments.figures) as path:
        path.write_text(json.dumps(found, indent=2) + "\n")
    note_job(
        arguments.provenance, f"calibrate_student@{arguments.backbone}", device, params.train.threads,
        inputs=[arguments.weights], outputs=[arguments.thresholds],
    )  # fmt: skip


if __name__ == "__main__":
    run(main)
