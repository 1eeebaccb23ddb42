"""Metrics of labelled boxes: how well a species' TP boxes score above its FP boxes."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

# So many weights, of recordings in resamplings, are held at once.
MOST_WEIGHTS = 4_000_000


@dataclass(frozen=True)
class BoxEvaluation:
    """Figures of the scores of labelled boxes, each with its bootstrap 95 % interval; NaN where no species has both.

    Attributes:
        box_average_precision: average precision of TP against FP boxes of a species, the mean over species with both.
        box_average_precision_low: lower end of its interval.
        box_average_precision_high: upper end.
        box_auc: area under the ROC curve, likewise.
        box_auc_low: lower end of its interval.
        box_auc_high: upper end.
    """

    box_average_precision: float
    box_average_precision_low: float
    box_average_precision_high: float
    box_auc: float
    box_auc_low: float
    box_auc_high: float


def average_precision_and_auc(
    is_tp: NDArray[np.bool_], scores: NDArray[np.floating], weights: NDArray[np.number]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Average precision and area under the ROC curve of TP against FP boxes, for many weightings of the boxes.

    For each weighting these are scikit-learn's `average_precision_score` and `roc_auc_score` with `sample_weight`.

    Args:
        is_tp: whether each is a TP box (else FP), shape [Boxes].
        scores: shape [Boxes].
        weights: shape [Boxes, Weightings].

    Returns:
        Both figures, each with shape [Weightings]; NaN where TP or FP boxes have no weight.
    """
    # Thresholds at which no TP box stands do not count.
    levels = np.unique(scores[is_tp])[::-1]
    tp_above, _ = _weight_above(scores, weights, np.flatnonzero(is_tp), levels)
    fp_above, fp_strictly_above = _weight_above(scores, weights, np.flatnonzero(~is_tp), levels)
    tp = np.diff(tp_above, axis=0, prepend=0)
    n_tp, n_fp = weights[is_tp].sum(axis=0), weights[~is_tp].sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.nan_to_num(tp_above / (tp_above + fp_above))
        missing = np.where((n_tp > 0) & (n_fp > 0), 0.0, np.nan)
        average_precision = (tp * precision).sum(axis=0) / n_tp
        # A tie counts half.
        auc = (tp * (n_fp - (fp_above + fp_strictly_above) / 2)).sum(axis=0) / (n_tp * n_fp)
    return average_precision + missing, auc + missing


def _weight_above(
    scores: NDArray[np.floating], weights: NDArray[np.number], rows: NDArray[np.int64], levels: NDArray[np.floating]
) -> tuple[NDArray[np.number], NDArray[np.number]]:
    """The weight of some boxes that score at least each level, and of those that score more: [Levels, Weightings]."""
    falling = rows[np.argsort(-scores[rows])]
    summed = np.zeros((len(rows) + 1, weights.shape[1]), weights.dtype)
    np.cumsum(weights[falling], axis=0, out=summed[1:])
    at_least, more = (np.searchsorted(-scores[falling], -levels, side) for side in ("right", "left"))
    return summed[at_least], summed[more]


@dataclass(frozen=True)
class _Macro:
    """The figures of scored boxes, as means over species; a species without TP or without FP boxes is left out."""

    recordings: NDArray[np.int64]
    species: list[tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.float64]]]

    @classmethod
    def of(cls, boxes: pd.DataFrame) -> "_Macro":
        table = boxes.reset_index()
        is_tp, scores = table.is_tp.to_numpy(), table.score.to_numpy()
        species = [
            (rows, is_tp[rows], scores[rows])
            for rows in table.groupby("species_id").indices.values()
            if 0 < is_tp[rows].sum() < len(rows)
        ]
        return cls(pd.factorize(table.recording_id)[0], species)

    def figures(self, weights: NDArray[np.integer]) -> NDArray[np.float64]:
        """Average precision and AUC for weights of shape [Recordings, Weightings]: shape [2, Weightings]."""
        values = np.array([
            average_precision_and_auc(is_tp, scores, weights[self.recordings[rows]])
            for rows, is_tp, scores in self.species
        ])  # fmt: skip
        # A resampling may lack a species' TP or FP boxes.
        with np.errstate(invalid="ignore"):
            return np.nansum(values, axis=0) / (~np.isnan(values)).sum(axis=0)


def macro_average_precision(boxes: pd.DataFrame) -> float:
    """`BoxEvaluation.box_average_precision` of scored boxes; NaN where no species has TP and FP boxes."""
    macro = _Macro.of(boxes)
    return float(macro.figures(np.ones((len(boxes), 1), int))[0, 0]) if macro.species else float("nan")


def evaluate_boxes(boxes: pd.DataFrame, samples: int, rng: np.random.Generator) -> BoxEvaluation:
    """All figures of scored boxes.

    Args:
        boxes: as `tables.read_boxes` gives them.
        samples: of the bootstrap, which draws recordings anew.
        rng: draws them.
    """
    macro = _Macro.of(boxes)
    if not macro.species:
        return BoxEvaluation(*[float("nan")] * 6)
    n_recordings = int(macro.recordings.max()) + 1
    at_once = max(1, MOST_WEIGHTS // max(n_recordings, *(len(rows) for rows, _, _ in macro.species)))
    share = np.full(n_recordings, 1 / n_recordings)
    drawn = [
        macro.figures(
            rng.multinomial(n_recordings, share, size=min(at_once, samples - done)).T.astype(np.int32, order="C")
        )
        for done in range(0, samples, at_once)
    ]
    low, high = np.nanpercentile(np.concatenate(drawn, axis=1), [2.5, 97.5], axis=1)
    average_precision, auc = macro.figures(np.ones((n_recordings, 1), int))[:, 0]
    return BoxEvaluation(*map(float, (average_precision, low[0], high[0], auc, low[1], high[1])))
