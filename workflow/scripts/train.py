"""Train one backbone in one round, on all folds but one."""

import argparse
from pathlib import Path

from dawnchorus.cli import run
from dawnchorus.workflow.training_task import add_training_options, run_training


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_training_options(parser)
    parser.add_argument("--pseudo-label-weight", type=float, required=True, help="loss weight of pseudo-labels")
    parser.add_argument("--round", required=True, help="id of the round")
    parser.add_argument("--fold", type=int, required=True, help="the fold that is left out")
    parser.add_argument("--epoch-weights", type=Path, required=True, help="output folder: weights by epoch, or empty")
    arguments = parser.parse_args()
    name = f"train@{arguments.round}-{arguments.backbone}-{arguments.fold}"
    run_training(
        arguments, name, arguments.round, arguments.fold, arguments.pseudo_label_weight, arguments.epoch_weights
    )


if __name__ == "__main__":
    run(main)
