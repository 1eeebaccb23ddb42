"""Thresholds, probabilities and call density from answers to random samples of windows."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import logit

from dawnchorus.data.answers import MEASURE
from dawnchorus.inference.answer_curves import (
    MeasuredWindows,
    even_weights,
    fit_curves,
    interval,
    pooled_weights,
)
from dawnchorus.inference.calibration import Calibration
from dawnchorus.inference.strata import count_strata, log_strata
from dawnchorus.inference.thresholds import MEASURED, WindowModel, threshold_below, too_few_windows
from dawnchorus.inference.window_tables import Windows
from dawnchorus.seeding import generator

# The quantile of the precision that is its lower bound, and how much an answer counts. Windows of one recording are
# alike, and no curve is exactly right: so, in nine of ten cases the precision is higher (benchmarks/measured.py).
LOWER, DISCOUNT = 0.05, 0.75
# With fewer answers, thresholds rest on annotations. With fewer present ones, nothing is promised.
FEWEST_ANSWERS, FEWEST_PRESENT = 10, 3
# A window is that of an answer if it starts at most so much apart, s.
TOLERANCE_SECONDS = 0.05
# The share of windows with a species that is likely where no annotation tells it.
LIKELY_PREVALENCE = 0.03
# What figures rest on that no answers are in.
ANNOTATIONS = "annotations"
# What a table of thresholds tells of answers.
ANSWERED = ["answers", "present_answers", "density", "density_low", "density_high", "rests_on"]


def answered_windows(answers: pd.DataFrame, windows: Windows, split: str, species: Sequence[str]) -> pd.DataFrame:
    """Find the windows that answers to random samples are about.

    Args:
        answers: table from `answers.read_answers`.
        windows: scores of the recordings of a split.
        split: "train" or "test".
        species: the codes, in the order of scores.

    Returns:
        A row for each answer that is present or absent and whose window has a score: species_id, row (of the window),
        is_present, inclusion_probability and review. Its attribute `missing` counts the others.
    """
    used = answers[(answers.purpose == MEASURE) & (answers.answer != "unsure") & (answers.split == split)]
    used = used[used.species.isin(species)]
    number = pd.Index(windows.recording_ids, dtype=object).get_indexer(used.recording_id)
    rows = np.full(len(used), -1)
    for position, (recording, start) in enumerate(zip(number, used.t_min, strict=True)):
        if recording >= 0:
            first, last = windows.edges[recording : recording + 2]
            nearest = first + np.abs(windows.starts[first:last] - start).argmin()
            rows[position] = nearest if abs(windows.starts[nearest] - start) <= TOLERANCE_SECONDS else -1
    found = pd.DataFrame(
        {
            "species_id": pd.Index(species).get_indexer(used.species),
            "row": rows,
            "is_present": (used.answer == "present").to_numpy(),
            "inclusion_probability": used.inclusion_probability.to_numpy(),
            "review": used.review.to_numpy(),
        }
    )
    kept = found[found.row >= 0].reset_index(drop=True)
    kept.attrs["missing"] = len(found) - len(kept)
    return kept


def measure_windows(
    scores: NDArray[np.floating], answered: pd.DataFrame, prior: WindowModel, species_id: int, rng: np.random.Generator
) -> MeasuredWindows:
    """Fit the curves of a species to its answers.

    Args:
        scores: of all windows, for the species, shape [Windows].
        answered: the answers of the species, at least one, as from `answered_windows`.
        prior: probabilities before any answer.
        species_id: number of the species in `prior`.
        rng: random generator.
    """
    rows, is_present = answered.row.to_numpy(), answered.is_present.to_numpy(bool)
    strata = log_strata(scores, count_strata(len(scores), len(rows)), rng)[rows]
    inclusion = answered.inclusion_probability.to_numpy(float)
    weights = DISCOUNT * even_weights(pooled_weights(inclusion, list(answered.review)), strata)
    prevalence = prior.prevalence[species_id]
    before = logit(LIKELY_PREVALENCE if np.isnan(prevalence) else prevalence) + prior.calibration.offsets[species_id]
    curves = fit_curves(scores[rows], is_present, weights, (before, prior.calibration.slopes[species_id]), rng)
    is_known, known_present = np.zeros((2, len(scores)), bool)
    is_known[rows] = True
    known_present[rows[is_present]] = True
    return MeasuredWindows(np.asarray(scores, float), is_known, known_present, curves, rng)


def apply_answers(
    model: WindowModel,
    table: pd.DataFrame,
    scores: NDArray[np.floating],
    answered: pd.DataFrame,
    precision: float,
    seed: int,
) -> tuple[WindowModel, pd.DataFrame]:
    """Replace the thresholds and probabilities of the species that have answers by those that the answers give.

    Args:
        model: probabilities from annotations.
        table: thresholds from annotations, as from `thresholds.choose_thresholds`.
        scores: of all windows, shape [Windows, Species].
        answered: from `answered_windows`.
        precision: the wanted precision, between 0 and 1.
        seed: of random draws.

    Returns:
        The model and the table with the columns `ANSWERED`. The precision has its lower bound from the answers:
        `LOWER` of the precisions that they allow are below it. Density is the share of windows with the species, with a
        90 % interval.
    """
    slopes, offsets = model.calibration.slopes.copy(), model.calibration.offsets.copy()
    prevalence = model.prevalence.copy()
    table = table.assign(answers=0, present_answers=0, rests_on=ANNOTATIONS)
    table[["density", "density_low", "density_high"]] = np.nan
    for number, of_species in answered.groupby("species_id"):
        row = int(str(number))
        n_present = int(of_species.is_present.sum())
        table.loc[row, ["answers", "present_answers"]] = len(of_species), n_present
        if len(of_species) < FEWEST_ANSWERS:
            continue
        own = scores[:, row]
        measured = measure_windows(own, of_species, model, row, generator(seed, "answers", str(table.species[row])))
        density = measured.fractions(np.ones(len(own), bool))
        prevalence[row] = np.clip(np.median(density), 0.5 / len(own), 1 - 0.5 / len(own))
        before = Calibration(model.calibration.slopes[[row]], model.calibration.offsets[[row]])
        ranked = own[measured.order]
        curve = before.transferred(ranked[:, None], measured.probabilities[:, None], prevalence[[row]])
        slopes[row], offsets[row] = curve.slopes[0], curve.offsets[0]
        means = np.cumsum(measured.probabilities) / np.arange(1, len(own) + 1)
        above = int((means >= precision).sum())
        own_model = WindowModel(curve, prevalence[[row]])
        threshold = float(threshold_below(ranked[:, None], np.array([above]), own_model.score_at(precision))[0])
        low = float(np.quantile(measured.fractions(own >= threshold), LOWER)) if above else 0.0
        reviews = ", ".join(sorted(set(of_species.review)))
        values = {
            "threshold": threshold, "precision": means[above - 1] if above else precision, "windows_above": above,
            "precision_low": min(low, means[above - 1]) if above else 0.0, "prevalence": prevalence[row],
            "probability": own_model.probabilities(np.array([threshold]))[0],
            "no_promise": why_no_promise(n_present, above), "density": float(np.median(density)),
            "rests_on": f"{len(of_species)} answers of {reviews}",
        }  # fmt: skip
        values["density_low"], values["density_high"] = interval(density)
        for column, value in (values | {name: np.nan for name in MEASURED if name in table.columns}).items():
            table.loc[row, column] = value
    return replace(model, calibration=Calibration(slopes, offsets), prevalence=prevalence), table


def why_no_promise(n_present: int, windows_above: int) -> str:
    """Why answers cannot support a promise; empty if they can."""
    if n_present < FEWEST_PRESENT:
        return f"{n_present} of the answers {'is' if n_present == 1 else 'are'} present"
    return too_few_windows(windows_above)
