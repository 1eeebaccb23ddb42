"""Metrics of box scores: how well they separate the TP boxes of a species from its FP boxes."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dawnchorus.evaluation.bootstrap import draw_recordings, number_groups

# Maximum number of weights (resamplings times recordings or FP boxes) in memory.
MOST_WEIGHTS = 1_000_000


@dataclass(frozen=True)
class BoxEvaluation:
    """Metrics of box scores, with bootstrap 95 % intervals. They are means over the species with TP and FP boxes.

    All values are NaN if no species has both.

    Attributes:
        box_average_precision: average precision of TP against FP boxes.
        box_average_precision_low: lower end of its interval.
        box_average_precision_high: upper end of its interval.
        box_auc: area under the ROC curve of TP against FP boxes.
        box_auc_low: lower end of its interval.
        box_auc_high: upper end of its interval.
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
    """Compute average precision and area under the ROC curve of TP against FP boxes for many weightings of the boxes.

    The results equal scikit-learn's `average_precision_score` and `roc_auc_score` with `sample_weight`.

    Args:
        is_tp: whether each box is a TP box (otherwise an FP box), shape [Boxes].
        scores: score of each box, shape [Boxes].
        weights: weight of each box in each weighting, shape [Boxes, Weightings].

    Returns:
        Average precision and AUC, each of shape [Weightings]; NaN if the TP boxes or the FP boxes have no weight.
    """
    return _Ranking.of(is_tp, scores, np.arange(len(scores))).figures(np.ascontiguousarray(weights.T))


def average_precision(
    is_tp: NDArray[np.bool_], scores: NDArray[np.floating], weights: NDArray[np.number] | None = None
) -> float:
    """Compute the average precision of TP against FP boxes, as `average_precision_and_auc` does.

    Args:
        is_tp: whether each box is a TP box, shape [Boxes].
        scores: score of each box, shape [Boxes].
        weights: weight of each box, shape [Boxes]; None: 1.
    """
    weights = np.ones(len(scores)) if weights is None else weights
    return float(average_precision_and_auc(is_tp, scores, weights[:, None])[0][0])


@dataclass(frozen=True)
class _Ranking:
    """The boxes of one species, in descending order of score.

    The thresholds are the distinct scores of its TP boxes. Other thresholds do not change the metrics.

    Attributes:
        tp: row of the weights that applies to each TP box, shape [TP boxes].
        fp: row of the weights that applies to each FP box, shape [FP boxes].
        tp_above: number of TP boxes with a score of at least each threshold, shape [Thresholds].
        fp_above: number of FP boxes with a score of at least each threshold, shape [Thresholds].
        fp_strictly_above: number of FP boxes with a score above each threshold, shape [Thresholds].
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
        """Compute average precision and AUC, shape [Weightings] each, from weights of shape [Weightings, Rows]."""
        tp_weight, fp_weight = _summed(weights.take(self.tp, axis=1)), _summed(weights.take(self.fp, axis=1))
        tp_above, fp_above = tp_weight.take(self.tp_above, axis=1), fp_weight.take(self.fp_above, axis=1)
        tp, n_tp, n_fp = np.diff(tp_above, axis=1, prepend=0), tp_weight[:, -1], fp_weight[:, -1]
        with np.errstate(invalid="ignore", divide="ignore"):
            precision = np.nan_to_num(tp_above / (tp_above + fp_above))
            missing = np.where((n_tp > 0) & (n_fp > 0), 0.0, np.nan)
            average_precision = (tp * precision).sum(axis=1) / n_tp
            # A tie counts as half.
            fp_below = n_fp[:, None] - (fp_above + fp_weight.take(self.fp_strictly_above, axis=1)) / 2
            auc = (tp * fp_below).sum(axis=1) / n_tp / n_fp
        return average_precision + missing, auc + missing


def _summed(weights: NDArray[np.number]) -> NDArray[np.number]:
    """Cumulative sums over boxes, starting with 0: [Weightings, Boxes] -> [Weightings, Boxes + 1]."""
    summed = np.zeros((len(weights), weights.shape[1] + 1), weights.dtype)
    np.cumsum(weights, axis=1, out=summed[:, 1:])
    return summed


@dataclass(frozen=True)
class _Macro:
    """The rankings of all species that have TP and FP boxes, and the names of the recordings.

    The rows of the weights are these recordings.
    """

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
        """Return the weighting that counts each recording once, shape [1, Recordings]."""
        return np.ones((1, len(self.recordings)), int)

    def figures(self, weights: NDArray[np.integer]) -> NDArray[np.float64]:
        """Compute the mean average precision and AUC over species: [Weightings, Recordings] -> [2, Weightings]."""
        values = np.array([ranking.figures(weights) for ranking in self.species])
        # A resampling may have no TP boxes or no FP boxes of a species.
        with np.errstate(invalid="ignore"):
            return np.nansum(values, axis=0) / (~np.isnan(values)).sum(axis=0)


def macro_average_precision(boxes: pd.DataFrame) -> float:
    """Compute `BoxEvaluation.box_average_precision`; `boxes` is as in `evaluate_boxes`."""
    macro = _Macro.of(boxes)
    return float(macro.figures(macro.once())[0, 0]) if macro.species else float("nan")


def evaluate_boxes(
    boxes: pd.DataFrame, samples: int, rng: np.random.Generator, groups: pd.Series | None = None
) -> BoxEvaluation:
    """Compute all metrics of box scores.

    Args:
        boxes: box scores, as from `box_tables.read_boxes`.
        samples: number of bootstrap resamplings of the recordings that have boxes.
        rng: random generator.
        groups: group of each recording, indexed by recording_id. If given, the bootstrap draws whole groups.

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
