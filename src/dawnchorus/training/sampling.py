"""Sampling of training windows, most of them around annotations, with labels, masks, mixup, CutMix and augmentation."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dawnchorus.config.params import Params
from dawnchorus.data.annotations import Annotations
from dawnchorus.data.complete import Completeness
from dawnchorus.features.frames import to_seconds
from dawnchorus.features.store import FeatureStore
from dawnchorus.models.shapes import Shapes
from dawnchorus.seeding import generator
from dawnchorus.training.augmentation import draw_changes
from dawnchorus.training.background import Background
from dawnchorus.training.labels import window_labels
from dawnchorus.training.mixing import before, draw_cuts, join_windows, mix_labels, rest, union
from dawnchorus.training.pseudo_labels import PseudoLabels, Unlabelled
from dawnchorus.training.window_starts import sample_starts

# Labels are computed for this many batches at once, which takes little longer than for one batch.
BATCHES_AT_ONCE = 64


@dataclass(frozen=True)
class Draws:
    """All random draws of one epoch.

    Rows are the annotations, followed by the unlabelled recordings and the places of background windows. Values are
    drawn for every row, even for rows that the epoch does not use.

    Attributes:
        order: the rows that the epoch uses, in this order, shape [Windows].
        start: position of each window, from 0 (earliest) to 1 (latest), shape [Rows].
        weight: mixup weight of each window itself, 0 to 1, shape [Rows].
        partner: random numbers; their order in a batch determines the mixup partners, shape [Rows].
        kept: start and end of the frames that each window keeps in CutMix, shape [Rows, 2].
        changes: augmentations from `augmentation.draw_changes`, arrays of shape [Rows, ...].
    """

    order: NDArray[np.int64]
    start: NDArray[np.float64]
    weight: NDArray[np.float32]
    partner: NDArray[np.float64]
    kept: NDArray[np.int64]
    changes: dict[str, NDArray]


@dataclass(frozen=True)
class WindowSampler:
    """The training windows of one model.

    Each epoch draws new positions and a new order. It has one window around each of these:

    - every TP box,
    - a random fraction `train.fp_fraction` of the FP boxes.

    It also has one window from each of several random unlabelled recordings: at most `train.unlabelled_fraction` times
    the number of windows around boxes. And it has one window from each of several random places without a call: at most
    `train.background_fraction` times that number.

    Attributes:
        annotations: the boxes to train on.
        folder: folder of the spectrograms of annotated recordings.
        params: parameters of the experiment.
        n_species: number of species.
        job: identifies the model in every random draw, for example ("small_cnn", 0).
        pseudo_labels: targets of species without an annotation. If None, these species count as absent with the weight
            `labels.weak_negative_weight`.
        unlabelled: recordings that have only pseudo-labels, or None.
        uncertain: uncertain boxes, also of other recordings, or None. They mask their species, and draw no windows.
        complete: recordings of which all calls of a species are labelled, or None. There, unlabelled means absent.
        background: places without a call in these recordings, or None.
    """

    annotations: Annotations
    folder: Path
    params: Params
    n_species: int
    job: tuple[str | int, ...]
    pseudo_labels: PseudoLabels | None = None
    unlabelled: Unlabelled | None = None
    uncertain: Annotations | None = None
    complete: Completeness | None = None
    background: Background | None = None

    def draws(self, epoch: int) -> Draws:
        """The random draws of an epoch. They depend only on the seed, the model and the epoch."""
        train, n_rows = self.params.train, len(self._recording_ids)

        def of(what: str) -> np.random.Generator:
            return generator(self.params.seed, what, *self.job, epoch)

        rng = of("order")
        order = rng.permutation(n_rows)
        left_out = rng.choice(np.flatnonzero(~self.annotations.is_tp), self._fp_left_out, replace=False)
        unlabelled, background = self._first_rows
        left_out = np.append(
            left_out, rng.choice(np.arange(unlabelled, background), self._unlabelled_left_out, replace=False)
        )
        # From a generator of their own: without background, other draws must not depend on it.
        places = of("background").choice(np.arange(background, n_rows), self._background_left_out, replace=False)
        left_out = np.append(left_out, places)
        rng = of("mixup")
        alpha = train.mixup_alpha
        return Draws(
            order=order[~np.isin(order, left_out)],
            start=of("place").random(n_rows),
            weight=(rng.beta(alpha, alpha, n_rows) if alpha > 0 else np.ones(n_rows)).astype(np.float32),
            partner=rng.random(n_rows),
            kept=draw_cuts(train.cutmix_probability, self._shapes.window[0], n_rows, of("cutmix")),
            changes=draw_changes(self.params.augment, self._shapes, n_rows, of("augment")),
        )

    def starts_and_labels(self, rows: NDArray[np.int64], draws: Draws) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Compute the starts and labels of windows in one epoch.

        Args:
            rows: row of each window, shape [Windows].
            draws: random draws of the epoch.

        Returns:
            starts: first frame of each window, shape [Windows].
            labels: target and mask of the frames that each window keeps in CutMix, (Windows, 2, Species).
        """
        params, settings = self.params, self.params.spectrogram
        frames = np.array([self._spectrograms.frames(name) for name in self._recording_ids[rows]])
        second = to_seconds(1, settings)
        seconds = self._shapes.window[0] * second
        draw = draws.start[rows]
        begins = draw * np.maximum(0.0, frames * second - seconds)
        is_box = rows < len(self.annotations)
        t_min, _, t_max, _ = self.annotations.boxes[rows[is_box]].T
        begins[is_box] = sample_starts(
            t_min, t_max, seconds, frames[is_box] * second, params.train.begin_within, params.labels.min_overlap,
            draw[is_box],
        )  # fmt: skip
        # Rounding down keeps the last frame of the window within the recording.
        starts = (begins * settings.sample_rate / settings.hop_length).astype(int)
        if self.background is not None:
            places = rows - self._first_rows[1]
            is_background = places >= 0
            starts[is_background] = self.background.starts(places[is_background], draw[is_background])
        return starts, self._labels(rows, starts, draws.kept[rows])

    def read(self, rows: NDArray[np.int64], starts: NDArray[np.int64]) -> NDArray[np.int16]:
        """Read the windows of `rows` that start on the frames `starts`, in codes: (Windows, Frames, Mels)."""
        windows = np.empty((len(rows), *self._shapes.window), np.int16)
        for name, start, window in zip(self._recording_ids[rows], starts, windows, strict=True):
            self._spectrograms.read(name, int(start), window)
        return windows

    def batches(self, first_epoch: int = 0) -> Iterator[tuple[dict[str, NDArray], NDArray[np.float32]]]:
        """Yield batches endlessly, epoch after epoch. The last batch of an epoch may be smaller.

        Args:
            first_epoch: the epoch to start with, counted from 0.

        Yields:
            inputs: "windows" (Batch, Frames, Mels) int16 in codes; "partner" (Batch,) int32 and "weight" (Batch,)
                float32 for mixup; and the augmentations from `draw_changes`, (Batch, ...) each.
            labels: target and mask after CutMix and mixup, (Batch, 2, Species) float32.
        """
        batch_size, cuts = self.params.train.batch_size, self.params.train.cutmix_probability > 0
        for epoch in count(first_epoch):
            draws = self.draws(epoch)
            for first in range(0, len(draws.order), BATCHES_AT_ONCE * batch_size):
                several = draws.order[first : first + BATCHES_AT_ONCE * batch_size]
                starts, labels = self.starts_and_labels(several, draws)
                if cuts:
                    labels = self._joined(several, starts, labels, draws.kept[several])
                for start in range(0, len(several), batch_size):
                    batch = slice(start, start + batch_size)
                    rows = several[batch]
                    partner, weight = draws.partner[rows].argsort().astype(np.int32), draws.weight[rows]
                    windows = self.read(rows, starts[batch])
                    inputs: dict[str, NDArray] = {
                        "windows": join_windows(windows, draws.kept[rows]) if cuts else windows,
                        "partner": partner,
                        "weight": weight,
                        **{key: values[rows] for key, values in draws.changes.items()},
                    }
                    yield inputs, mix_labels(labels[batch], partner, weight)

    def _labels(
        self, rows: NDArray[np.int64], starts: NDArray[np.int64], stretches: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Target and mask of a stretch of each window.

        Args:
            rows: row of each window, shape [Windows].
            starts: first frame of each window, shape [Windows].
            stretches: start and end of the stretch, frames of the window, shape [Windows, 2].

        Returns:
            Target and mask, (Windows, 2, Species).
        """
        labels, settings, boxes = self.params.labels, self.params.spectrogram, self._boxes
        second = to_seconds(1, settings)
        names = self._recording_ids[rows]
        nothing = np.empty(0, int)
        same = [self._rows_of_recording.get(name, nothing) for name in names]
        pairs = np.concatenate(same)
        begins, ends = (starts[:, None] * second + stretches * second).T
        target, mask = window_labels(
            boxes.boxes[pairs], boxes.species_ids[pairs], boxes.is_tp[pairs],
            np.repeat(np.arange(len(rows)), [len(one) for one in same]), begins, self._shapes.window[0] * second,
            self.n_species, labels.min_overlap,
            labels.weak_negative_weight if self.pseudo_labels is None else self.pseudo_labels.weight,
            (settings.f_min, settings.f_max) if labels.within_band else None,
            # Rounding the start to a frame must not exclude the box that the window was placed around.
            tolerance=second,
            ends=ends,
            pseudo_labels=None if self.pseudo_labels is None else self.pseudo_labels.of(names, starts),
            is_uncertain=pairs >= len(self.annotations),
            is_complete=None if self.complete is None else self.complete.of(names),
        )  # fmt: skip
        return np.stack([target, mask], axis=1)

    def _joined(
        self,
        rows: NDArray[np.int64],
        starts: NDArray[np.int64],
        labels: NDArray[np.float32],
        kept: NDArray[np.int64],
    ) -> NDArray[np.float32]:
        """Labels after CutMix, (Windows, 2, Species), from the `labels` of the frames that the windows keep."""
        others = before(len(rows), self.params.train.batch_size)
        filled = rest(kept, self._shapes.window[0])
        added = self._labels(rows[others], starts[others], filled)
        is_cut = filled[:, 0] < filled[:, 1]
        return np.where(is_cut[:, None, None], union(labels, added), labels)

    @property
    def steps_per_epoch(self) -> int:
        """The number of batches in an epoch."""
        left_out = self._fp_left_out + self._unlabelled_left_out + self._background_left_out
        return -(-(len(self._recording_ids) - left_out) // self.params.train.batch_size)

    @property
    def _fp_left_out(self) -> int:
        """The number of FP boxes that an epoch leaves out."""
        n_fp = int((~self.annotations.is_tp).sum())
        return n_fp - round(self.params.train.fp_fraction * n_fp)

    @property
    def _unlabelled_left_out(self) -> int:
        """The number of unlabelled recordings that an epoch leaves out."""
        unlabelled, background = self._first_rows
        return max(0, background - unlabelled - round(self.params.train.unlabelled_fraction * self._n_boxes))

    @property
    def _background_left_out(self) -> int:
        """The number of places for background windows that an epoch leaves out."""
        n_places = len(self._recording_ids) - self._first_rows[1]
        return max(0, n_places - round(self.params.train.background_fraction * self._n_boxes))

    @property
    def _n_boxes(self) -> int:
        """The number of windows around boxes in an epoch."""
        return len(self.annotations) - self._fp_left_out

    @property
    def _first_rows(self) -> tuple[int, int]:
        """The rows of the first unlabelled recording and of the first place for a background window."""
        n_unlabelled = 0 if self.unlabelled is None else len(self.unlabelled.recording_ids)
        return len(self.annotations), len(self.annotations) + n_unlabelled

    @cached_property
    def _recording_ids(self) -> NDArray[np.str_]:
        """The recording of each row, shape [Rows]."""
        unlabelled = np.array([] if self.unlabelled is None else self.unlabelled.recording_ids, str)
        background = np.array([], str) if self.background is None else self.background.recording_ids
        return np.concatenate([self.annotations.recording_ids, unlabelled, background])

    @cached_property
    def _spectrograms(self) -> FeatureStore:
        return FeatureStore(self.folder, *([] if self.unlabelled is None else self.unlabelled.folders))

    @cached_property
    def _shapes(self) -> Shapes:
        return Shapes.of(self.params)

    @cached_property
    def _boxes(self) -> Annotations:
        """The annotations, followed by the uncertain boxes."""
        return self.annotations if self.uncertain is None else self.annotations.joined(self.uncertain)

    @cached_property
    def _rows_of_recording(self) -> dict[str, NDArray[np.int64]]:
        """The rows of `_boxes` of each recording."""
        return pd.Series(self._boxes.recording_ids).groupby(self._boxes.recording_ids).indices
