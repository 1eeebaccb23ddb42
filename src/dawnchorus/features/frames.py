"""Conversion between frames of a spectrogram and seconds."""

from dawnchorus.config.spectrogram import Spectrogram


def to_frames(seconds: float, settings: Spectrogram) -> int:
    """The number of frames closest to a duration in s, at least 1."""
    return max(1, round(seconds * settings.sample_rate / settings.hop_length))


def to_seconds(frames: int, settings: Spectrogram) -> float:
    """The duration in s of a number of frames."""
    return frames * settings.hop_length / settings.sample_rate


def n_frames(n_samples: int, settings: Spectrogram) -> int:
    """The number of frames in the spectrogram of a recording with a number of samples."""
    return 1 + n_samples // settings.hop_length
