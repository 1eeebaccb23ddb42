"""Score the test recordings, and the training recordings and their boxes of the fold that a model has not seen."""

import argparse
from pathlib import Path

from dawnchorus.cli import run
from dawnchorus.config.loading import load_params
from dawnchorus.data.annotations import labelled_boxes
from dawnchorus.data.folds import read_folds
from dawnchorus.data.formats.rfcx import read_both_annotations
from dawnchorus.data.recordings import read_recordings
from dawnchorus.data.score_tables import write_scores
from dawnchorus.data.species import read_species
from dawnchorus.features.frames import to_frames
from dawnchorus.files import replacing
from dawnchorus.inference.box_tables import write_boxes
from dawnchorus.inference.scoring import score_boxes, score_recordings
from dawnchorus.models.building import build_models
from dawnchorus.models.shapes import Shapes
from dawnchorus.models.weights import load_weights
from dawnchorus.reporting.provenance import note_job
from dawnchorus.workflow.devices import use_device


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data set")
    parser.add_argument("--recordings", type=Path, required=True, help="the usable test recordings")
    parser.add_argument("--folds", type=Path, required=True)
    parser.add_argument("--species", type=Path, required=True)
    parser.add_argument("--spectrograms", type=Path, required=True, help="folder with train/ and test/")
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--backbone", required=True)
    parser.add_argument("--fold", type=int, required=True, help="the fold that the model has not seen")
    parser.add_argument("--output", type=Path, required=True, help="output folder: test.csv, oof.csv and boxes.csv")
    parser.add_argument("--provenance", type=Path, required=True, help="folder of notes on what computed a result")
    arguments = parser.parse_args()
    params = load_params(arguments.params)
    device = use_device(params.train.threads)

    n_species = len(read_species(arguments.species))
    tp, fp = read_both_annotations(arguments.data, n_species)
    folds = read_folds(arguments.folds)
    left_out = list(folds.index[folds == arguments.fold])
    shapes = Shapes.of(params)
    hop = min(shapes.window[0], to_frames(params.predict.hop_seconds, params.spectrogram))
    scorer, _ = build_models(
        arguments.backbone, shapes, n_species, 0.0, 0, params.image.frequency_channel, params.head.pooling,
        params.head.frame_weight > 0,
    )  # fmt: skip
    load_weights(scorer, arguments.weights)
    with replacing(arguments.output) as folder:
        folder.mkdir()
        for name, split, recordings in (
            ("test", "test", list(read_recordings(arguments.recordings).index)),
            ("oof", "train", left_out),
        ):
            scores = score_recordings(
                scorer,
                arguments.spectrograms / split,
                recordings,
                hop,
                params.predict.batch_size,
                f"{split} recordings scored",
            )
            write_scores(folder / f"{name}.csv", recordings, scores)
        boxes = labelled_boxes(tp, fp, set(left_out))
        box_scores = score_boxes(
            scorer, arguments.spectrograms / "train", boxes, params.spectrogram, params.predict.batch_size
        )
        write_boxes(folder / "boxes.csv", boxes, box_scores)
    note_job(
        arguments.provenance, f"predict@{arguments.backbone}-{arguments.fold}", device, params.train.threads,
        inputs=[arguments.weights], outputs=sorted(arguments.output.glob("*.csv")),
    )  # fmt: skip


if __name__ == "__main__":
    run(main)
