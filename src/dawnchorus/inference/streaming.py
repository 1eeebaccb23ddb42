"""Scoring of a recording while it is decoded, in constant memory."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dawnchorus.audio.decoding import Channel, read_blocks
from dawnchorus.config.model import ModelSettings
from dawnchorus.errors import InputError
from dawnchorus.features.frames import to_frames, to_seconds
from dawnchorus.features.mel import mel_blocks
from dawnchorus.features.store import from_codes, to_codes
from dawnchorus.models.shapes import Shapes

# From any number of windows in dB, shape [Batch, Frames, Mels], to scores, shape [Batch, Species].
Scorer = Callable[[NDArray[np.float32]], NDArray[np.float32]]


def cut_windows(blocks: Iterable[NDArray[np.int16]], length: int, hop: int) -> Iterator[tuple[int, NDArray[np.int16]]]:
    """Cut a spectrogram, in the store's codes, into the windows of `windows.tile`, while its blocks arrive.

    Args:
        blocks: consecutive frames, shape [Frames, Mels] each, at least one frame in all.
        length: frames in a window.
        hop: frames between the starts of two windows, at most `length`.

    Yields:
        The first frame of each window, and its frames, shape [Length, Mels]. A recording that is shorter than a window
        is filled up with its lowest level.
    """
    kept = None
    first = start = 0
    for block in blocks:
        kept = block if kept is None else np.concatenate([kept, block])
        # The last window ends with the recording, so a window is one of these only if frames follow it.
        while first + len(kept) > start + length:
            yield start, kept[start - first : start - first + length]
            start += hop
        done = max(0, start - hop - first)
        kept, first = kept[done:], first + done
    if kept is None:
        return
    last = max(0, first + len(kept) - length)
    window = kept[last - first :]
    if len(window) < length:
        window = np.concatenate([window, np.full((length - len(window), window.shape[1]), window.min())])
    yield last, window


def score_recording(
    scorer: Scorer,
    path: Path,
    settings: ModelSettings,
    hop_seconds: float,
    channel: Channel,
    batch_size: int,
    tell: Callable[[float], object] = lambda seconds: None,
) -> tuple[NDArray[np.float64], NDArray[np.float32], float]:
    """Score the windows of a recording.

    Args:
        scorer: the ensemble.
        path: the audio file.
        settings: of the model.
        hop_seconds: time between the starts of two windows, s.
        channel: number of the channel, from 1, or "mean".
        batch_size: windows in a forward pass. The last one has fewer, and none has windows of several recordings, so
            that scores do not depend on other recordings.
        tell: called with the length of sound that has been scored, s, after each forward pass.

    Returns:
        The start of each window, s, shape [Windows]; scores, shape [Windows, Species]; and the length of the decoded
        sound, s.

    Raises:
        InputError: the recording cannot be decoded, or a score is not finite.
    """
    spectrogram = settings.spectrogram
    length = Shapes.of(settings).window[0]
    hop = min(length, to_frames(hop_seconds, spectrogram))
    n_samples = 0

    def samples() -> Iterator[NDArray[np.float32]]:
        nonlocal n_samples
        for block in read_blocks(path, spectrogram.sample_rate, channel):
            n_samples += len(block)
            yield block

    frames = (to_codes(block) for block in mel_blocks(samples(), spectrogram))
    starts: list[int] = []
    scores = []
    windows = cut_windows(frames, length, hop)
    while several := list(islice(windows, batch_size)):
        starts += [start for start, _ in several]
        scores.append(scorer(from_codes(np.stack([window for _, window in several]))))
        tell(to_seconds(starts[-1] + hop, spectrogram))
    found = np.concatenate(scores)
    if not np.isfinite(found).all():
        raise InputError(f"{path}: a score is not finite; the recording or the model is damaged")
    return np.array(starts) * to_seconds(1, spectrogram), found, n_samples / spectrogram.sample_rate
