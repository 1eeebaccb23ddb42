"""Compare the time of a training epoch at the last and the first step of the ladder, after a run of `accuracy.py`."""

import os
import sys
import tempfile
from functools import partial
from pathlib import Path

from accuracy import LADDER, ROOT, Step, read_ladder, write_params
from commands import call
from rows import in_turn

from dawnchorus.cli import run
from dawnchorus.errors import InputError

# The time of one epoch is a difference between two trainings, which cancels the start of the process.
EPOCHS = 4


def train(folder: Path, step: Step, preset: str, epochs: int) -> None:
    """Train one model with a step's settings as the workflow does, but for a given number of epochs."""
    write_params(preset, step.settings | {"train.epochs": epochs}, folder / "params.yaml")
    last = step.settings["rounds"][-1]
    call(
        [sys.executable, "workflow/scripts/train.py", "--params", str(folder / "params.yaml"),
         "--annotations", "data/annotations.csv", "--folds", "data/folds.csv", "--species", "data/species.csv",
         "--complete", "data/complete.csv", "--spectrograms", "data/spectrograms/train",
         "--unlabelled", "data/spectrograms/unlabelled", "--pretrained", str(folder / "none"),
         "--pseudo-labels", f"results/predictions/{last['pseudo_labels']}",
         "--pseudo-label-weight", str(last["weight"]), "--round", last["id"],
         "--backbone", "small_cnn", "--fold", "0", "--checkpoint", str(folder / "checkpoint"),
         "--weights", str(folder / "0.weights.h5"), "--curve", str(folder / "curve.csv"),
         "--epoch-weights", str(folder / "epochs"), "--provenance", str(folder / "provenance")],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": "src"},
    )  # fmt: skip


def main() -> None:
    ladder = read_ladder(LADDER)
    first, *_, last = ladder.steps
    predictions = ROOT / "results/predictions" / last.settings["rounds"][-1]["pseudo_labels"]
    if not predictions.is_dir():
        raise InputError(
            f"{predictions}: missing; run `python benchmarks/accuracy.py` first, which writes it and its data"
        )
    with tempfile.TemporaryDirectory(prefix="dawnchorus-epoch-") as name:
        folder = Path(name)
        (folder / "none").mkdir()
        seconds = in_turn(
            {
                f"{step.name} {epochs}": partial(train, folder, step, ladder.preset, epochs)
                for step in (first, last)
                for epochs in (1, EPOCHS)
            },
            times=3,
            warm_up=False,
        )
    epoch = {
        step.name: (seconds[f"{step.name} {EPOCHS}"] - seconds[f"{step.name} 1"]) / (EPOCHS - 1)
        for step in (first, last)
    }
    for step, value in epoch.items():
        print(f"{step}: {value:.1f} s per epoch, {value / epoch[first.name]:.2f} times that of the first step")


if __name__ == "__main__":
    run(main)
