"""What answers are worth: a simulated reviewer drives the real server, and the workflow learns from the answers.

The embedded benchmark data set is thinned to a few boxes for each species, and BirdNET's heads are trained. In each
round, a review asks about windows, the reviewer answers over HTTP, and the workflow trains again. Reviews to improve
are compared with reviews of as many windows that are drawn at random. At the end, a review to measure is answered, and
what is promised is compared with the true calls.

All steps are real commands in clones of the project below a working folder. What is finished there is not done again.
"""

import argparse
import os
import shutil
import subprocess
import sys
from contextlib import chdir
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from cold_demo import clone_of_project
from commands import call
from review_figures import Scores, describe, draw_curve, measured_species
from ruamel.yaml import YAML
from simulated_reviewer import Reviewer, Truth, answer_review

from dawnchorus.cli import run
from dawnchorus.config.presets import preset_content
from dawnchorus.data.formats.rfcx import read_truth
from dawnchorus.data.score_tables import read_scores
from dawnchorus.errors import InputError
from dawnchorus.files import replacing
from dawnchorus.review.items import IMPROVE
from dawnchorus.review.scores import read_scores as read_window_scores
from dawnchorus.review.session import FOLDER, read_session, session_names
from dawnchorus.review.start import window_items, write_review
from dawnchorus.review.unlabelled import known_stretches, unlabelled_windows
from dawnchorus.seeding import generator

ROOT = Path(__file__).parent.parent
# Boxes that are kept, for each species.
PRESENT, ABSENT = 5, 10
ROUNDS, ANSWERS, MEASURED = 3, 10, 30
ARMS = ("random", "improve")
# What a review needs; the report is not among it.
TARGETS = ("results/model", "results/detections.csv", "results/figures.json")


@dataclass(frozen=True)
class Setting:
    """What one run of the program is about.

    Attributes:
        folder: the working folder.
        error_rate: share of wrong answers.
        cores: for the workflow.
    """

    folder: Path
    error_rate: float
    cores: int

    @property
    def dataset(self) -> Path:
        """The whole embedded data set."""
        return self.folder / "dataset"


def say(text: str) -> None:
    print(f"{datetime.now():%H:%M:%S} {text}", file=sys.stderr, flush=True)


def require_same_error_rate(setting: Setting) -> None:
    """Note the error rate in the working folder, or refuse one that differs from what is finished there."""
    note = setting.folder / "error_rate.txt"
    if not note.exists():
        note.write_text(f"{setting.error_rate}\n")
    if float(note.read_text()) != setting.error_rate:
        raise InputError(f"{note}: found {note.read_text().strip()}; use another folder for --error-rate "
                         f"{setting.error_rate}")  # fmt: skip


def make_dataset(setting: Setting) -> None:
    """Synthesize the data set of the benchmark, unless it is there."""
    if setting.dataset.exists():
        return
    say("synthesizing the data set")
    content = preset_content(ROOT / "presets", "benchmark")
    params = setting.folder / "params.yaml"
    YAML().dump(content, params)
    with replacing(setting.dataset) as path:
        command = [sys.executable, "workflow/scripts/synthesize.py", "--params", str(params), "--output", str(path)]
        call(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": "src"})


def make_clone(setting: Setting, seed: int) -> Path:
    """Clone the project, with a data set of few boxes, unless the clone is there."""
    clone = setting.folder / f"seed-{seed}"
    if clone.exists():
        return clone
    with replacing(clone) as path:
        clone_of_project(path)
        content = preset_content(ROOT / "presets", "benchmark")
        content.update(seed=seed, backbones=[], embeddings=["birdnet"])
        content["rounds"] = [{"id": "first", "pseudo_labels": "none", "weight": 0.0}]
        content["data"]["root"] = "few"
        YAML().dump(content, path / "params.yaml")
        for split in ("train", "test"):
            # Links take no space.
            shutil.copytree(setting.dataset / split, path / "few" / split, copy_function=os.link)
        for name in ("sample_submission.csv", "truth_test.csv"):
            shutil.copy(setting.dataset / name, path / "few")
        for name, most in (("train_tp.csv", PRESENT), ("train_fp.csv", ABSENT)):
            boxes = pd.read_csv(setting.dataset / name)
            thinned(boxes, most, generator(seed, "boxes", name)).to_csv(path / "few" / name, index=False)
        # The clones share what they have in common: the embeddings of the test recordings.
        cache = (setting.folder / "cache").absolute()
        command = ["dvc", "config", "--local", "--quiet", "cache.dir", str(cache)]
        call(command, cwd=path, env=engine_environment())
    return clone


def thinned(boxes: pd.DataFrame, most: int, rng: np.random.Generator) -> pd.DataFrame:
    """Keep some boxes of each species, at random.

    Args:
        boxes: a table with species_id.
        most: number of boxes to keep for each species.
        rng: random generator.
    """
    order = boxes.iloc[rng.permutation(len(boxes))]
    return order.groupby("species_id").head(most).sort_index()


def dawnchorus(clone: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "dawnchorus.command", *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    call(command, cwd=clone, env=environment, stdout=subprocess.DEVNULL)


def engine_environment() -> dict[str, str]:
    """The environment of the engines, whose stages take the clone's code."""
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return kept | {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}


def run_workflow(setting: Setting, clone: Path) -> None:
    command = ["snakemake", "--cores", str(setting.cores), "--quiet", "all", "--", *TARGETS]
    call(command, cwd=clone, env=engine_environment())


def start_random(clone: Path, name: str, seed: int) -> None:
    """Start a review of windows that are drawn at random from those that `improve` chooses from."""
    with chdir(clone):
        results = Path("results")
        scored = read_window_scores(results, None)
        codes = scored.bundle.codes
        known = known_stretches(codes, [read_session(one) for one in session_names()])
        items = []
        for code in codes:
            rows = unlabelled_windows(scored, code, known)
            drawn = generator(seed, name, code).choice(rows, ANSWERS, replace=False)
            items += window_items(scored, code, drawn, IMPROVE)
        items = [replace(item, item=number) for number, item in enumerate(items, start=1)]
        write_review(FOLDER / name, scored, results, IMPROVE, codes, items, seed, datetime.now(UTC))


def learn(setting: Setting, clone: Path, seed: int, truth: Truth, arm: str) -> None:
    """Three rounds of reviews and training; keeps the scores of the test recordings after each."""
    shutil.rmtree(clone / FOLDER, ignore_errors=True)
    (clone / "answers/answers.csv").unlink(missing_ok=True)
    reviewer = Reviewer(truth, setting.error_rate, seed)
    for number in range(ROUNDS + 1):
        if number:
            name = f"{arm}-{number}"
            if arm == "random":
                start_random(clone, name, seed)
            else:
                asked = ("--purpose", IMPROVE, "-n", str(ANSWERS), "--name", name, "--seed", str(seed))
                dawnchorus(clone, "review", "start", "results", *asked)
            n_present = answer_review(clone, name, reviewer)
            dawnchorus(clone, "review", "finish", name)
            say(f"seed {seed}, {name}: {n_present} answers are present")
        run_workflow(setting, clone)
        with replacing(scores_file(setting, seed, arm, number)) as path:
            shutil.copy(clone / "results/scores/ensemble.csv", path)


def measure(setting: Setting, clone: Path, seed: int, truth: Truth) -> None:
    """A review to measure; keeps what the thresholds say, and the truth."""
    if "measure" not in {path.name for path in (clone / FOLDER).iterdir()}:
        asked = ("--purpose", "measure", "-n", str(MEASURED), "--name", "measure", "--seed", str(seed))
        dawnchorus(clone, "review", "start", "results", *asked)
    n_present = answer_review(clone, "measure", Reviewer(truth, setting.error_rate, seed))
    dawnchorus(clone, "review", "finish", "measure")
    say(f"seed {seed}, measure: {n_present} answers are present")
    run_workflow(setting, clone)
    with chdir(clone):
        table = measured_species(read_window_scores(Path("results"), None), truth)
    with replacing(measured_file(setting, seed)) as path:
        table.to_csv(path, index=False)


def scores_file(setting: Setting, seed: int, arm: str, number: int) -> Path:
    return setting.folder / "scores" / f"{seed}-{arm}-{number}.csv"


def measured_file(setting: Setting, seed: int) -> Path:
    return setting.folder / "measured" / f"{seed}.csv"


def read_results(setting: Setting, seeds: list[int]) -> Scores:
    """The scores of all arms and rounds, and the truth about the test recordings."""
    sample = read_scores(setting.dataset / "sample_submission.csv")
    truth = read_truth(setting.dataset / "truth_test.csv", list(sample.columns), list(sample.index))
    found = {
        arm: np.array([
            [read_scores(scores_file(setting, seed, arm, number)).to_numpy() for seed in seeds]
            for number in range(ROUNDS + 1)
        ])
        for arm in ARMS
    }  # fmt: skip
    return Scores(truth.to_numpy() > 0, found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="working folder")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3], help="(default: 1 2 3)")
    parser.add_argument(
        "--error-rate", type=float, default=0.0, help="share of the reviewer's answers that are wrong (default: 0)"
    )
    parser.add_argument("--cores", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--picture", type=Path, help="where to draw the curve, *.svg or *.png")
    arguments = parser.parse_args()
    setting = Setting(arguments.folder.absolute(), arguments.error_rate, arguments.cores)
    if not 0 <= setting.error_rate <= 1:
        raise InputError(f"--error-rate: found {setting.error_rate}, expected a number from 0 to 1")
    for name in ("scores", "measured"):
        (setting.folder / name).mkdir(parents=True, exist_ok=True)
    require_same_error_rate(setting)
    make_dataset(setting)
    truth = Truth.read(setting.dataset / "calls.csv")
    for seed in arguments.seeds:
        clone = make_clone(setting, seed)
        for arm in ARMS:
            if not scores_file(setting, seed, arm, ROUNDS).exists():
                learn(setting, clone, seed, truth, arm)
        if not measured_file(setting, seed).exists():
            measure(setting, clone, seed, truth)
    scores = read_results(setting, arguments.seeds)
    measured = pd.concat([pd.read_csv(measured_file(setting, seed)).assign(seed=seed) for seed in arguments.seeds])
    print(describe(scores, measured))
    if arguments.picture:
        draw_curve(scores, ANSWERS, arguments.picture)


if __name__ == "__main__":
    run(main)
