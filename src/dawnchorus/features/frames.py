"""Conversion between frames of a spectrogram and seconds."""

from dataclasses import dataclass

from dawnchorus.config.spectrogram import Spectrogram


@dataclass(frozen=True)
class FrameGrid:
    """What frames depend on, without the settings that change only the levels in them.

    Attributes:
        sample_rate: Hz.
        hop_length: samples between two frames.
    """

    sample_rate: int
    hop_length: int


def to_frames(seconds: float, settings: Spectrogram | FrameGrid) -> int:
    """The number of frames closest to a duration in s, at least 1."""
    return max(1, round(seconds * settings.sample_rate / settings.hop_length))


def to_seconds(frames: int, settings: Spectrogram | FrameGrid) -> float:
    """The duration in s of a number of frames."""
    return frames * settings.hop_length / settings.sample_rate


def n_frames(n_samples: int, settings: Spectrogram | FrameGrid) -> int:
    """The number of frames in the spectrogram of a recording with a number of samples."""
    return 1 + n_samples // settings.hop_length
