"""Train one backbone on all folds but one."""

import argparse
import shutil
from contextlib import ExitStack
from pathlib import Path

from dawnchorus.cli import run
from dawnchorus.config.loading import load_params
from dawnchorus.files import replacing
from dawnchorus.reporting.provenance import note_job
from dawnchorus.training.job import add_options, train_model
from dawnchorus.workflow.devices import use_device


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser)
    parser.add_argument("--weights", type=Path, required=True, help="output: *.weights.h5")
    parser.add_argument("--curve", type=Path, required=True, help="output: loss and metrics of each epoch")
    parser.add_argument("--epoch-weights", type=Path, required=True, help="output folder: every epoch's, or empty")
    arguments = parser.parse_args()
    params = load_params(arguments.params)
    device = use_device(params.train.threads, params.train.mixed_precision, params.train.xla)

    trained = train_model(arguments, params, device)
    with ExitStack() as outputs:
        checkpoints = outputs.enter_context(replacing(arguments.epoch_weights))
        checkpoints.mkdir()
        if params.train.every_epoch:
            shutil.copytree(trained.checkpoint.kept, checkpoints, dirs_exist_ok=True)
        trained.curve.to_csv(outputs.enter_context(replacing(arguments.curve)), index=False, float_format="%.6g")
        trained.scorer.save_weights(outputs.enter_context(replacing(arguments.weights)))
    note_job(
        arguments.provenance, f"train@{arguments.backbone}-{arguments.fold}", device, params.train.threads, inputs=[],
        outputs=[arguments.weights],
    )  # fmt: skip
    trained.checkpoint.remove()


if __name__ == "__main__":
    run(main)
