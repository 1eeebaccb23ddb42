"""Compare the time of a training epoch at the last and the first step of the ladder, after a run of `accuracy.py`."""

import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from accuracy import LADDER, ROOT, Step, read_ladder, write_params
from rows import in_turn

from dawnchorus.cli import run
from dawnchorus.errors import InputError

# The time of one epoch is a difference between two trainings, which cancels the start of the process.
EPOCHS = 4


def train(folder: Path, step: Step, preset: Path, epochs: int) -> None:
    """Train one model with a step's settings as the workflow does, but for a given number of epochs."""
    write_params(preset, step.settings | {"train.epochs": epochs}, folder / "params.yaml")
    subprocess.run(
        [sys.executable, "workflow/scripts/train.py", "--params", str(folder / "params.yaml"),
         "--data", "data/demo/dataset", "--folds", "data/folds.csv", "--species", "data/species.csv",
         "--spectrograms", "data/spectrograms/train", "--pretrained", str(folder / "none"),
         "--targets", f"results/targets/{step.settings['teacher']}",
         "--backbone", "small_cnn", "--fold", "0", "--checkpoint", str(folder / "unfinished"),
         "--weights", str(folder / "0.weights.h5"), "--curve", str(folder / "curve.csv"),
         "--epoch-weights", str(folder / "checkpoints"), "--provenance", str(folder / "provenance")],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": "src"}, check=True,
    )  # fmt: skip


def main() -> None:
    ladder = read_ladder(LADDER)
    first, *_, last = ladder.steps
    targets = ROOT / "results/targets" / last.settings["teacher"]
    if not targets.is_dir():
        raise InputError(f"{targets}: missing; run `python benchmarks/accuracy.py` first, which writes it and its data")
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
