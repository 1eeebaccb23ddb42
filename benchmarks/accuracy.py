"""Run the workflow with each step of a ladder of settings, save each run as a DVC experiment, and print a table."""

import argparse
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from commands import call
from numpy.typing import NDArray
from plain_head import plain_scores
from ruamel.yaml import YAML

from dawnchorus.cli import run
from dawnchorus.config.loading import load_params
from dawnchorus.config.presets import preset_content
from dawnchorus.data.formats.rfcx import read_truth
from dawnchorus.data.score_tables import read_scores
from dawnchorus.demo.sources import list_sources
from dawnchorus.errors import InputError
from dawnchorus.evaluation.baselines import constant_scores
from dawnchorus.evaluation.box_metrics import average_precision_and_auc
from dawnchorus.evaluation.label_metrics import ranking_precisions

ROOT = Path(__file__).parent.parent
LADDER, ANIMALS = ROOT / "benchmarks/ladder.yaml", ROOT / "benchmarks/animals.yaml"
# What comes before the steps of a ladder of embeddings.
PLAIN = "plain logistic regression"
# Files tracked by git that a run of the workflow changes.
TRACKED = ("params.yaml", "dvc.lock", "data/demo/dvc.lock", "results/metrics.json")
RESAMPLES = 1000
TEST = ("test LWLRAP", "test macro AP")
# Figures of figures.json that need only the sparse labels, and their names in the table.
OUT_OF_FOLD = {
    "box_average_precision": "box AP",
    "box_auc": "box AUC",
    "lwlrap": "LWLRAP of known labels",
    "macro_average_precision": "macro AP of known labels",
}


@dataclass(frozen=True)
class Step:
    """A step of the ladder.

    Attributes:
        name: name of the step.
        settings: parameters that the step sets, by dotted key.
    """

    name: str
    settings: dict[str, Any]


@dataclass(frozen=True)
class Ladder:
    """The steps from one method to another.

    Attributes:
        preset: name of the preset that the last step reaches.
        seeds: default seeds of each step.
        sets: parameters that each data set sets, by name of the data set and dotted key.
        steps: steps from the first method to the last.
        plain: the embedding of a plain logistic regression, which comes before the steps; "" for none.
    """

    preset: str
    seeds: list[int]
    sets: dict[str, dict[str, Any]]
    steps: list[Step]
    plain: str = ""


@dataclass(frozen=True)
class Outcome:
    """The results of one step with all seeds.

    Attributes:
        step: name of the step.
        scores: scores of the test recordings, shape [Seeds, Recordings, Species].
        out_of_fold: one row per seed, with the figures of OUT_OF_FOLD.
    """

    step: str
    scores: NDArray[np.float64]
    out_of_fold: pd.DataFrame


def read_ladder(path: Path) -> Ladder:
    """Read a ladder. The first step sets every key that any step changes; each later step lists only its changes.

    Raises:
        InputError: a later step changes a key that the first does not set, or the last step differs from the preset.
    """
    content = YAML(typ="safe").load(path)
    preset = preset_content(ROOT / "presets", content["preset"])
    settings: dict[str, Any] = {}
    steps: list[Step] = []
    for step in content["steps"]:
        new = set(step["changes"]) - set(settings)
        if steps and new:
            raise InputError(f"{path}: {step['name']} changes {min(new)}, which {steps[0].name} does not set")
        settings = settings | step["changes"]
        steps.append(Step(step["name"], settings))
    for key, value in settings.items():
        found = value_of(preset, key)
        if found != value:
            raise InputError(f"{path}: ends with {key}: {value}, but the preset {content['preset']} has {found}")
    return Ladder(content["preset"], content["seeds"], content["sets"], steps, content.get("plain", ""))


def value_of(params: dict[str, Any], key: str) -> Any:
    """The value of a dotted key in the content of a params.yaml."""
    for part in key.split("."):
        params = params[part]
    return params


def climb(step: Step, ladder: Ladder, data: str, seeds: list[int], cores: int) -> Outcome:
    """Run the workflow with a step's settings, once per seed, and save each run as a DVC experiment."""
    scores, figures = [], []
    for seed in seeds:
        name = "-".join([data, *re.findall(r"\w+", step.name), str(seed)])
        print(name, file=sys.stderr, flush=True)
        write_params(ladder.preset, {"seed": seed} | ladder.sets[data] | step.settings, ROOT / "params.yaml")
        call(["snakemake", "--cores", str(cores), "--quiet", "all"], cwd=ROOT)
        call(["dvc", "exp", "save", "--quiet", "--force", "--name", name], cwd=ROOT)
        figures_of = json.loads((ROOT / "results/figures.json").read_text())
        # With several rounds there are no out-of-fold figures.
        oof = figures_of["oof"]["ensemble"] if "oof" in figures_of else {}
        figures.append({title: oof.get(key, np.nan) for key, title in OUT_OF_FOLD.items()})
        scores.append(read_scores(ROOT / "results/scores/ensemble.csv").to_numpy())
    return Outcome(step.name, np.array(scores), pd.DataFrame(figures, seeds))


def write_params(preset: str, settings: dict[str, Any], path: Path) -> None:
    """Write a params.yaml: a preset with the given dotted keys set."""
    content = preset_content(ROOT / "presets", preset)
    for key, value in settings.items():
        *section, name = key.split(".")
        (content[section[0]] if section else content)[name] = value
    YAML().dump(content, path)


def lwlrap_and_macro(
    truth: NDArray[np.bool_], scores: NDArray[np.float64], weights: NDArray[np.integer], seeds: NDArray[np.integer]
) -> NDArray[np.float64]:
    """Compute LWLRAP and macro AP, averaged over seeds, for many weightings of recordings and seeds.

    Args:
        truth: whether each species is present, shape [Recordings, Species].
        scores: shape [Seeds, Recordings, Species].
        weights: weight of each recording, shape [Recordings, Weightings].
        seeds: weight of each seed, shape [Seeds, Weightings].

    Returns:
        LWLRAP and macro AP, shape [2, Weightings].
    """
    figures = []
    for submission in scores:
        precision = ranking_precisions(truth, submission).sum(axis=1)
        by_species = [
            average_precision_and_auc(truth[:, species], submission[:, species], weights)[0]
            for species in np.flatnonzero(truth.any(axis=0) & ~truth.all(axis=0))
        ]
        # A bootstrap sample may lack a rare species.
        figures.append([precision @ weights / (truth.sum(axis=1) @ weights), np.nanmean(by_species, axis=0)])
    return np.einsum("sfw,sw->fw", figures, seeds) / seeds.sum(axis=0)


def draw(n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Bootstrap weights of n items: first all ones, then RESAMPLES draws with replacement, shape [n, 1 + RESAMPLES]."""
    drawn = rng.multinomial(n, np.full(n, 1 / n), RESAMPLES).T
    return np.concatenate([np.ones((n, 1), int), drawn], axis=1)


def as_text(outcomes: list[Outcome], truth: pd.DataFrame) -> str:
    """Format the results as a Markdown table: figures of test recordings, gains with 95 % intervals, box figures."""
    true = truth.to_numpy() > 0
    rng = np.random.default_rng(0)
    # All steps use the same bootstrap samples, because gains are paired differences.
    weights, seeds = draw(len(true), rng), draw(len(outcomes[0].scores), rng)
    constant = lwlrap_and_macro(true, constant_scores(true)[None], weights, np.ones_like(seeds[:1]))
    figures = [lwlrap_and_macro(true, outcome.scores, weights, seeds) for outcome in outcomes]
    lines = [
        "| step | test LWLRAP | over the step before | test macro AP | over the step before | box AP | box AUC |",
        "|---|---|---|---|---|---|---|",
        f"| constant, true prevalence | {constant[0, 0]:.3f} |  | {constant[1, 0]:.3f} |  |  |  |",
    ]
    for before, found, outcome in zip([None, *figures], figures, outcomes, strict=False):
        gains = ["", ""] if before is None else [with_interval(gain) for gain in found - before]
        boxes = outcome.out_of_fold.mean()[["box AP", "box AUC"]]
        lines.append(
            f"| {outcome.step} | {found[0, 0]:.3f} | {gains[0]} | {found[1, 0]:.3f} | {gains[1]} | "
            + " | ".join("" if np.isnan(figure) else f"{figure:.3f}" for figure in boxes)
            + " |"
        )
    whole, last = figures[-1] - figures[0], figures[-1]
    lines += [
        "",
        f"The last step over the first: LWLRAP {with_interval(whole[0])}, macro AP {with_interval(whole[1])}; over the "
        f"constant: LWLRAP {with_interval(last[0] - constant[0])}.",
    ]
    return "\n".join(lines)


def with_interval(values: NDArray[np.float64]) -> str:
    """Format a difference and its 95 % bootstrap interval. `values` has the difference, then the bootstrap values."""
    low, high = np.nanpercentile(values[1:], [2.5, 97.5])
    return f"{values[0]:+.3f} ({low:+.3f} to {high:+.3f})"


def followed(outcomes: list[Outcome], truth: pd.DataFrame) -> str:
    """Spearman's correlation over all runs of each out-of-fold figure with the test figures, as a Markdown table."""
    true, once = truth.to_numpy() > 0, np.ones((len(truth), 1), int)
    runs = []
    for outcome in outcomes:
        tested = [lwlrap_and_macro(true, scores[None], once, once[:1])[:, 0] for scores in outcome.scores]
        runs.append(outcome.out_of_fold.assign(**dict(zip(TEST, np.transpose(tested), strict=True))))
    correlation = pd.concat(runs).corr(method="spearman").loc[list(OUT_OF_FOLD.values()), list(TEST)]
    rows = [f"| {name} | " + " | ".join(f"{value:.2f}" for value in row) + " |" for name, row in correlation.iterrows()]
    return "\n".join(["| out of fold | " + " | ".join(TEST) + " |", "|---|---|---|", *rows])


def plain(ladder: Ladder, seeds: list[int]) -> Outcome:
    """Plain logistic regression on the embeddings that the first step has left. It draws nothing from the seeds."""
    recordings = list(read_scores(ROOT / "data/demo/dataset/sample_submission.csv").index)
    scores = plain_scores(ROOT, load_params(ROOT / "params.yaml"), ladder.plain, recordings)
    none = pd.DataFrame(np.nan, seeds, list(OUT_OF_FOLD.values()))
    return Outcome(PLAIN, np.repeat(scores[None], len(seeds), axis=0), none)


def main() -> None:
    ladders = [read_ladder(path) for path in (LADDER, ANIMALS)]
    ladder_of = {name: ladder for ladder in ladders for name in ladder.sets}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="first", choices=ladder_of, help="data set; animals need clips of your own")
    parser.add_argument("--ends", action="store_true", help="run only the first and the last step")
    parser.add_argument("--seeds", nargs="+", type=int, help="by default the ladder's own")
    parser.add_argument("--cores", type=int, default=len(os.sched_getaffinity(0)))
    arguments = parser.parse_args()
    ladder = ladder_of[arguments.data]
    seeds = arguments.seeds or ladder.seeds
    clips = preset_content(ROOT / "presets", ladder.preset)["demo"]["clips"]
    if clips is not None:
        # Before the first run, because its message is only in a log.
        list_sources(ROOT / clips)
    if subprocess.run(["git", "diff", "--quiet", "HEAD", "--", *TRACKED], cwd=ROOT).returncode:
        raise InputError(
            f"{', '.join(TRACKED)}: some of these files differ from the last commit, and a run replaces them; commit "
            "your changes, or `git checkout` the files that a killed run left behind"
        )
    steps = [ladder.steps[0], ladder.steps[-1]] if arguments.ends else ladder.steps
    outcomes = []
    try:
        for step in steps:
            outcomes.append(climb(step, ladder, arguments.data, seeds, arguments.cores))
            if ladder.plain and step is steps[0]:
                outcomes.insert(0, plain(ladder, seeds))
        sample = read_scores(ROOT / "data/demo/dataset/sample_submission.csv")
        truth = read_truth(ROOT / "data/demo/dataset/truth_test.csv", list(sample.columns), list(sample.index))
    finally:
        call(["git", "checkout", "--quiet", "HEAD", "--", *TRACKED], cwd=ROOT)
    print(as_text(outcomes, truth))
    if not arguments.ends and not ladder.plain:
        # The first step is left out: its longer windows contain other calls near the boxes, which distorts box figures.
        print("", followed(outcomes[1:], truth), sep="\n")


if __name__ == "__main__":
    run(main)
