"""Background: windows of completely annotated recordings in which nothing calls."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dawnchorus.data.annotations import Annotations


@dataclass(frozen=True)
class Background:
    """Places for background windows. A window that starts within its place touches no call.

    Attributes:
        recording_ids: the recording of each place, shape [Places], text.
        first: the first frame on which a window may start, shape [Places].
        count: the number of consecutive frames on which it may start, at least 1, shape [Places].
    """

    recording_ids: NDArray[np.str_]
    first: NDArray[np.int64]
    count: NDArray[np.int64]

    def starts(self, places: NDArray[np.int64], draws: NDArray[np.float64]) -> NDArray[np.int64]:
        """The first frames of windows, at `draws` from 0 (earliest) to 1 (latest) within `places`, shape [Windows]."""
        count = self.count[places]
        return self.first[places] + np.minimum((draws * count).astype(int), count - 1)


def find_background(
    recording_ids: Sequence[str], frames: Callable[[str], int], calls: Annotations, length: int, second: float
) -> Background:
    """Find places for background windows: the free stretches of recordings, cut into parts of a window's length.

    So the number of places says how many windows fit beside each other, and windows from all places cover the free
    stretches evenly.

    Args:
        recording_ids: recordings of which all calls are labelled.
        frames: returns the number of frames of a recording.
        calls: boxes that no window may touch, also of other recordings.
        length: length of a window, frames. A shorter recording has a place if it has no box.
        second: length of a frame, s.
    """
    # A window misses a box if it starts on frame `latest` at the latest, or on frame `earliest` at the earliest.
    latest = np.floor(calls.boxes[:, 0] / second - length).astype(int)
    earliest = np.ceil(calls.boxes[:, 2] / second).astype(int)
    boxes_of: dict[str, list[int]] = {name: [] for name in recording_ids}
    for box in np.argsort(latest, kind="stable"):
        boxes_of.get(calls.recording_ids[box], []).append(box)
    names, first, count = [], [], []
    for name, boxes in boxes_of.items():
        last = max(0, frames(name) - length)
        start = 0
        for end, resume in [*zip(latest[boxes], earliest[boxes], strict=True), (last, last + 1)]:
            if (free := min(end, last) + 1 - start) > 0:
                edges = start + np.arange((free - 1) // length + 2) * free // ((free - 1) // length + 1)
                names += [name] * (len(edges) - 1)
                first += edges[:-1].tolist()
                count += np.diff(edges).tolist()
            start = max(start, resume)
    return Background(np.array(names, str), np.array(first, int), np.array(count, int))
