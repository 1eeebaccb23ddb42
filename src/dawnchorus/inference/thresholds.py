"""Thresholds that keep a precision, for each species, with what supports them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit

from dawnchorus.evaluation.bootstrap import draw_recordings
from dawnchorus.inference.calibration import Calibration
from dawnchorus.inference.prevalence import estimate_window_prevalence
from dawnchorus.wording import counted

# The quantile of the bootstrap that is the lower bound. With 20 present and 20 absent simulated labels a species, the
# precision is above it in nine of ten cases, and above the 10 % quantile in six of seven.
LOWER = 0.05
SAMPLES = 200
# From fewer recordings, resampling them says little about others.
FEWEST_RECORDINGS, FEWEST_ABSENT = 5, 5
# The one or two highest of thousands of windows lie beyond most labels, where the calibration extrapolates.
FEWEST_WINDOWS = 3
# A bound below this share of the wanted precision promises so little that "can be trusted" would mislead.
LEAST_BOUND = 0.5
# Boxes alone do not tell a species that calls in most windows from one whose few boxes score like any other window.
# Such an estimate once was 0.99 where 0.06 was right, and all windows became detections.
MOST_BY_BOXES = 0.5
# Fewer test recordings do not show how often species call; thresholds are then for recordings like the annotated ones.
FEWEST_TEST = 20
EVERYWHERE = "more than half of all windows score like its boxes"
# Rounding by other programs and machines changes a score by less; the scores of an exported file may differ so much.
ROUNDING = 1e-4
# Numbers of labels that a threshold rests on.
LABELS = ["present_boxes", "present_recordings", "absent_boxes", "complete_recordings"]
# What completely annotated recordings show of a threshold, from `crossfit.measure_thresholds`.
MEASURED = ["measured_precision", "measured_precision_low", "measured_precision_high",
            "measured_recall", "measured_recall_low", "measured_recall_high"]  # fmt: skip


@dataclass(frozen=True)
class Evidence:
    """Out-of-fold scores of windows in which it is known whether a species is present.

    Attributes:
        species: shape [Scores].
        is_present: shape [Scores].
        scores: shape [Scores].
        units: number of each score's recording, or of its group of recordings, shape [Scores].
        is_any_window: whether the score is that of any window of a recording that is annotated completely, not of a
            labelled box, shape [Scores].
    """

    species: NDArray[np.int64]
    is_present: NDArray[np.bool_]
    scores: NDArray[np.float64]
    units: NDArray[np.int64]
    is_any_window: NDArray[np.bool_]

    def subset(self, chosen: NDArray[np.bool_]) -> "Evidence":
        """A part of the scores; `chosen` has the shape [Scores]."""
        return Evidence(*(values[chosen] for values in vars(self).values()))


@dataclass(frozen=True)
class WindowModel:
    """Turns the score of a window into the probability that a species is present in it.

    Attributes:
        calibration: log likelihood ratios of scores.
        prevalence: share of windows with each species; NaN where it is unknown: without a present box, or where boxes
            alone put it above `MOST_BY_BOXES`, shape [Species].
    """

    calibration: Calibration
    prevalence: NDArray[np.float64]

    def probabilities(self, scores: NDArray[np.floating]) -> NDArray[np.float64]:
        """The probabilities of scores, shape [..., Species]; NaN for species whose prevalence is unknown."""
        return expit(self.calibration.log_likelihood_ratios(scores) + logit(self.prevalence))

    def of_species(self, numbers: NDArray[np.integer]) -> "WindowModel":
        """The model with these species in place of all, in this order; a species may be repeated."""
        calibration = Calibration(self.calibration.slopes[numbers], self.calibration.offsets[numbers])
        return WindowModel(calibration, self.prevalence[numbers])

    def score_at(self, probability: float | NDArray[np.floating]) -> NDArray[np.float64]:
        """The score of each species that has a probability, one for all or one for each, shape [Species]."""
        odds = logit(probability) - logit(self.prevalence) - self.calibration.offsets
        return expit(odds / self.calibration.slopes)


def fit_window_model(
    evidence: Evidence, groups: Sequence[NDArray[np.floating]], n_species: int, weights: NDArray[np.integer],
    too_high: float = np.nan,
) -> WindowModel:  # fmt: skip
    """Fit the probabilities of scores by the models that gave the evidence.

    Args:
        evidence: labelled scores.
        groups: sorted scores of all windows, as in `estimate_window_prevalence`.
        n_species: number of species.
        weights: how often each labelled score counts, shape [Scores].
        too_high: the prevalence in place of one that boxes alone put above `MOST_BY_BOXES`.
    """
    counts = np.where(evidence.is_present, weights, 0)
    present = [
        np.repeat(evidence.scores[of_species], counts[of_species])
        for of_species in (evidence.species == number for number in range(n_species))
    ]
    calibration = Calibration.of_scores(evidence.species, evidence.is_present, evidence.scores, n_species, weights)
    prevalence = estimate_window_prevalence(present, groups)
    # Windows of which all is known show it directly. One with and one without the species are added.
    known = np.where(evidence.is_any_window, weights, 0)
    total = np.bincount(evidence.species, known, n_species)
    share = (np.bincount(evidence.species, known * evidence.is_present, n_species) + 1) / (total + 2)
    by_boxes = np.where(prevalence > MOST_BY_BOXES, too_high, prevalence)
    return WindowModel(calibration, np.where((total > 0) & ~np.isnan(prevalence), share, by_boxes))


@dataclass(frozen=True)
class Thresholds:
    """Thresholds on window scores.

    Attributes:
        model: probabilities of the scores.
        scores: lowest score of each species that counts as a detection; NaN if its prevalence is unknown, [Species].
        windows_above: number of windows from the threshold on; 0 where none reaches the precision, shape [Species].
        precision: mean probability of these windows; the wanted precision where there are none, shape [Species].
    """

    model: WindowModel
    scores: NDArray[np.float64]
    windows_above: NDArray[np.int64]
    precision: NDArray[np.float64]


def find_thresholds(
    evidence: Evidence, groups: Sequence[NDArray[np.floating]], target: NDArray[np.floating], precision: float
) -> Thresholds:
    """Find the lowest threshold of each species at which the windows above it have a precision.

    The evidence is by a few models each, the scores to threshold are the mean over all models, which varies less. So
    each window of the whole ensemble gets the probability that the window of the same rank has by the models of a
    group, the mean over groups. The precision of windows is the mean of their probabilities. Where no window reaches
    the precision, the threshold is the score whose own probability is the precision.

    Args:
        evidence: labelled scores.
        groups: scores of all windows by each group of models, shape [Windows, Species] each; a group has as many models
            as gave each score of the evidence.
        target: scores of the same windows by the whole ensemble, shape [Windows, Species].
        precision: the wanted precision, between 0 and 1.
    """
    groups = [np.sort(group, axis=0) for group in groups]
    ranked = np.sort(target, axis=0)[::-1]
    of_group, probabilities, means = _by_rank(evidence, groups, np.ones(len(evidence.scores), int), len(target))
    calibration = of_group.calibration.transferred(ranked, probabilities, of_group.prevalence)
    model = WindowModel(calibration, of_group.prevalence)
    above = (means >= precision).sum(axis=0)
    last, columns = np.maximum(above, 1) - 1, np.arange(target.shape[1])
    scores = threshold_below(ranked, above, model.score_at(precision))
    return Thresholds(
        model, np.where(np.isnan(model.prevalence), np.nan, scores), above,
        np.where(above > 0, means[last, columns], precision),
    )  # fmt: skip


def threshold_below(
    ranked: NDArray[np.floating], above: NDArray[np.integer], otherwise: NDArray[np.floating]
) -> NDArray[np.float64]:
    """The threshold of each species that its highest windows reach and no others do, also with other rounding.

    It is `ROUNDING` from the scores of the windows next to it, or halfway between these where they are nearer.

    Args:
        ranked: scores of the windows, the highest first, shape [Windows, Species].
        above: number of windows that shall reach it, shape [Species].
        otherwise: the threshold where no window shall, shape [Species]; it is raised above all scores.
    """
    # Between the bounds of scores and the scores themselves.
    n_species = ranked.shape[1]
    padded = np.concatenate([np.ones((1, n_species)), ranked, np.zeros((1, n_species))]).astype(float)
    columns = np.arange(n_species)
    higher, lower = padded[above, columns], padded[above + 1, columns]
    margin = np.minimum(ROUNDING, (higher - lower) / 2)
    # One step of a float32 at least, where scores are equal.
    reached = np.minimum(higher - margin, np.nextafter(higher.astype(np.float32), np.float32(0)))
    missed = np.maximum(lower + margin, np.nextafter(lower.astype(np.float32), np.float32(1)))
    return np.where(above > 0, reached, np.maximum(missed, otherwise))


def choose_thresholds(
    evidence: Evidence,
    groups: Sequence[NDArray[np.floating]],
    target: NDArray[np.floating],
    species: Sequence[str],
    precision: float,
    labels: pd.DataFrame,
    rng: np.random.Generator,
) -> tuple[WindowModel, pd.DataFrame]:
    """Find the threshold of each species as in `find_thresholds`, and how far its precision can be promised.

    The lower bound of the precision is from a bootstrap over the labelled recordings.

    Args:
        evidence: as in `find_thresholds`.
        groups: as in `find_thresholds`.
        target: as in `find_thresholds`.
        species: the codes of the species.
        precision: the wanted precision, between 0 and 1.
        labels: what the evidence is from, with the columns `LABELS`, a row per species.
        rng: for the bootstrap.

    Returns:
        The model of `target`'s scores, and a row per species: species; threshold (a score; NaN if its prevalence is
        unknown); probability at the threshold; precision of the windows above it and its lower bound; number of
        windows above; prevalence of windows; the columns of `labels`; and why the precision cannot be promised
        (no_promise, empty if it can).
    """
    found = find_thresholds(evidence, groups, target, precision)
    above, model = found.windows_above, found.model
    last, columns = np.maximum(above, 1) - 1, np.arange(len(species))
    table = pd.DataFrame({"species": species, "prevalence": model.prevalence, "threshold": found.scores})
    table["probability"] = model.probabilities(found.scores)
    table["precision"] = found.precision
    names, unit = np.unique(evidence.units, return_inverse=True)
    groups = [np.sort(group, axis=0) for group in groups]
    # A resampling may put a prevalence higher than it can be known; so high an estimate lowers no bound.
    sampled = [
        _by_rank(evidence, groups, drawn[unit], int(last.max()) + 1, MOST_BY_BOXES)[2][last, columns]
        for (drawn,) in draw_recordings(len(names), SAMPLES, 1, rng)
    ]
    # A resampling without any present box of a species says that it never calls.
    low = np.quantile(np.nan_to_num(sampled), LOWER, axis=0)
    table["precision_low"] = np.minimum(low, table.precision)
    table["windows_above"] = above
    is_unknown = np.isnan(model.prevalence)
    table.loc[is_unknown, ["probability", "precision", "precision_low"]] = np.nan
    table[LABELS] = labels[LABELS].to_numpy()
    reasons = [_why_not(*of_species) for of_species in zip(*(labels[name] for name in LABELS), strict=True)]
    is_everywhere = is_unknown & (labels.present_boxes.to_numpy() > 0)
    table["no_promise"] = [
        (EVERYWHERE if lost else reason) or too_few_windows(count) or _too_unsure(bound, precision)
        for reason, lost, count, bound in zip(reasons, is_everywhere, above, table.precision_low, strict=True)
    ]
    return model, table


def _by_rank(
    evidence: Evidence, groups: Sequence[NDArray[np.floating]], weights: NDArray[np.integer], n_ranks: int,
    too_high: float = np.nan,
) -> tuple[WindowModel, NDArray[np.float64], NDArray[np.float64]]:  # fmt: skip
    """The model of the sorted groups, and the probability at the first ranks and of all above, [Ranks, Species]."""
    model = fit_window_model(evidence, groups, groups[0].shape[1], weights, too_high)
    probabilities = np.mean([model.probabilities(group[len(group) - n_ranks :]) for group in groups], axis=0)[::-1]
    return model, probabilities, np.cumsum(probabilities, axis=0) / np.arange(1, n_ranks + 1)[:, None]


def count_labels(boxes: pd.DataFrame, is_complete: NDArray[np.bool_]) -> pd.DataFrame:
    """Count what is known about each species.

    Args:
        boxes: labelled boxes, as from `annotations.labelled_boxes`.
        is_complete: whether each annotated recording is complete for each species, shape [Recordings, Species].

    Returns:
        The columns `LABELS`, a row per species.
    """
    present = boxes[boxes.is_tp].groupby("species_id").recording_id
    counts = (present.size(), present.nunique(), boxes[~boxes.is_tp].groupby("species_id").size())
    everyone = range(is_complete.shape[1])
    found = [count.reindex(everyone, fill_value=0).to_numpy() for count in counts]
    return pd.DataFrame(dict(zip(LABELS, [*found, is_complete.sum(axis=0)], strict=True)))


def _why_not(n_present: int, n_recordings: int, n_absent: int, n_complete: int) -> str:
    """Why the labels of a species cannot support a promise; empty if they can."""
    if not n_present:
        return "no present box"
    if n_recordings < FEWEST_RECORDINGS:
        return f"{counted(n_present, 'present box', 'present boxes')} in {counted(n_recordings, 'recording')}"
    if n_absent < FEWEST_ABSENT and n_complete < FEWEST_RECORDINGS:
        return (
            f"{counted(n_absent, 'absent box', 'absent boxes')}, and "
            f"{counted(n_complete, 'completely annotated recording')}"
        )
    return ""


def _too_unsure(bound: float, precision: float) -> str:
    """Why a lower bound of the precision is no promise; empty if it is one."""
    return f"its labels leave room for a precision of {bound:.2f}" if bound < LEAST_BOUND * precision else ""


def too_few_windows(n_windows: int) -> str:
    """Why the windows above a threshold cannot support a promise; empty if they can."""
    if n_windows >= FEWEST_WINDOWS:
        return ""
    return f"only {counted(n_windows, 'window reaches', 'windows reach')} it" if n_windows else "no window reaches it"
