"""Windows: the stretches of a recording that a model sees, in frames of its spectrogram."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dawnchorus import params
from dawnchorus.params import Params


def to_frames(seconds: float, settings: params.Spectrogram) -> int:
    """The number of frames nearest to a time in s, at least 1."""
    return max(1, round(seconds * settings.sample_rate / settings.hop_length))


def to_seconds(frames: int, settings: params.Spectrogram) -> float:
    """The time in s that a number of frames takes."""
    return frames * settings.hop_length / settings.sample_rate


@dataclass(frozen=True)
class Shapes:
    """What a window becomes on its way into the network.

    Attributes:
        window: (Frames, Mels) of a window as it is cut out of a spectrogram.
        image: (Frames, Mels) of the image that it is resized to.
    """

    window: tuple[int, int]
    image: tuple[int, int]

    @classmethod
    def of(cls, params: Params) -> "Shapes":
        """The shapes of an experiment."""
        frames, mels = to_frames(params.window.seconds, params.spectrogram), params.spectrogram.n_mels
        return cls((frames, mels), (params.image.frames or frames, params.image.mels or mels))


def cover(n_frames: int, length: int, hop: int) -> NDArray[np.int64]:
    """First frames of the windows that together see a whole recording.

    Args:
        n_frames: frames of the recording.
        length: frames of a window.
        hop: frames between the starts of two windows, at most `length`.

    Returns:
        Starts with shape [Windows]: 0, hop, 2 hop, ...; the last window ends with the recording. A recording that is
        shorter than a window has one.
    """
    last = max(0, n_frames - length)
    return np.append(np.arange(0, last, hop), last)


def place(
    t_min: NDArray[np.float64],
    t_max: NDArray[np.float64],
    seconds: float,
    recording_seconds: NDArray[np.float64],
    begin_within: float,
    min_overlap: float,
    draws: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Where training windows begin, so that they show an annotated box each; all arrays have the shape [Windows].

    Args:
        t_min: begin of the box, s.
        t_max: end of the box, s.
        seconds: length of a window, s.
        recording_seconds: length of the recording, s.
        begin_within: the box begins in this first part of the window.
        min_overlap: this part of the box (at most of a window) must lie in the window.
        draws: numbers from 0 to 1; 0 gives the earliest window that does both, 1 the latest.

    Returns:
        The begin of the window in s, within the recording where the recording is long enough.
    """
    needed = min_overlap * np.minimum(t_max - t_min, seconds)
    earliest = t_min - np.minimum(begin_within * seconds, seconds - needed)
    start = earliest + draws * (t_min - earliest)
    return np.minimum(np.maximum(start, 0.0), np.maximum(0.0, recording_seconds - seconds))


def around(
    t_min: NDArray[np.float64],
    t_max: NDArray[np.float64],
    length: int,
    n_frames: NDArray[np.int64],
    settings: params.Spectrogram,
) -> NDArray[np.int64]:
    """First frames of the windows that have an annotated box in their middle; all arrays have the shape [Windows].

    Args:
        t_min: begin of the box, s.
        t_max: end of the box, s.
        length: frames of a window.
        n_frames: frames of the recording.
        settings: of the spectrograms.

    Returns:
        Starts; where such a window would leave the recording, the nearest within it.
    """
    middle = (t_min + t_max) / 2 * settings.sample_rate / settings.hop_length
    return np.clip(np.round(middle - length / 2).astype(int), 0, np.maximum(0, n_frames - length))
