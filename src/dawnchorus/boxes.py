"""Metrics of labelled boxes: how well a species' TP boxes score above its FP boxes."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from dawnchorus.metrics import draw_recordings

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
    return _Ranking.of(is_tp, scores, np.arange(len(scores)), len(scores)).figures(weights)


@dataclass(frozen=True)
class _Ranking:
    """A species' boxes by falling score; thresholds are the scores of its TP boxes, for others do not count.

    All count the boxes that take a row of the weights, as sparse matrices.

    Attributes:
        tp: TP boxes that score a threshold, shape [Thresholds, Rows].
        fp: FP boxes that score it, or more and less than the threshold before it, shape [Thresholds, Rows].
        fp_tied: FP boxes that score it, likewise.
        all_fp: FP boxes, shape [1, Rows].
    """

    tp: csr_array
    fp: csr_array
    fp_tied: csr_array
    all_fp: csr_array

    @classmethod
    def of(
        cls, is_tp: NDArray[np.bool_], scores: NDArray[np.floating], weight_rows: NDArray[np.int64], n_rows: int
    ) -> "_Ranking":
        thresholds = np.unique(-scores[is_tp])
        at_or_below = np.searchsorted(thresholds, -scores, "left")
        counted = at_or_below < len(thresholds)
        tied = counted & np.isin(-scores, thresholds)

        def count(chosen: NDArray[np.bool_], row: NDArray[np.int64], n: int) -> csr_array:
            ones = np.ones(chosen.sum(), np.int32)
            return csr_array((ones, (row[chosen], weight_rows[chosen])), (n, n_rows))

        n = len(thresholds)
        return cls(
            count(is_tp, at_or_below, n),
            count(~is_tp & counted, at_or_below, n),
            count(~is_tp & tied, at_or_below, n),
            count(~is_tp, np.zeros_like(at_or_below), 1),
        )

    def figures(self, weights: NDArray[np.number]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Average precision and AUC for weights of shape [Rows, Weightings]: [Weightings] each."""
        tp, tied, n_fp = self.tp @ weights, self.fp_tied @ weights, (self.all_fp @ weights)[0]
        tp_above, fp_above = np.cumsum(tp, axis=0), np.cumsum(self.fp @ weights, axis=0)
        n_tp = tp_above[-1]
        with np.errstate(invalid="ignore", divide="ignore"):
            precision = np.nan_to_num(tp_above / (tp_above + fp_above))
            missing = np.where((n_tp > 0) & (n_fp > 0), 0.0, np.nan)
            average_precision = (tp * precision).sum(axis=0) / n_tp
            # A tie counts half.
            auc = (tp * (n_fp - fp_above + tied / 2)).sum(axis=0) / n_tp / n_fp
        return average_precision + missing, auc + missing


@dataclass(frozen=True)
class _Macro:
    """The figures of scored boxes, as means over species; a species without TP or without FP boxes is left out."""

    n_recordings: int
    species: list[_Ranking]

    @classmethod
    def of(cls, boxes: pd.DataFrame) -> "_Macro":
        table = boxes.reset_index()
        is_tp, scores = table.is_tp.to_numpy(), table.score.to_numpy()
        recordings, names = pd.factorize(table.recording_id)
        species = [
            _Ranking.of(is_tp[rows], scores[rows], recordings[rows], len(names))
            for rows in table.groupby("species_id").indices.values()
            if 0 < is_tp[rows].sum() < len(rows)
        ]
        return cls(len(names), species)

    def figures(self, weights: NDArray[np.integer]) -> NDArray[np.float64]:
        """Average precision and AUC for weights of shape [Recordings, Weightings]: shape [2, Weightings]."""
        values = np.array([ranking.figures(weights) for ranking in self.species])
        # A resampling may lack a species' TP or FP boxes.
        with np.errstate(invalid="ignore"):
            return np.nansum(values, axis=0) / (~np.isnan(values)).sum(axis=0)


def macro_average_precision(boxes: pd.DataFrame) -> float:
    """`BoxEvaluation.box_average_precision` of scored boxes; NaN where no species has TP and FP boxes."""
    macro = _Macro.of(boxes)
    return float(macro.figures(np.ones((macro.n_recordings, 1), int))[0, 0]) if macro.species else float("nan")


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
    largest = max(macro.n_recordings, *(ranking.tp.shape[0] for ranking in macro.species))
    at_once = max(1, MOST_WEIGHTS // largest)
    drawn = [
        macro.figures(np.ascontiguousarray(draw_recordings(macro.n_recordings, min(at_once, samples - done), rng).T))
        for done in range(0, samples, at_once)
    ]
    low, high = np.nanpercentile(np.concatenate(drawn, axis=1), [2.5, 97.5], axis=1)
    average_precision, auc = macro.figures(np.ones((macro.n_recordings, 1), int))[:, 0]
    return BoxEvaluation(*map(float, (average_precision, low[0], high[0], auc, low[1], high[1])))
