"""Train a model of an earlier round, and score the training recordings of the fold that it has not seen."""

import argparse
from pathlib import Path

from dawnchorus.cli import run
from dawnchorus.config.loading import load_params
from dawnchorus.files import replacing
from dawnchorus.inference.scoring import score_windows
from dawnchorus.reporting.provenance import note_job
from dawnchorus.training.job import add_options, train_model
from dawnchorus.training.pseudo_labels import pseudo_label_hop, write_window_scores
from dawnchorus.workflow.devices import use_device


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser)
    parser.add_argument("--round", required=True, help="its id")
    parser.add_argument("--output", type=Path, required=True, help="output folder: <recording_id>.npy")
    arguments = parser.parse_args()
    params = load_params(arguments.params)
    device = use_device(params.train.threads, params.train.mixed_precision, params.train.xla)

    trained = train_model(arguments, params, device, arguments.round)
    hop = pseudo_label_hop(trained.scorer.input_shape[1])
    scores = score_windows(
        trained.scorer, arguments.spectrograms, trained.left_out, hop, params.train.batch_size, "windows scored"
    )
    with replacing(arguments.output) as folder:
        folder.mkdir()
        write_window_scores(folder, dict(zip(trained.left_out, scores, strict=True)))
    note_job(
        arguments.provenance, f"teach@{arguments.round}-{arguments.backbone}-{arguments.fold}", device,
        params.train.threads, inputs=[], outputs=sorted(arguments.output.glob("*.npy")),
    )  # fmt: skip
    trained.checkpoint.remove()


if __name__ == "__main__":
    run(main)
