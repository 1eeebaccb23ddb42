"""A job that trains a linear head on the embeddings of all folds except one."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dawnchorus.config.params import Params
from dawnchorus.data.annotations import Annotations, read_annotations, read_uncertain
from dawnchorus.data.complete import read_complete
from dawnchorus.data.fold_table import read_folds
from dawnchorus.data.folds import stratified_split
from dawnchorus.data.recordings import read_recordings
from dawnchorus.data.species import read_species
from dawnchorus.data.splits import units
from dawnchorus.features.embeddings import read_embeddings, read_starts
from dawnchorus.features.frames import to_frames, to_seconds
from dawnchorus.inference.window_scores import window_hop
from dawnchorus.inference.windows import tile
from dawnchorus.models.linear_head import LinearHead
from dawnchorus.seeding import generator
from dawnchorus.training.labels import in_other_window, pair_with_windows, window_labels
from dawnchorus.training.linear import Regularization, choose_regularization, fit_head, fit_whitenings
from dawnchorus.training.pseudo_labels import PseudoLabels, read_pseudo_labels, scored_recordings

# Parts of the training recordings that choose the regularization, and the most windows for that.
PARTS = 3
MOST_TO_CHOOSE = 20_000


@dataclass(frozen=True)
class HeadJob:
    """What to train, and the paths of the inputs.

    Attributes:
        round_id: id of the round.
        embedding: name of the embedding.
        fold: the fold to leave out.
        annotations: `data/annotations.csv`.
        folds: `data/folds.csv`.
        species: `data/species.csv`.
        complete: `data/complete.csv`.
        recordings: `data/splits/train.csv`.
        embeddings: folder of the embeddings of annotated recordings.
        unlabelled: folder of the embeddings of unlabelled recordings, by fold.
        pseudo_labels: folder of the window scores from an earlier round's models; empty if there are none.
        pseudo_label_weight: weight of pseudo-labels in the loss.
    """

    round_id: str
    embedding: str
    fold: int
    annotations: Path
    folds: Path
    species: Path
    complete: Path
    recordings: Path
    embeddings: Path
    unlabelled: Path
    pseudo_labels: Path
    pseudo_label_weight: float


@dataclass(frozen=True)
class TrainedHead:
    """The result of a job.

    Attributes:
        head: the head.
        regularization: which was chosen.
        n_present: number of present boxes in the training recordings.
        n_missed: how many of them no window contains enough of, so that they teach nothing.
    """

    head: LinearHead
    regularization: Regularization
    n_present: int
    n_missed: int


@dataclass(frozen=True)
class Embedded:
    """The embedded windows of recordings, whose vectors are on disk.

    Attributes:
        files: the file of each recording, by its name.
        edges: the row of each recording's first window, and the number of all windows, shape [Recordings + 1].
        starts: first frame of each window, shape [Windows].
    """

    files: dict[str, Path]
    edges: NDArray[np.int64]
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, files: dict[str, Path]) -> "Embedded":
        """Find the windows of recordings in the files of their embeddings.

        Raises:
            InputError: a file is missing or damaged.
        """
        found = [read_starts(path) for path in files.values()]
        return cls(files, np.cumsum([0, *map(len, found)]), np.concatenate(found))

    @property
    def names(self) -> list[str]:
        """The recordings."""
        return list(self.files)

    def vectors(self, rows: NDArray[np.integer]) -> NDArray[np.float32]:
        """Read the vectors of windows, shape [Rows, Channels]; `rows` are ascending. Other files are not read.

        Raises:
            InputError: a file is missing or damaged.
        """
        parts = np.split(rows, np.searchsorted(rows, self.edges[1:-1]))
        found = np.empty((0, 0), np.float32)
        done = 0
        for path, first, part in zip(self.files.values(), self.edges[:-1], parts, strict=True):
            if len(part):
                vectors = read_embeddings(path)[1][part - first]
                found = found if done else np.empty((len(rows), vectors.shape[1]), np.float32)
                found[done : done + len(part)] = vectors
                done += len(part)
        return found

    @property
    def recordings(self) -> NDArray[np.int64]:
        """The index of each window's recording, shape [Windows]."""
        return np.repeat(np.arange(len(self.names)), np.diff(self.edges))


def train_head(job: HeadJob, params: Params) -> TrainedHead:
    """Train the head of a job.

    It learns from the windows in which a species is known to be present or absent. In a round with pseudo-labels, it
    learns from windows of unlabelled recordings, too, as many as `train.unlabelled_fraction` allows.

    Raises:
        InputError: an input is missing or damaged.
    """
    species = read_species(job.species)
    table = read_annotations(job.annotations, species)
    folds = read_folds(job.folds)
    trained_on = sorted(set(folds.index[folds != job.fold]))
    annotated = Embedded.of({name: job.embeddings / f"{name}.npz" for name in trained_on})
    scored = scored_recordings(job.pseudo_labels)
    free = [name for name, fold in scored.items() if name not in folds.index and fold != job.fold]
    pseudo_labels = unlabelled = None
    if scored:
        files = {name: job.unlabelled / str(scored[name]) / f"{name}.npz" for name in free}
        unlabelled = Embedded.of(files) if files else None
        pseudo_labels = _pseudo_labels(job, scored, folds, annotated, unlabelled, params, len(species))
    rows, target, mask, n_missed = _labels(job, annotated, table, pseudo_labels, species, params)
    parts = _parts(table, read_recordings(job.recordings), trained_on, params.seed)[annotated.recordings[rows]]
    every = annotated.vectors(np.arange(len(annotated.starts)))
    vectors = every[rows]
    whitenings = fit_whitenings(every)
    draw = generator(params.seed, "windows of heads", job.round_id, job.embedding, job.fold)
    some = np.sort(draw.permutation(len(rows))[:MOST_TO_CHOOSE])
    chosen = choose_regularization(whitenings, vectors[some], target[some], mask[some], parts[some])
    if pseudo_labels is not None and unlabelled is not None:
        names = np.array(unlabelled.names)[unlabelled.recordings]
        # As many as the CNNs use, beside those that are labelled.
        most = min(len(names), round(params.train.unlabelled_fraction * len(rows)))
        used = np.sort(draw.choice(len(names), most, replace=False))
        vectors = np.concatenate([vectors, unlabelled.vectors(used)])
        target = np.concatenate([target, pseudo_labels.of(names[used], unlabelled.starts[used])])
        mask = np.concatenate([mask, np.full((most, len(species)), pseudo_labels.weight, np.float32)])
    head = fit_head(whitenings[chosen.ridge], vectors, target, mask, chosen.l2)
    n_present = int((table.is_tp & table.recording_id.isin(trained_on)).sum())
    return TrainedHead(head, chosen, n_present, n_missed)


def _labels(
    job: HeadJob,
    windows: Embedded,
    table: pd.DataFrame,
    pseudo_labels: PseudoLabels | None,
    species: Sequence[str],
    params: Params,
) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float32], int]:
    """The windows in which something is known.

    Returns:
        Their rows; target and mask, shape [Rows, Species] each; and the number of present boxes in no window.
    """
    settings = params.spectrogram
    second, seconds = to_seconds(1, settings), to_seconds(to_frames(params.window.seconds, settings), settings)
    known = Annotations.of_table(table).of_recordings(set(windows.names))
    every = known.joined(
        Annotations.of_table(read_uncertain(job.annotations, species)).of_recordings(set(windows.names))
    )
    of_box = pd.Index(windows.names).get_indexer(every.recording_ids)
    begin, end = every.boxes[:, [0, 2]].T
    box, window = pair_with_windows(of_box, begin, end, windows.edges, windows.starts * second, seconds)
    names = np.array(windows.names)[windows.recordings]
    weak = params.labels.weak_negative_weight if pseudo_labels is None else pseudo_labels.weight

    complete = read_complete(job.complete, species)
    begin, end = begin[box], end[box]
    starts = windows.starts[window] * second
    inside = np.minimum(end, starts + seconds) - np.maximum(begin, starts)
    is_unknown = in_other_window(box, inside, end - begin, seconds, second)
    is_tp = every.is_tp[box] & ~is_unknown

    def labels(weight: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        return window_labels(
            every.boxes[box], every.species_ids[box], is_tp, window,
            windows.starts * second, seconds, len(species), params.labels.min_overlap, weight,
            (settings.f_min, settings.f_max) if params.labels.within_band else None,
            tolerance=second,
            pseudo_labels=None if pseudo_labels is None else pseudo_labels.of(names, windows.starts),
            is_uncertain=(box >= len(known)) | is_unknown,
            is_complete=complete.of(names),
        )  # fmt: skip

    target, mask = labels(weak)
    alone = labels(0)[1]
    if pseudo_labels is None:
        # Weak negatives are the other species beside a call; windows that hold none would only be silence to them.
        has_call = ((target == 1) & (mask == 1)).any(axis=1)
        mask = np.where(has_call[:, None], mask, alone)
    rows = np.flatnonzero((alone > 0).any(axis=1))
    is_seen = (inside > 0) & (inside >= params.labels.min_overlap * np.minimum(end - begin, seconds) - second)
    n_missed = int(known.is_tp.sum()) - len(np.unique(box[is_tp & is_seen]))
    return rows, target[rows], mask[rows], n_missed


def _parts(table: pd.DataFrame, recordings: pd.DataFrame, trained_on: Sequence[str], seed: int) -> NDArray[np.int64]:
    """The part of each recording, shape [Recordings]; those of a group are in one part, as they are in one fold."""
    boxes = table[table.recording_id.isin(trained_on)]
    tp, fp = boxes[boxes.is_tp], boxes[~boxes.is_tp]
    together = units(recordings.loc[list(trained_on)])
    n_parts = min(PARTS, together[tp.recording_id.unique()].nunique())
    silent = sorted(set(trained_on) - set(boxes.recording_id))
    return stratified_split(tp, fp, n_parts, seed, together, silent)[list(trained_on)].to_numpy()


def _pseudo_labels(
    job: HeadJob,
    scored: dict[str, int],
    folds: pd.Series,
    annotated: Embedded,
    unlabelled: Embedded | None,
    params: Params,
    n_species: int,
) -> PseudoLabels:
    """Read the pseudo-labels of all recordings with embeddings."""
    length = to_frames(params.window.seconds, params.spectrogram)
    hop = window_hop(length)
    lasts: dict[str, int] = {}
    for several in (annotated, unlabelled):
        if several is not None:
            lasts |= dict(zip(several.names, several.starts[several.edges[1:] - 1].tolist(), strict=True))
    recordings = {name: scored[name] if name in scored else int(folds[name]) for name in sorted(lasts)}
    return read_pseudo_labels(
        job.pseudo_labels, recordings, lambda name: tile(lasts[name] + length, length, hop), hop, n_species,
        job.pseudo_label_weight,
    )  # fmt: skip
