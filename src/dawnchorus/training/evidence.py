"""What is known of out-of-fold scores: labelled boxes, and the windows of recordings that are annotated completely."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dawnchorus.data.annotations import Annotations
from dawnchorus.data.complete import Completeness
from dawnchorus.inference.box_scores import AS_LONG, score_boxes
from dawnchorus.inference.thresholds import FEWEST_RECORDINGS, Evidence
from dawnchorus.inference.window_tables import Windows
from dawnchorus.training.labels import in_other_window, pair_with_windows, window_labels


def gather_evidence(
    windows: Windows,
    boxes: pd.DataFrame,
    annotations: Annotations,
    uncertain: Annotations,
    complete: Completeness,
    units: pd.Series,
    window_seconds: float,
    min_overlap: float,
) -> Evidence:
    """Collect the scores of which it is known whether their species is present.

    For a species, these are its labelled boxes; or, if it calls in enough recordings that are annotated completely for
    it, all windows of these, which show how often it calls, too.

    Args:
        windows: out-of-fold scores of the annotated recordings.
        boxes: labelled boxes in these recordings, as from `annotations.labelled_boxes`.
        annotations: present and absent boxes.
        uncertain: uncertain boxes.
        complete: the recordings that are annotated completely.
        units: number of the group that each recording is drawn with, indexed by recording_id.
        window_seconds: length of a window, s.
        min_overlap: see `window_labels`.
    """
    scores = score_boxes(windows, boxes, window_seconds, min_overlap)
    is_complete = complete.of(windows.recording_ids)
    of_box = pd.Index(windows.recording_ids, dtype=object).get_indexer(boxes.recording_id)
    has_call = np.zeros_like(is_complete)
    has_call[of_box[boxes.is_tp], boxes.species_id[boxes.is_tp]] = True
    # From fewer, the curve of a species would rest on its calls in one or two recordings.
    is_complete = is_complete & ((is_complete & has_call).sum(axis=0) >= FEWEST_RECORDINGS)
    by_box = ~np.array(is_complete.any(axis=0))[boxes.species_id.to_numpy()]
    row, species, is_present = complete_windows(
        windows, annotations, uncertain, is_complete, window_seconds, min_overlap
    )
    of_recording = np.array(windows.recording_ids, dtype=object)[windows.recordings[row]]
    return Evidence(
        np.concatenate([boxes.species_id[by_box], species]),
        np.concatenate([boxes.is_tp[by_box], is_present]).astype(bool),
        np.concatenate([scores[by_box], windows.scores[row, species]]).astype(float),
        units[np.concatenate([boxes.recording_id[by_box], of_recording])].to_numpy(),
        np.repeat([False, True], [by_box.sum(), len(species)]),
    )


def complete_windows(
    windows: Windows,
    annotations: Annotations,
    uncertain: Annotations,
    is_complete: NDArray[np.bool_],
    window_seconds: float,
    min_overlap: float,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Find the windows that are labelled for a species of which their recording is complete.

    Args:
        windows: scores of recordings.
        annotations: present and absent boxes.
        uncertain: uncertain boxes.
        is_complete: whether each recording is complete for each species, shape [Recordings, Species].
        window_seconds: length of a window, s.
        min_overlap: see `window_labels`.

    Returns:
        The row of a window, a species, and whether it is present, for each of these windows and species.
    """
    every = annotations.joined(uncertain)
    of_box = pd.Index(windows.recording_ids, dtype=object).get_indexer(every.recording_ids)
    used = np.flatnonzero((of_box >= 0) & np.array(is_complete.any(axis=1))[of_box])
    begin, end = every.boxes[used][:, [0, 2]].T
    box, window = pair_with_windows(of_box[used], begin, end, windows.edges, windows.starts, window_seconds)
    pairs = used[box]
    starts = windows.starts[window]
    inside = np.minimum(end[box], starts + window_seconds) - np.maximum(begin[box], starts)
    is_other = in_other_window(box, inside, (end - begin)[box], window_seconds, AS_LONG)
    target, mask = window_labels(
        every.boxes[pairs], every.species_ids[pairs], every.is_tp[pairs] & ~is_other, window, windows.starts,
        window_seconds, is_complete.shape[1], min_overlap, 0.0, is_uncertain=(pairs >= len(annotations)) | is_other,
        is_complete=is_complete[windows.recordings],
    )  # fmt: skip
    row, species = np.nonzero((mask == 1) & is_complete[windows.recordings])
    return row, species, target[row, species] == 1
