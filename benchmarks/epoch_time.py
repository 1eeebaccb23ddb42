"""How long an epoch of training takes at the last step of the ladder, beside the first, where `accuracy.py` has run."""

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

# A training of so many epochs less one of a single epoch: the start of the process drops out.
EPOCHS = 4


def train(folder: Path, step: Step, preset: str, epochs: int) -> None:
    """Train one model with a step's settings as the workflow does, but for some epochs alone."""
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
        raise InputError(f"{targets}: missing; `python benchmarks/accuracy.py` leaves it, and the data that it is of")
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
        print(f"{step}: {value:.1f} s an epoch, {value / epoch[first.name]:.2f} times the first step's")


if __name__ == "__main__":
    run(main)
