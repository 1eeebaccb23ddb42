"""Figures of many resamplings of the same recordings, so that two models can be compared on each of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dawnchorus.evaluation.bootstrap import draw_recordings
from dawnchorus.evaluation.box_metrics import average_precision_and_auc
from dawnchorus.evaluation.label_metrics import ranking_precisions

# Maximum number of weights (resamplings times labels of a species) in memory.
MOST_WEIGHTS = 4_000_000


@dataclass(frozen=True)
class Labels:
    """What is known about recordings, sorted, so that two experiments have the same labels if these are equal.

    Attributes:
        recordings: what identifies each recording, shape [Recordings].
        species: the codes of the species, shape [Species].
        table: a row for each known label, with the number of its recording, that of its species and whether it is
            present; further columns tell labels of one recording and species apart.
        groups: number of the group of each recording, shape [Recordings]; None where each is a group.
    """

    recordings: list[tuple[str, str]]
    species: list[str]
    table: pd.DataFrame
    groups: NDArray[np.int64] | None

    def differs_from(self, other: "Labels") -> str:
        """Why scores of these labels and of others cannot be compared in pairs; empty if they can."""
        if self.species != other.species:
            return "it has other species"
        if self.recordings != other.recordings:
            return f"it has other recordings ({len(self.recordings)} instead of {len(other.recordings)})"
        if not self.table.equals(other.table):
            return "its recordings have other labels"
        return ""


@dataclass(frozen=True)
class Evidence:
    """Scores of known labels.

    Attributes:
        labels: the labels.
        scores: the score of each label, shape [Labels].
        precisions: of each recording, the sum of `label_metrics.ranking_precisions` and the number of present species,
            shape [2, Recordings]; zeros where labels are boxes, which have no LWLRAP.
    """

    labels: Labels
    scores: NDArray[np.float64]
    precisions: NDArray[np.float64]


def clip_evidence(
    recordings: Sequence[tuple[str, str]],
    species: Sequence[str],
    truth: NDArray[np.bool_],
    mask: NDArray[np.bool_],
    scores: NDArray[np.floating],
    groups: NDArray[np.int64] | None,
) -> Evidence:
    """Evidence from clip scores.

    Args:
        recordings: what identifies each recording, shape [Recordings].
        species: codes of the species.
        truth: which species call, shape [Recordings, Species].
        mask: where `truth` is known, shape [Recordings, Species].
        scores: clip scores, shape [Recordings, Species].
        groups: as in `Labels`.
    """
    order = sorted(range(len(recordings)), key=lambda row: recordings[row])
    truth, mask, scores = truth[order], mask[order], scores[order]
    rows, columns = np.nonzero(mask)
    table = pd.DataFrame({"recording": rows, "species": columns, "is_present": truth[rows, columns]})
    labels = Labels([recordings[row] for row in order], list(species), table, None if groups is None else groups[order])
    precisions = np.stack([ranking_precisions(truth, scores).sum(axis=1), truth.sum(axis=1)])
    return Evidence(labels, scores[rows, columns].astype(float), precisions)


@dataclass(frozen=True)
class Figures:
    """Figures of each resampling; the first counts each recording once.

    Attributes:
        lwlrap: shape [Resamplings]; NaN for boxes, and for a resampling without a call.
        by_species: average precision, shape [Species, Resamplings]; NaN where a species is not both present and absent.
    """

    lwlrap: NDArray[np.float64]
    by_species: NDArray[np.float64]

    @property
    def macro(self) -> NDArray[np.float64]:
        """The mean of average precision over the species that have one, shape [Resamplings]."""
        known = ~np.isnan(self.by_species)
        with np.errstate(invalid="ignore"):
            return np.nansum(self.by_species, axis=0) / known.sum(axis=0)


def resampled_figures(evidence: Sequence[Evidence], samples: int, rng: np.random.Generator) -> list[Figures]:
    """Compute the figures of several models on the same resamplings of the same recordings, or of their groups.

    Args:
        evidence: scores of the same labels by each model.
        samples: number of resamplings.
        rng: random generator.

    Returns:
        The figures of each model, with 1 + `samples` resamplings.
    """
    labels = evidence[0].labels
    n = len(labels.recordings)
    rows, present = labels.table.recording.to_numpy(), labels.table.is_present.to_numpy()
    of_species = [np.flatnonzero(labels.table.species == number) for number in range(len(labels.species))]
    at_once = max(1, MOST_WEIGHTS // max(1, n, *(len(each) for each in of_species)))
    lwlrap: list[list[NDArray[np.float64]]] = [[] for _ in evidence]
    by_species: list[list[NDArray[np.float64]]] = [[] for _ in evidence]
    drawn = draw_recordings(n, samples, at_once, rng, labels.groups)
    for weights in (np.ones((1, n), int), *drawn):
        for number, each in enumerate(evidence):
            sums = each.precisions @ weights.T
            with np.errstate(invalid="ignore"):
                lwlrap[number].append(sums[0] / sums[1])
            by_species[number].append(
                np.array([
                    average_precision_and_auc(present[items], each.scores[items], weights.T[rows[items]])[0]
                    if 0 < present[items].sum() < len(items)
                    else np.full(len(weights), np.nan)
                    for items in of_species
                ])
            )  # fmt: skip
    return [
        Figures(np.concatenate(ranks), np.concatenate(species, axis=1))
        for ranks, species in zip(lwlrap, by_species, strict=True)
    ]


def interval(values: NDArray[np.float64]) -> tuple[float, float, float]:
    """The value of all recordings, and its 95 % interval; NaN if there is none.

    Args:
        values: that of all recordings, then those of resamplings, shape [1 + Resamplings].
    """
    if np.isnan(values[0]) or np.isnan(values[1:]).all():
        return float(values[0]), float("nan"), float("nan")
    low, high = np.nanpercentile(values[1:], [2.5, 97.5])
    return float(values[0]), float(low), float(high)
