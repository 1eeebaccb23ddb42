"""Figures of `review_loop.py`: what answers gain, with intervals, and whether promises and densities hold."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from accuracy import draw, lwlrap_and_macro, with_interval
from matplotlib.figure import Figure
from numpy.typing import NDArray
from simulated_reviewer import Truth

from dawnchorus.data.tables import read_table
from dawnchorus.review.scores import ScoredWindows

RANDOM, IMPROVE = "random", "improve"
NAMES = {IMPROVE: "chosen by `improve`", RANDOM: "drawn at random"}
COLOURS = {IMPROVE: "#0072b2", RANDOM: "#d55e00"}


@dataclass(frozen=True)
class Scores:
    """Scores of the test recordings after each round.

    Attributes:
        truth: whether each species calls, shape [Recordings, Species].
        arms: scores by arm, shape [Rounds, Seeds, Recordings, Species].
    """

    truth: NDArray[np.bool_]
    arms: dict[str, NDArray[np.float64]]

    @cached_property
    def figures(self) -> dict[str, NDArray[np.float64]]:
        """LWLRAP and macro AP, by arm: first as they are, then of bootstrap draws of recordings and seeds.

        All arms and rounds use the same draws. Shape [Rounds, 2, 1 + Draws].
        """
        rng = np.random.default_rng(0)
        n_seeds = next(iter(self.arms.values())).shape[1]
        weights, seeds = draw(len(self.truth), rng), draw(n_seeds, rng)
        return {
            arm: np.array([lwlrap_and_macro(self.truth, scores, weights, seeds) for scores in rounds])
            for arm, rounds in self.arms.items()
        }


def describe(scores: Scores, measured: pd.DataFrame) -> str:
    """The results as Markdown.

    Args:
        scores: after each round.
        measured: table from `measured_species`, of all seeds.
    """
    figures = scores.figures
    n_rounds = len(figures[IMPROVE])
    lines = [
        "| answers | macro AP after rounds " + ", ".join(map(str, range(n_rounds))) + " | gain | LWLRAP | gain |",
        "|---|---|---|---|---|",
    ]
    for arm, name in NAMES.items():
        found, cells = figures[arm], [name]
        for figure in (1, 0):
            values = found[:, figure]
            cells += [", ".join(f"{value:.3f}" for value in values[:, 0]), with_interval(values[-1] - values[0])]
        lines.append(f"| {' | '.join(cells)} |")
    gains = {arm: found[-1] - found[0] for arm, found in figures.items()}
    more = gains[IMPROVE] - 2 * gains[RANDOM]
    ratio = gains[IMPROVE][1] / gains[RANDOM][1]
    low, high = np.nanpercentile(ratio[1:], [2.5, 97.5])
    promised = measured[measured.is_promised]
    kept = (promised.true_precision >= promised.precision_low - 1e-9).sum()
    holds = measured.true_density.between(measured.density_low, measured.density_high).sum()
    return "\n".join([
        *lines,
        "",
        f"Gain in macro AP, improve over random: {ratio[0]:.1f} times ({low:.1f} to {high:.1f}); minus twice that of "
        f"random: {with_interval(more[1])}",
        f"Promises that hold: {kept} of {len(promised)}",
        f"90 % intervals of density that hold the truth: {holds} of {len(measured)}",
    ])  # fmt: skip


def measured_species(scored: ScoredWindows, truth: Truth) -> pd.DataFrame:
    """What thresholds from answers say of the windows that they are for, and the truth.

    Args:
        scored: window scores of the workflow.
        truth: the true calls.

    Returns:
        A row for each species with answers: species, is_promised, precision_low, true_precision (NaN if no window
        reaches the threshold), density_low, density_high and true_density.
    """
    table = read_table(scored.bundle.thresholds, ["species", "answers"]).set_index("species")
    frame = np.flatnonzero(scored.is_measured)
    numbers = scored.recording[frame]
    rows = []
    for number, code in enumerate(scored.bundle.codes):
        found = table.loc[code]
        if not int(found.answers):
            continue
        is_present = np.zeros(len(frame), bool)
        for recording in np.unique(numbers):
            own = numbers == recording
            starts = scored.starts[frame][own]
            name = scored.recordings.recording_id[recording]
            is_present[own] = truth.is_present(name, code, starts, starts + scored.window_seconds)
        is_above = scored.scores[frame, number] >= float(found.threshold)
        rows.append(
            {"species": code, "is_promised": found.no_promise == "", "precision_low": float(found.precision_low),
             "true_precision": is_present[is_above].mean() if is_above.any() else np.nan,
             "density_low": float(found.density_low), "density_high": float(found.density_high),
             "true_density": is_present.mean(), "present_answers": int(found.present_answers)}
        )  # fmt: skip
    return pd.DataFrame(rows)


def draw_curve(scores: Scores, answers: int, path: Path) -> None:
    """Draw macro AP after each round: the mean over seeds, its 95 % interval, and a thin line for each seed.

    Args:
        scores: after each round.
        answers: for each species and round.
        path: picture, *.svg or *.png.
    """
    once = np.ones((len(scores.truth), 1), int)
    # The same file each time.
    mpl.rcParams["svg.hashsalt"] = "dawnchorus"
    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.add_subplot()
    for arm, found in scores.figures.items():
        x = answers * np.arange(len(found))
        values = found[:, 1]
        low, high = np.nanpercentile(values[:, 1:], [2.5, 97.5], axis=1)
        axes.fill_between(x, low, high, color=COLOURS[arm], alpha=0.12, linewidth=0)
        for seed in range(scores.arms[arm].shape[1]):
            of_seed = [
                lwlrap_and_macro(scores.truth, rounds[seed : seed + 1], once, once[:1])[1, 0]
                for rounds in scores.arms[arm]
            ]
            axes.plot(x, of_seed, color=COLOURS[arm], linewidth=0.7, alpha=0.6)
        axes.plot(x, values[:, 0], color=COLOURS[arm], linewidth=2, marker="o")
        axes.annotate(
            NAMES[arm].replace("`", ""), (x[-1], values[-1, 0]), xytext=(8, 0), textcoords="offset points", va="center",
            color=COLOURS[arm],
        )  # fmt: skip
    axes.set(xlabel="answers for each species", ylabel="macro AP of the test recordings", xticks=x)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", linewidth=0.4)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
