"""The precision of detections above a score, from the answers so far."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dawnchorus.evaluation.reliability import wilson_interval
from dawnchorus.review.items import Item
from dawnchorus.review.journal import ABSENT, OTHER, PRESENT, Answer

CONFIDENCE = 0.9


@dataclass(frozen=True)
class PrecisionCurve:
    """Precision above each score at which there is an answer.

    Attributes:
        score: the scores, ascending, shape [Points].
        precision: estimated precision of what scores at least that, shape [Points].
        low: lower end of its 90 % interval, shape [Points].
        high: upper end, shape [Points].
    """

    score: NDArray[np.float64]
    precision: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


@dataclass(frozen=True)
class Evidence:
    """What a reviewer's answers say about a species.

    Attributes:
        present: scores of the items where it calls.
        absent: scores of the items where it does not.
        curve: from both.
        is_weighted: whether each item counts by its inclusion probability. If not, the items are no random sample.
    """

    present: list[float]
    absent: list[float]
    curve: PrecisionCurve
    is_weighted: bool


def precision_curve(
    scores: NDArray[np.floating], is_present: NDArray[np.bool_], weights: NDArray[np.floating]
) -> PrecisionCurve:
    """Estimate the precision above each score of a sample of answers.

    The estimate is the weighted fraction of present items (Hajek's, for weights that are 1 / inclusion probability).
    Its interval is Wilson's (1927), with Kish's effective sample size (1965): the squared sum of the weights over the
    sum of their squares.

    Args:
        scores: of the answered items, shape [Items].
        is_present: whether the species calls, shape [Items].
        weights: of the items, above 0, shape [Items].
    """
    order = np.argsort(-scores, kind="stable")
    scores, is_present, weights = scores[order], is_present[order], weights[order]
    total, squares = np.cumsum(weights), np.cumsum(weights**2)
    # The last of equal scores counts, as all of them are above it.
    is_last = np.append(scores[1:] != scores[:-1], True) if len(scores) else np.zeros(0, bool)
    precision = (np.cumsum(weights * is_present) / total)[is_last][::-1]
    n = (total**2 / squares)[is_last][::-1]
    return PrecisionCurve(scores[is_last][::-1], precision, *wilson_interval(precision, n, CONFIDENCE))


def evidence(items: dict[int, Item], answers: Iterable[Answer], species: str, reviewer: str) -> Evidence:
    """Collect what a reviewer's answers say about a species; those that are unsure say nothing.

    If any answered item was drawn with a known probability, only such items count: others would bias the curve.

    Args:
        items: of the review, by number.
        answers: the answers that count, of all reviewers.
        species: code of the species.
        reviewer: name of the reviewer.
    """
    verdicts = {PRESENT: True, ABSENT: False, OTHER: False}
    found = [
        (items[answer.item], verdicts[answer.answer])
        for answer in answers
        if answer.reviewer == reviewer and answer.species == species and answer.answer in verdicts
    ]
    is_weighted = any(item.inclusion_probability for item, _ in found)
    if is_weighted:
        found = [(item, verdict) for item, verdict in found if item.inclusion_probability]
    scores = np.array([item.score for item, _ in found])
    is_present = np.array([verdict for _, verdict in found], bool)
    weights = np.array([1 / (item.inclusion_probability or 1) for item, _ in found])
    return Evidence(
        scores[is_present].tolist(),
        scores[~is_present].tolist(),
        precision_curve(scores, is_present, weights),
        is_weighted,
    )
