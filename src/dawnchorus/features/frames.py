"""Frames of a spectrogram and the times they stand for."""

from dawnchorus.config.spectrogram import Spectrogram


def to_frames(seconds: float, settings: Spectrogram) -> int:
    """The number of frames nearest to a time in s, at least 1."""
    return max(1, round(seconds * settings.sample_rate / settings.hop_length))


def to_seconds(frames: int, settings: Spectrogram) -> float:
    """The time in s that a number of frames takes."""
    return frames * settings.hop_length / settings.sample_rate
