"""Training windows: cut around annotations out of memory-mapped spectrograms, with target, mask and mixup."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dawnchorus.augment import draw_changes
from dawnchorus.cached import open_spectrogram
from dawnchorus.labels import window_labels
from dawnchorus.params import Params
from dawnchorus.seeding import generator
from dawnchorus.windows import Shapes, cut, place, to_seconds


@dataclass(frozen=True)
class Annotations:
    """TP and FP boxes as arrays, a row each.

    Attributes:
        recording_ids: shape [Rows], text.
        boxes: t_min (s), f_min (Hz), t_max (s) and f_max (Hz), shape [Rows, 4].
        species_ids: shape [Rows].
        is_tp: shape [Rows].
    """

    recording_ids: NDArray[np.str_]
    boxes: NDArray[np.float64]
    species_ids: NDArray[np.int64]
    is_tp: NDArray[np.bool_]

    @classmethod
    def of_tables(cls, tp: pd.DataFrame, fp: pd.DataFrame) -> "Annotations":
        """The rows of a TP and an FP table, in this order."""
        both = pd.concat([tp, fp])
        return cls(
            both.recording_id.to_numpy(str),
            both[["t_min", "f_min", "t_max", "f_max"]].to_numpy(float),
            both.species_id.to_numpy(),
            np.repeat([True, False], [len(tp), len(fp)]),
        )

    def __len__(self) -> int:
        return len(self.is_tp)

    def of_recordings(self, recording_ids: set[str]) -> "Annotations":
        """The rows of some recordings."""
        keep = np.isin(self.recording_ids, list(recording_ids))
        return Annotations(self.recording_ids[keep], self.boxes[keep], self.species_ids[keep], self.is_tp[keep])


@dataclass(frozen=True)
class Crops:
    """The training windows of one model: every annotation once an epoch, in a new order and at a new place.

    Of the FP boxes an epoch draws `train.fp_fraction`, others in each.

    Attributes:
        annotations: the rows to train on.
        folder: of the cached spectrograms.
        params: the experiment.
        n_species: number of species.
        job: names the model in every random draw, for example ("small_cnn", 0).
    """

    annotations: Annotations
    folder: Path
    params: Params
    n_species: int
    job: tuple[str | int, ...]

    def crop(self, row: int, epoch: int) -> tuple[NDArray[np.float16], NDArray[np.float32], NDArray[np.float32]]:
        """The window of one annotation in one epoch.

        Returns:
            window (Frames, Mels) in dB, target and known (Species,) each.
        """
        params, settings = self.params, self.params.spectrogram
        name = self.annotations.recording_ids[row]
        spectrogram = open_spectrogram(self.folder, name)
        length, _ = self._shapes.window
        seconds = to_seconds(length, settings)
        draw = generator(params.seed, "crop", *self.job, epoch, row).random()
        t_min, _, t_max, _ = self.annotations.boxes[row]
        begin = place(
            t_min, t_max, seconds, to_seconds(len(spectrogram), settings),
            params.train.begin_within, params.labels.min_overlap, draw,
        )  # fmt: skip
        # The frame at or before the placed time, so that the last frame stays within the recording.
        start = int(begin * settings.sample_rate / settings.hop_length)
        same = self._rows_of_recording[name]
        target, known = window_labels(
            self.annotations.boxes[same], self.annotations.species_ids[same], self.annotations.is_tp[same],
            to_seconds(start, settings), seconds, self.n_species,
            params.labels.min_overlap, params.labels.unlabelled_weight,
            (settings.f_min, settings.f_max) if params.labels.within_band else None,
            # A window that begins on a frame must not lose the box that it was placed around.
            tolerance=to_seconds(1, settings),
        )  # fmt: skip
        return cut(spectrogram, start, length), target, known

    def batches(self) -> Iterator[tuple[dict[str, NDArray], NDArray[np.float32]]]:
        """Batches without end, epoch after epoch; the last one of an epoch may be smaller.

        Yields:
            inputs: "windows" (Batch, Frames, Mels) float16 in dB, "partner" (Batch,) int32 and "weight" (Batch,)
                float32 for mixup, and what `draw_changes` gives, (Batch, ...) each.
            labels: target and known after mixup, stacked: (Batch, 2, Species) float32.
        """
        train = self.params.train
        for epoch in count():
            order = self._order(epoch)
            for number, start in enumerate(range(0, len(order), train.batch_size)):
                rows = order[start : start + train.batch_size]
                windows, target, known = zip(*(self.crop(int(row), epoch) for row in rows), strict=True)
                labels = np.stack([np.stack(target), np.stack(known)], axis=1)
                rng = generator(self.params.seed, "mixup", *self.job, epoch, number)
                partner = rng.permutation(len(rows)).astype(np.int32)
                weight = np.ones(len(rows), np.float32)
                if train.mixup_alpha > 0:
                    weight = rng.beta(train.mixup_alpha, train.mixup_alpha, len(rows)).astype(np.float32)
                changes = [self._changes(int(row), epoch) for row in rows]
                inputs = {"windows": np.stack(windows), "partner": partner, "weight": weight}
                inputs |= {key: np.stack([change[key] for change in changes]) for key in changes[0]}
                yield inputs, mix_labels(labels, partner, weight)

    @property
    def steps_per_epoch(self) -> int:
        """Batches in an epoch."""
        return -(-(len(self.annotations) - self._fp_left_out) // self.params.train.batch_size)

    @property
    def _fp_left_out(self) -> int:
        """FP rows that an epoch does not draw."""
        n_fp = int((~self.annotations.is_tp).sum())
        return n_fp - round(self.params.train.fp_fraction * n_fp)

    def _order(self, epoch: int) -> NDArray[np.int64]:
        """The rows of an epoch, in its order."""
        rng = generator(self.params.seed, "order", *self.job, epoch)
        order = rng.permutation(len(self.annotations))
        left_out = rng.choice(np.flatnonzero(~self.annotations.is_tp), self._fp_left_out, replace=False)
        return order[~np.isin(order, left_out)]

    def _changes(self, row: int, epoch: int) -> dict[str, NDArray]:
        rng = generator(self.params.seed, "augment", *self.job, epoch, row)
        return draw_changes(self.params.augment, self._shapes, rng)

    @cached_property
    def _shapes(self) -> Shapes:
        return Shapes.of(self.params)

    @cached_property
    def _rows_of_recording(self) -> dict[str, NDArray[np.int64]]:
        return pd.Series(self.annotations.recording_ids).groupby(self.annotations.recording_ids).indices


def mix_labels(
    labels: NDArray[np.float32], partner: NDArray[np.int32], weight: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The labels of windows that are mixed with partners.

    The loss of a mixed window is that of both its parts, each by its weight: known is the weighted mean of both, and
    target the mean of both weighed by what is known, so that a part of which nothing is known says nothing.

    Args:
        labels: target and known, shape [Batch, 2, Species].
        partner: row of each window's partner, shape [Batch].
        weight: of the window's own part, shape [Batch].

    Returns:
        Target and known of the mixed windows, shape [Batch, 2, Species].
    """
    own, other = weight[:, None], 1 - weight[:, None]
    target, known = labels[:, 0], labels[:, 1]
    mixed_known = own * known + other * known[partner]
    both = own * known * target + other * (known * target)[partner]
    mixed_target = np.divide(both, mixed_known, out=np.zeros_like(both), where=mixed_known > 0)
    return np.stack([mixed_target, mixed_known], axis=1)
