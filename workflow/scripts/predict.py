"""Score recordings that a model was not trained on.

A model of the last round scores the windows of the test recordings, and of the annotated recordings in the fold that it
was not trained on. Clip scores and box scores follow from these. The model becomes a LiteRT file, too, for
`dawnchorus detect`. A model of an earlier round scores all windows of the training recordings in that fold, annotated
and unlabelled; later rounds use these scores as pseudo-labels. Where there is a student, so does one of the last round.
A model of the first of several rounds scores the windows that those of the last one do, too: no other round learns from
annotations alone, so probabilities are fitted to these scores.
"""

import argparse
from pathlib import Path

from dawnchorus.cli import run
from dawnchorus.config.loading import load_params
from dawnchorus.data.annotations import labelled_boxes, read_annotations
from dawnchorus.data.fold_table import read_folds
from dawnchorus.data.sounds import read_sounds
from dawnchorus.data.species import read_species
from dawnchorus.data.splits import TEST, TRAIN, UNLABELLED
from dawnchorus.export.networks import write_lite_network
from dawnchorus.features.frames import to_frames, to_seconds
from dawnchorus.features.store import FeatureStore
from dawnchorus.files import replacing
from dawnchorus.inference.predictions import LITE_NETWORK, write_predictions
from dawnchorus.inference.scoring import score_windows
from dawnchorus.inference.window_scores import window_hop, write_window_scores
from dawnchorus.inference.window_tables import Windows
from dawnchorus.inference.windows import tile
from dawnchorus.models.building import build_models
from dawnchorus.models.shapes import Shapes
from dawnchorus.models.weights import load_weights
from dawnchorus.reporting.provenance import files_below, note_job
from dawnchorus.workflow.devices import use_device


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--annotations", type=Path, required=True)
    parser.add_argument("--folds", type=Path, required=True)
    parser.add_argument("--species", type=Path, required=True)
    parser.add_argument("--test", type=Path, required=True, help="table of the usable test recordings")
    parser.add_argument("--spectrograms", type=Path, required=True, help="with train/, test/ and unlabelled/<fold>/")
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--round", required=True, help="id of the model's round")
    parser.add_argument("--first-round", required=True, help="id of the round without pseudo-labels")
    parser.add_argument("--last-round", required=True, help="id of the round that is evaluated")
    parser.add_argument("--backbone", required=True)
    parser.add_argument("--fold", type=int, required=True, help="the fold that the model was not trained on")
    parser.add_argument("--output", type=Path, required=True, help="output folder")
    parser.add_argument(
        "--supervised", type=Path, required=True,
        help="output folder for the first of several rounds: what --output has for the last one",
    )  # fmt: skip
    parser.add_argument("--provenance", type=Path, required=True, help="folder of the jobs' provenance notes")
    arguments = parser.parse_args()
    params = load_params(arguments.params)
    device = use_device(params.train.threads)

    species = read_species(arguments.species)
    folds = read_folds(arguments.folds)
    left_out = list(folds.index[folds == arguments.fold])
    shapes = Shapes.of(params)
    scorer, _ = build_models(
        arguments.backbone, shapes, len(species), 0.0, 0, params.image.frequency_channel, params.head.pooling,
        params.head.frame_weight > 0,
    )  # fmt: skip
    load_weights(scorer, arguments.weights)
    batch_size = params.predict.batch_size
    is_last = arguments.round == arguments.last_round
    with replacing(arguments.output) as folder, replacing(arguments.supervised) as supervised:
        folder.mkdir()
        supervised.mkdir()
        if is_last or arguments.round == arguments.first_round:
            tables = folder if is_last else supervised
            hop = min(shapes.window[0], to_frames(params.predict.hop_seconds, params.spectrogram))
            frame_seconds = to_seconds(1, params.spectrogram)

            def score(split: str, recordings: list[str]) -> Windows:
                store = arguments.spectrograms / split
                found = score_windows(scorer, store, recordings, hop, batch_size, f"{split} windows scored")
                spectrograms = FeatureStore(store)
                starts = [tile(spectrograms.frames(name), shapes.window[0], hop) * frame_seconds for name in recordings]
                return Windows.of(recordings, starts, found, len(species))

            test = read_sounds(arguments.test)
            boxes = labelled_boxes(read_annotations(arguments.annotations, species), set(left_out))
            write_predictions(
                tables, score(TEST, list(test.index)), score(TRAIN, left_out), boxes,
                shapes.window[0] * frame_seconds, params.labels.min_overlap, species,
            )  # fmt: skip
        if is_last:
            write_lite_network(scorer, f"{arguments.backbone}-{arguments.fold}", folder / LITE_NETWORK)
        if not is_last or params.student:
            unlabelled = arguments.spectrograms / UNLABELLED / str(arguments.fold)
            hop = window_hop(shapes.window[0])
            for spectrograms, recordings in (
                (arguments.spectrograms / TRAIN, left_out),
                (unlabelled, FeatureStore(unlabelled).names()),
            ):
                found = score_windows(scorer, spectrograms, recordings, hop, batch_size, "windows scored")
                write_window_scores(folder, dict(zip(recordings, found, strict=True)))
    note_job(
        arguments.provenance, f"predict@{arguments.round}-{arguments.backbone}-{arguments.fold}", device,
        params.train.threads, inputs=[arguments.weights], outputs=files_below(arguments.output),
    )  # fmt: skip


if __name__ == "__main__":
    run(main)
