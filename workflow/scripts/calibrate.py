"""Fit the probabilities of window scores to the out-of-fold annotations, and choose a threshold for each species.

With several rounds, the out-of-fold scores are those of the first one, because models of a later round learn from
pseudo-labels by models that were trained on the recordings which they leave out. A window of the test recordings gets
the probability that the window of the same rank has by the models of the first round.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from dawnchorus.cli import run
from dawnchorus.config.loading import load_params
from dawnchorus.config.params import Params
from dawnchorus.data.annotations import Annotations, labelled_boxes, read_annotations, read_uncertain
from dawnchorus.data.answers import read_answers
from dawnchorus.data.complete import read_complete
from dawnchorus.data.recordings import read_recordings
from dawnchorus.data.species import read_species
from dawnchorus.data.splits import TEST, TRAIN
from dawnchorus.evaluation.bootstrap import number_groups
from dawnchorus.features.frames import to_frames, to_seconds
from dawnchorus.files import replacing
from dawnchorus.inference.answer_thresholds import answered_windows, apply_answers
from dawnchorus.inference.crossfit import measure_thresholds, reliability_table
from dawnchorus.inference.ensemble import EnsembleWindows, collect_windows, read_weights
from dawnchorus.inference.reliability_tables import COLUMNS, write_reliability
from dawnchorus.inference.threshold_tables import write_thresholds
from dawnchorus.inference.thresholds import FEWEST_TEST, MEASURED, choose_thresholds, count_labels
from dawnchorus.reporting.provenance import require_same_inputs
from dawnchorus.seeding import generator
from dawnchorus.training.evidence import gather_evidence


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--annotations", type=Path, required=True)
    parser.add_argument("--complete", type=Path, required=True)
    parser.add_argument("--answers", type=Path, required=True, help="folder that may have answers.csv")
    parser.add_argument("--species", type=Path, required=True)
    parser.add_argument("--splits", type=Path, required=True, help="folder with train.csv")
    parser.add_argument("--predictions", type=Path, required=True, help="folder with <round>/<backbone>/<fold>/")
    parser.add_argument("--supervised", type=Path, required=True, help="the same of the first of several rounds")
    parser.add_argument("--lock", type=Path, required=True, help="dvc.lock, which has the hashes of inputs")
    parser.add_argument("--thresholds", type=Path, required=True, help="output: a row for each species")
    parser.add_argument("--reliability", type=Path, required=True, help="output: scores and probabilities in bins")
    arguments = parser.parse_args()
    params = load_params(arguments.params)
    require_same_inputs(params, arguments.lock)

    species = read_species(arguments.species)
    shipped = read_windows(arguments.predictions / params.rounds[-1].id, params, species)
    is_single = len(params.rounds) == 1
    supervised = shipped if is_single else read_windows(arguments.supervised / params.rounds[0].id, params, species)
    oof = supervised.oof
    table = read_annotations(arguments.annotations, species)
    uncertain = Annotations.of_table(read_uncertain(arguments.annotations, species))
    boxes = labelled_boxes(table, set(oof.recording_ids))
    complete = read_complete(arguments.complete, species)
    groups = read_recordings(arguments.splits / f"{TRAIN}.csv").group
    units = number_groups(groups, oof.recording_ids)
    evidence = gather_evidence(
        oof, boxes, Annotations.of_table(table), uncertain, complete, pd.Series(units, oof.recording_ids),
        to_seconds(to_frames(params.window.seconds, params.spectrogram), params.spectrogram), params.labels.min_overlap,
    )  # fmt: skip
    # With few test recordings, thresholds are for recordings such as the annotated ones.
    has_test = len(shipped.test.recording_ids) >= FEWEST_TEST
    model, table = choose_thresholds(
        evidence, [each.scores for each in supervised.test_by_fold] if has_test else [oof.scores],
        shipped.test.scores if has_test else shipped.oof.scores, species, params.detect.precision,
        count_labels(boxes, complete.of(oof.recording_ids)), generator(params.seed, "thresholds"),
    )  # fmt: skip
    reason = why_too_high(params)
    if reason:
        reliability = pd.DataFrame(columns=COLUMNS)
        table[MEASURED] = np.nan
    else:
        reliability = reliability_table(evidence, species, generator(params.seed, "reliability"))
        table[MEASURED] = measure_thresholds(
            evidence, oof.scores, units[oof.recordings], params.detect.precision, generator(params.seed, "measured")
        )
    if not (reason or is_single or has_test):
        reason = f"with several rounds, it takes at least {FEWEST_TEST} test recordings"
    table["no_promise"] = table.no_promise.where(table.no_promise != "", reason)
    target, split = (shipped.test, TEST) if has_test else (shipped.oof, TRAIN)
    answered = answered_windows(read_answers(arguments.answers), target, split, species)
    if answered.attrs["missing"]:
        print(
            f"warning: {answered.attrs['missing']} answers are not used: no window is where they are. Was a folder of "
            "recordings renamed, or removed?",
            file=sys.stderr,
        )
    if len(answered):
        model, table = apply_answers(model, table, target.scores, answered, params.detect.precision, params.seed)
        if not has_test:
            # The answers are about scores that are as much too high.
            table["no_promise"] = table.no_promise.where(table.no_promise != "", reason)
    with replacing(arguments.thresholds) as path:
        write_thresholds(path, model, table)
    with replacing(arguments.reliability) as path:
        write_reliability(path, reliability)


def read_windows(folder: Path, params: Params, species: list[str]) -> EnsembleWindows:
    """Read the window scores of a round's models."""
    weights = read_weights(folder, params.members, params.folds, params.ensemble.weights)
    return collect_windows(folder, weights, params.folds, species)


def why_too_high(params: Params) -> str:
    """Why out-of-fold scores of the first round are too high for promises; empty if they are not."""
    if params.split.method == "notebook":
        return "the folds of split.method: notebook share recordings"
    if params.train.checkpoint != "last":
        return "the epoch was chosen by the recordings that were left out"
    return ""


if __name__ == "__main__":
    run(main)
