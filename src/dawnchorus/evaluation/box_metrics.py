"""Metrics of labelled boxes: how well a species' TP boxes score above its FP boxes."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dawnchorus.evaluation.bootstrap import draw_recordings, number_groups

# This many weights, resamplings times recordings or FP boxes, are in memory at once.
MOST_WEIGHTS = 1_000_000


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
    return _Ranking.of(is_tp, scores, np.arange(len(scores))).figures(np.ascontiguousarray(weights.T))


@dataclass(frozen=True)
class _Ranking:
    """A species' boxes by falling score; thresholds are the scores of its TP boxes, for others do not count.

    Attributes:
        tp: the row of the weights that each TP box takes, shape [TP boxes].
        fp: likewise, shape [FP boxes].
        tp_above: TP boxes that score at least each threshold, shape [Thresholds].
        fp_above: FP boxes, likewise.
        fp_strictly_above: FP boxes that score more than it.
    """

    tp: NDArray[np.int64]
    fp: NDArray[np.int64]
    tp_above: NDArray[np.int64]
    fp_above: NDArray[np.int64]
    fp_strictly_above: NDArray[np.int64]

    @classmethod
    def of(cls, is_tp: NDArray[np.bool_], scores: NDArray[np.floating], weight_rows: NDArray[np.int64]) -> "_Ranking":
        tp, fp = (rows[np.argsort(-scores[rows])] for rows in (np.flatnonzero(is_tp), np.flatnonzero(~is_tp)))
        thresholds = np.unique(-scores[tp])
        return cls(
            weight_rows[tp],
            weight_rows[fp],
            np.searchsorted(-scores[tp], thresholds, "right"),
            np.searchsorted(-scores[fp], thresholds, "right"),
            np.searchsorted(-scores[fp], thresholds, "left"),
        )

    def figures(self, weights: NDArray[np.number]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Average precision and AUC for weights of shape [Weightings, Rows]: [Weightings] each."""
        tp_weight, fp_weight = _summed(weights.take(self.tp, axis=1)), _summed(weights.take(self.fp, axis=1))
        tp_above, fp_above = tp_weight.take(self.tp_above, axis=1), fp_weight.take(self.fp_above, axis=1)
        tp, n_tp, n_fp = np.diff(tp_above, axis=1, prepend=0), tp_weight[:, -1], fp_weight[:, -1]
        with np.errstate(invalid="ignore", divide="ignore"):
            precision = np.nan_to_num(tp_above / (tp_above + fp_above))
            missing = np.where((n_tp > 0) & (n_fp > 0), 0.0, np.nan)
            average_precision = (tp * precision).sum(axis=1) / n_tp
            # A tie counts half.
            fp_below = n_fp[:, None] - (fp_above + fp_weight.take(self.fp_strictly_above, axis=1)) / 2
            auc = (tp * fp_below).sum(axis=1) / n_tp / n_fp
        return average_precision + missing, auc + missing


def _summed(weights: NDArray[np.number]) -> NDArray[np.number]:
    """The sum of the first none, one, two, ... columns: [Weightings, Boxes] -> [Weightings, Boxes + 1]."""
    summed = np.zeros((len(weights), weights.shape[1] + 1), weights.dtype)
    np.cumsum(weights, axis=1, out=summed[:, 1:])
    return summed


@dataclass(frozen=True)
class _Macro:
    """The figures of scored boxes, as means over species; a species without TP or without FP boxes is left out."""

    recordings: NDArray[np.object_]
    species: list[_Ranking]

    @classmethod
    def of(cls, boxes: pd.DataFrame) -> "_Macro":
        table = boxes.reset_index()
        is_tp, scores = table.is_tp.to_numpy(), table.score.to_numpy()
        recordings, names = pd.factorize(table.recording_id)
        species = [
            _Ranking.of(is_tp[rows], scores[rows], recordings[rows])
            for rows in table.groupby("species_id").indices.values()
            if 0 < is_tp[rows].sum() < len(rows)
        ]
        return cls(names.to_numpy(), species)

    def once(self) -> NDArray[np.int64]:
        """The weighting that counts each recording once, shape [1, Recordings]."""
        return np.ones((1, len(self.recordings)), int)

    def figures(self, weights: NDArray[np.integer]) -> NDArray[np.float64]:
        """Average precision and AUC for weights of shape [Weightings, Recordings]: shape [2, Weightings]."""
        values = np.array([ranking.figures(weights) for ranking in self.species])
        # A resampling may lack a species' TP or FP boxes.
        with np.errstate(invalid="ignore"):
            return np.nansum(values, axis=0) / (~np.isnan(values)).sum(axis=0)


def macro_average_precision(boxes: pd.DataFrame) -> float:
    """`BoxEvaluation.box_average_precision` of scored boxes; NaN where no species has TP and FP boxes."""
    macro = _Macro.of(boxes)
    return float(macro.figures(macro.once())[0, 0]) if macro.species else float("nan")


def evaluate_boxes(
    boxes: pd.DataFrame, samples: int, rng: np.random.Generator, groups: pd.Series | None = None
) -> BoxEvaluation:
    """All figures of scored boxes.

    Args:
        boxes: as `box_tables.read_boxes` gives them.
        samples: resamplings of the bootstrap, which draws the recordings that have boxes.
        rng: draws them.
        groups: the group of each recording, indexed by recording_id: the bootstrap then draws whole groups.

    Raises:
        KeyError: a recording with boxes is not in `groups`.
    """
    macro = _Macro.of(boxes)
    if not macro.species:
        return BoxEvaluation(*[float("nan")] * 6)
    n_recordings = len(macro.recordings)
    largest = max(n_recordings, *(len(ranking.fp) for ranking in macro.species))
    numbers = None if groups is None else number_groups(groups, list(macro.recordings))
    draws = draw_recordings(n_recordings, samples, max(1, MOST_WEIGHTS // largest), rng, numbers)
    drawn = [macro.figures(weights) for weights in draws]
    low, high = np.nanpercentile(np.concatenate(drawn, axis=1), [2.5, 97.5], axis=1)
    average_precision, auc = macro.figures(macro.once())[:, 0]
    return BoxEvaluation(*map(float, (average_precision, low[0], high[0], auc, low[1], high[1])))
