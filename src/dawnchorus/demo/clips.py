"""Recorded animals: the calls in clips, found by their energy, and backgrounds from field recordings."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import scipy.ndimage
import scipy.signal
import soxr

from dawnchorus.audio.clips import band_pass, cut_clip
from dawnchorus.demo.animals import SAMPLE_RATE, NextCall, Samples, UsualCall

# Calls are looked for in the first minute of a clip.
CLIP_SECONDS = 60.0
# A recording has at least 4 s.
LONGEST_CALL, SHORTEST_CALL = 4.0, 0.12
MOST_CALLS = 12
LOWEST_HZ = 100.0
# How far a band reaches below and above its middle at least, as a factor.
NARROWEST = 1.14
# The share of a call's energy below and above its band.
OUTSIDE = 0.03
# Notes with shorter gaps between them are one call.
GAP_SECONDS = 0.6
FADE_SECONDS = 0.02
AROUND = SAMPLE_RATE // 5
SILENT = 1e-4
# Of the envelope, s.
STEP = 0.01
# Where one background goes over into the next, s, and the recorder's noise relative to the background.
CROSSFADE, RECORDER_NOISE = 0.25, 10 ** (-30 / 20)
SHORTEST_BACKGROUND = 2.0


@dataclass(frozen=True)
class Piece:
    """A call in a clip.

    Attributes:
        path: the clip.
        start: its first sample at `SAMPLE_RATE`.
        stop: the sample behind its last.
        f_low: lowest frequency, Hz.
        f_high: highest frequency, Hz.
    """

    path: Path
    start: int
    stop: int
    f_low: float
    f_high: float

    @property
    def seconds(self) -> float:
        """Its length, s."""
        return (self.stop - self.start) / SAMPLE_RATE


@dataclass(frozen=True)
class RecordedAnimal:
    """An animal whose calls are in clips."""

    pieces: tuple[Piece, ...]

    def next_call(self, rng: np.random.Generator) -> NextCall:
        """Draw one of the recorded calls."""
        number = int(rng.integers(len(self.pieces)))
        piece = self.pieces[number]
        return NextCall(number, piece.seconds, piece.f_low, piece.f_high)

    def sound(self, piece: int, seconds: float, sample_rate: int) -> Samples:
        """The sound of a call as it was recorded, without what is outside its band."""
        one = self.pieces[piece]
        # A filter needs some sound before and after; a whole clip would take long.
        before = min(one.start, AROUND)
        sound = read_clip(one.path)[one.start - before : one.stop + AROUND]
        sound = band_pass(sound, SAMPLE_RATE, one.f_low, one.f_high)[before : before + one.stop - one.start]
        length = min(int(FADE_SECONDS * SAMPLE_RATE), len(sound) // 4)
        fade = np.sin(0.5 * np.pi * (np.arange(length) + 0.5) / length) ** 2
        sound = np.concatenate([sound[:length] * fade, sound[length:-length], sound[-length:] * fade[::-1]])
        return (sound / np.sqrt(np.mean(sound**2))).astype(np.float32)


def usual_call(animals: Sequence[RecordedAnimal]) -> UsualCall:
    """The medians of the calls of some animals."""
    pieces = [piece for animal in animals for piece in animal.pieces]
    low, high, seconds = np.median([(one.f_low, one.f_high, one.seconds) for one in pieces], axis=0)
    return UsualCall(float(low), float(high), float(seconds))


@lru_cache(8)
def read_clip(path: Path) -> Samples:
    """Read the first minute of a clip as mono samples at `SAMPLE_RATE`, shape [Samples], with a mean of 0.

    Raises:
        InputError: the clip cannot be decoded.
    """
    return _read(path, 0, CLIP_SECONDS)


def _read(path: Path, start: float, end: float) -> Samples:
    clip = cut_clip(path, start, end)
    sound = clip.samples if clip.rate == SAMPLE_RATE else soxr.resample(clip.samples, clip.rate, SAMPLE_RATE)
    return (sound - sound.mean()).astype(np.float32)


def find_calls(path: Path) -> list[Piece]:
    """Find the calls in a clip: where there is most energy in the band that has most of it.

    Returns:
        The calls from first to last, at most `MOST_CALLS`, without those that are much fainter than the loudest; none
        if the clip is silent or too short.

    Raises:
        InputError: the clip cannot be decoded.
    """
    sound = read_clip(path)
    if len(sound) < SHORTEST_CALL * SAMPLE_RATE or np.abs(sound).max() < SILENT:
        return []
    low, high = _band(sound)
    sound = band_pass(sound, SAMPLE_RATE, low, high)
    step = int(STEP * SAMPLE_RATE)
    power = scipy.ndimage.uniform_filter1d(sound**2, 2 * step, mode="constant")[::step]
    # A running sum may end a little below 0.
    envelope = np.sqrt(np.maximum(power, 0))
    peak, base = np.percentile(envelope, [98, 15])
    is_loud = envelope > max(0.15 * peak, min(2 * base, 0.5 * peak))
    edges = np.flatnonzero(np.diff(np.concatenate([[0], is_loud, [0]]).astype(int))).reshape(-1, 2)
    runs: list[list[int]] = []
    for first, last in edges.tolist():
        if runs and first - runs[-1][1] < GAP_SECONDS / STEP:
            runs[-1][1] = last
        else:
            runs.append([first, last])
    calls = []
    for first, last in runs:
        # A click gets some of what is around it.
        around = max(2 * step, (int(SHORTEST_CALL * SAMPLE_RATE) - (last - first) * step) // 2)
        start = max(0, first * step - around)
        stop = min(last * step + around, start + int(LONGEST_CALL * SAMPLE_RATE), len(sound))
        loudness = float(np.sqrt(np.mean(sound[start:stop] ** 2)))
        calls.append((loudness, Piece(path, start, stop, low, high)))
    loudest = max((loudness for loudness, _ in calls), default=0.0)
    return [piece for loudness, piece in calls if loudness > max(0.35 * loudest, 0.01 * SILENT)][:MOST_CALLS]


def _band(sound: Samples) -> tuple[float, float]:
    """The band, Hz, with most of the energy of the loudest third of a clip, above that of its background."""
    frequency, _, power = scipy.signal.spectrogram(
        sound, SAMPLE_RATE, "hann", nperseg=2048, noverlap=2048 - int(STEP * SAMPLE_RATE), detrend=False
    )
    power[frequency < LOWEST_HZ] = 0
    whole = power.sum(axis=0)
    loud = power[:, whole >= np.percentile(whole, 70)]
    above = np.maximum(loud - np.percentile(power, 20, axis=1, keepdims=True), 0).mean(axis=1)
    if above.sum() <= 0:  # a steady sound
        above = loud.mean(axis=1)
    share = np.cumsum(above) / max(float(above.sum()), 1e-30)
    low, high = (frequency[min(np.searchsorted(share, part), len(frequency) - 1)] for part in (OUTSIDE, 1 - OUTSIDE))
    # The band of a whistle is a third of an octave or more, as a person would draw its box.
    middle = max(float(np.sqrt(low * high)), LOWEST_HZ * NARROWEST)
    return min(float(low), middle / NARROWEST), max(float(high), middle * NARROWEST)


@dataclass(frozen=True)
class FieldRecording:
    """A recording of background, and its length, s."""

    path: Path
    seconds: float


def recorded_background(recordings: Sequence[FieldRecording], seconds: float, rng: np.random.Generator) -> Samples:
    """Draw a stretch of a field recording. One that is too short goes over into others.

    Args:
        recordings: to choose from.
        seconds: length of the stretch, s.
        rng: draws the recording and where the stretch begins, and a little noise of a recorder.

    Returns:
        Samples with shape [Samples] and a root mean square of about 1. All bands have some noise, also those that the
        field recordings lack, so that signal-to-noise ratios are defined.
    """
    length = int(seconds * SAMPLE_RATE)
    fade = int(CROSSFADE * SAMPLE_RATE)
    sound = np.zeros(0, np.float32)
    while len(sound) < length:
        one = recordings[int(rng.integers(len(recordings)))]
        part = min(one.seconds, seconds)
        start = rng.uniform(0, one.seconds - part)
        new = _read(one.path, start, start + part)
        # Recorders differ in level.
        new = new / max(float(np.sqrt(np.mean(new**2))), SILENT)
        if len(sound):
            rising = np.linspace(0, 1, fade, dtype=np.float32)
            joint = sound[-fade:] * np.sqrt(1 - rising) + new[:fade] * np.sqrt(rising)
            sound = np.concatenate([sound[:-fade], joint, new[fade:]])
        else:
            sound = new
    noise = rng.standard_normal(length).astype(np.float32)
    return sound[:length] + np.float32(RECORDER_NOISE) * noise
