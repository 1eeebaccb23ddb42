"""Check what answers to a random sample promise, where the truth of every window is known.

Scores are invented, in four worlds:

    logistic   the probability of a score is the logistic curve that is fitted
    faint      a third of the calls score like windows without any
    confuser   as many windows as have the species have another one that scores almost as high
    tail       a few windows without the species score higher than most with it

In each, species with a prevalence of 0.5 to 30 % are measured again and again. The density's 90 % interval should hold
the truth in 90 % of the cases, and the precision above the threshold should be at least the lower bound.

The program fails if the interval holds in fewer than 85 %, or the bound in fewer than 90 %, over all worlds but the
last.
"""

import argparse
import sys

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit

from dawnchorus.inference.answer_thresholds import apply_answers
from dawnchorus.inference.calibration import Calibration
from dawnchorus.inference.thresholds import WindowModel
from dawnchorus.review.choosing import draw_sample

WORLDS = ("logistic", "faint", "confuser", "tail")
PRECISION = 0.9
INTERVAL_HOLDS, BOUND_HOLDS = 0.85, 0.9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--species", type=int, default=200, help="number of species in each world (default: %(default)s)"
    )
    parser.add_argument("--windows", type=int, default=1000, help="number of windows (default: %(default)s)")
    parser.add_argument("--answers", type=int, default=30, help="answers for each species (default: %(default)s)")
    arguments = parser.parse_args()
    found = pd.concat(
        [measure(world, arguments.species, arguments.windows, arguments.answers, seed=1) for world in WORLDS]
    )
    print(summary(found).round(3).to_string())
    plausible = summary(found[found.world != "tail"].assign(world="all but tail")).iloc[0]
    if plausible.interval_holds < INTERVAL_HOLDS or plausible.bound_holds < BOUND_HOLDS:
        sys.exit(f"error: expected {INTERVAL_HOLDS:.0%} of intervals and {BOUND_HOLDS:.0%} of bounds to hold")


def measure(world: str, n_species: int, n_windows: int, n_answers: int, seed: int) -> pd.DataFrame:
    """Measure species in a world; a row for each, with the truth beside what the answers say."""
    rows = []
    for number in range(n_species):
        rng = np.random.default_rng([seed, WORLDS.index(world), number])
        truth, scores, prevalence = invent(world, n_windows, rng)
        sample = draw_sample(scores, n_answers, rng)
        answered = pd.DataFrame(
            {"species_id": 0, "row": sample.rows, "is_present": truth[sample.rows],
             "inclusion_probability": sample.inclusion, "review": "m"}
        )  # fmt: skip
        # What annotations say is off, by one in log odds.
        slope, offset = np.exp(rng.normal(0, 0.3)), rng.normal(1, 1)
        prior = WindowModel(Calibration(np.array([slope]), np.array([offset])), np.array([prevalence]))
        before = pd.DataFrame(
            {"species": ["s"], "threshold": 0.5, "precision": 0.9, "precision_low": 0.8, "windows_above": 1,
             "prevalence": prevalence, "probability": 0.5, "no_promise": ""}
        )  # fmt: skip
        _, table = apply_answers(prior, before, scores[:, None], answered, PRECISION, number)
        is_above = scores >= table.threshold[0]
        rows.append(
            {**table.iloc[0], "world": world, "true_density": truth.mean(), "is_promised": not table.no_promise[0],
             "true_precision": truth[is_above].mean() if is_above.any() else np.nan,
             "recall": truth[is_above].sum() / max(1, truth.sum())}
        )  # fmt: skip
    return pd.DataFrame(rows)


def invent(world: str, n_windows: int, rng: np.random.Generator) -> tuple[NDArray[np.bool_], NDArray, float]:
    """Whether a species is in each window, its scores, and how often it calls."""
    prevalence = float(np.exp(rng.uniform(np.log(0.005), np.log(0.3))))
    truth = rng.random(n_windows) < prevalence
    distance = rng.uniform(2.5, 6.5)
    silent, calls = rng.normal(-4, 1.5, n_windows), rng.normal(distance - 4, 1.5, n_windows)
    if world == "faint":
        calls = np.where(rng.random(n_windows) < 0.3, rng.normal(-3.5, 1.5, n_windows), calls)
    elif world == "confuser":
        silent = np.where(rng.random(n_windows) < prevalence, rng.normal(distance - 5, 1.2, n_windows), silent)
    elif world == "tail":
        silent = -4 + rng.standard_t(3, n_windows)
    return truth, expit(np.where(truth, calls, silent)), float(expit(logit(prevalence)))


def summary(found: pd.DataFrame) -> pd.DataFrame:
    """How often intervals and bounds hold, by world."""
    promised = found[found.is_promised]
    holds = found.true_density.between(found.density_low, found.density_high)
    kept = promised.true_precision >= promised.precision_low - 1e-9
    return pd.DataFrame(
        {
            "interval_holds": holds.groupby(found.world, sort=False).mean(),
            "interval_width": (found.density_high - found.density_low).groupby(found.world, sort=False).median(),
            "density_ratio": (found.density / found.true_density).groupby(found.world, sort=False).median(),
            "promised": found.is_promised.groupby(found.world, sort=False).mean(),
            "bound_holds": kept.groupby(promised.world, sort=False).mean(),
            "bound": promised.precision_low.groupby(promised.world, sort=False).mean(),
            "true_precision": promised.true_precision.groupby(promised.world, sort=False).mean(),
            "recall": promised.recall.groupby(promised.world, sort=False).mean(),
        }
    )


if __name__ == "__main__":
    main()
