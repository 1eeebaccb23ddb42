"""Clips: short parts of recordings for people to listen to, encoded as MP3.

All browsers play MP3. Safari plays OGG (Vorbis and Opus) only from version 18.4 of 2025 on.
"""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt

from dawnchorus.audio.decoding import ABSURD_PEAK, RATES, Channel, open_forward, to_mono
from dawnchorus.errors import InputError

# A filter passes frequencies down to f_min / MARGIN and up to f_max * MARGIN, because calls leave their boxes a little.
MARGIN = 1.25
FILTER_ORDER = 4
# Leaves room for the overshoot of lossy encoding.
PEAK = 0.7
# Background alone is not made as loud as a call: 40 dB.
MOST_GAIN = 100.0
FADE_SECONDS = 0.01
# Above this, people hear little: sounds are slowed down, as bat detectors do ("time expansion").
AUDIBLE_HZ, SLOWER = 18_000.0, 10
# Sample rates of MP3 that are worth their bytes, Hz.
MP3_RATES = (16_000, 24_000, 32_000, 44_100, 48_000)
# Of libsndfile's scale from 0 to 1. With a variable bit rate, it writes the exact length; with a low constant one not.
MP3_COMPRESSION = 0.65


@dataclass(frozen=True)
class Clip:
    """A part of a recording as it was recorded.

    Attributes:
        samples: mono, shape [Samples].
        rate: sample rate, Hz.
        start_s: where it begins within the recording, s.
    """

    samples: NDArray[np.float32]
    rate: int
    start_s: float

    @property
    def seconds(self) -> float:
        """Its length, s."""
        return len(self.samples) / self.rate

    @property
    def end_s(self) -> float:
        """Where it ends within the recording, s."""
        return self.start_s + self.seconds


@dataclass(frozen=True)
class Sound:
    """A clip for a player.

    Attributes:
        mp3: the file's bytes.
        slower: how many times longer it lasts than the clip; 1 unless its frequencies are too high to be heard.
    """

    mp3: bytes
    slower: int


def cut_clip(path: Path, start_s: float, end_s: float, context_s: float = 0.0, channel: Channel = "mean") -> Clip:
    """Cut a part of a recording without decoding what is before it, except in an MP3.

    libsndfile cannot seek beyond the length that it estimates of an MP3, so that is decoded from its start on: one hour
    takes a few seconds.

    Args:
        path: the recording.
        start_s: start of the part within the recording, s.
        end_s: its end, s.
        context_s: how much more to cut on both sides, s; less where the recording begins or ends.
        channel: number of the channel, from 1, or "mean" for the mean of all channels.

    Raises:
        InputError: the file cannot be decoded, has no samples in that part, lacks the channel, or has an implausible
            sample rate or peak.
    """
    try:
        with open_forward(path) as file:
            rate, channels, is_mp3 = file.samplerate, file.channels, file.format == "MP3"
            if not RATES[0] <= rate <= RATES[1]:
                raise InputError(f"{path}: has a sample rate of {rate} Hz, expected {RATES[0]} to {RATES[1]}")
            if channel != "mean" and channel > channels:
                raise InputError(f"{path}: has {channels} channels, channel {channel} was asked for")
            first, last = max(0, round((start_s - context_s) * rate)), round((end_s + context_s) * rate)
            if is_mp3:
                _skip(file, first)
                samples = file.read(max(0, last - first), "float32", always_2d=True)
        if not is_mp3:
            with soundfile.SoundFile(path) as file:
                # Seeking beyond the end is an error of libsndfile's.
                file.seek(min(first, file.frames))
                samples = file.read(max(0, last - first), "float32", always_2d=True)
    except (OSError, soundfile.SoundFileError) as error:
        raise InputError(f"{path}: cannot be decoded at {start_s:g} s: {error}; replace or remove the file") from error
    if not len(samples):
        raise InputError(f"{path}: has no samples between {start_s:g} s and {end_s:g} s")
    # The negated comparison also catches NaN.
    if not np.abs(samples).max() <= ABSURD_PEAK:
        raise InputError(
            f"{path}: contains samples that are NaN, infinite or far beyond full scale; replace or remove the file"
        )
    return Clip(to_mono(samples, channel), rate, first / rate)


def _skip(file: soundfile.SoundFile, frames: int) -> None:
    """Decode samples and forget them, a minute at a time."""
    while frames > 0 and len(block := file.read(min(frames, 60 * file.samplerate), "float32", always_2d=True)):
        frames -= len(block)


def band_pass(samples: NDArray[np.float32], rate: int, f_min: float, f_max: float) -> NDArray[np.float32]:
    """Damp what is outside a band, without delay (a Butterworth filter, forwards and backwards).

    Args:
        samples: shape [Samples].
        rate: sample rate, Hz.
        f_min: lowest frequency of the band, Hz; 0 if it is unknown.
        f_max: highest frequency of the band, Hz; infinite if it is unknown.

    Returns:
        Shape [Samples]; at f_min / `MARGIN` and f_max * `MARGIN`, it is 6 dB below the input.
    """
    low, high = f_min / MARGIN, f_max * MARGIN
    # A filter needs its edges within the spectrum.
    has_low, has_high = 0.0005 * rate < low < 0.49 * rate, high < 0.49 * rate
    if has_low and has_high:
        sections = butter(FILTER_ORDER, [low, high], "bandpass", fs=rate, output="sos")
    elif has_low:
        sections = butter(FILTER_ORDER, low, "highpass", fs=rate, output="sos")
    elif has_high and high > 0:
        sections = butter(FILTER_ORDER, high, "lowpass", fs=rate, output="sos")
    else:
        return samples
    # Until a narrow filter has settled; a clip may be shorter.
    padding = min(len(samples) - 1, round(0.1 * rate))
    return sosfiltfilt(sections, samples.astype(np.float64), padlen=padding).astype(np.float32)


def level(samples: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """Make samples as loud as `PEAK` allows, by a gain of at most `MOST_GAIN`, and fade both ends. Shape [Samples]."""
    gain = min(MOST_GAIN, PEAK / max(float(np.abs(samples).max()), 1e-9))
    length = min(round(FADE_SECONDS * rate), len(samples) // 2)
    fade = np.sin(0.5 * np.pi * (np.arange(length) + 0.5) / max(1, length)) ** 2
    louder = samples * np.float32(gain)
    louder[:length] *= fade
    louder[len(louder) - length :] *= fade[::-1]
    return louder


def encode_mp3(samples: NDArray[np.float32], rate: int) -> bytes:
    """Encode samples, shape [Samples], at one of `MP3_RATES`. The same samples give the same bytes."""
    file = io.BytesIO()
    soundfile.write(
        file, samples, rate, format="MP3", subtype="MPEG_LAYER_III", bitrate_mode="VARIABLE",
        compression_level=MP3_COMPRESSION,
    )  # fmt: skip
    return file.getvalue()


def make_sound(clip: Clip, f_min: float = 0.0, f_max: float = np.inf) -> Sound:
    """Prepare a clip for a player: band-passed, levelled, faded and encoded.

    Args:
        clip: the clip.
        f_min: lowest frequency of interest, Hz; 0 if it is unknown.
        f_max: highest frequency of interest, Hz; infinite if it is unknown.
    """
    samples = band_pass(clip.samples, clip.rate, f_min, f_max)
    slower = SLOWER if np.isfinite(f_max) and f_max > AUDIBLE_HZ else 1
    rate = clip.rate / slower
    # Twice the highest frequency that the filter lets through, and a little.
    needed = min(rate, 2.2 * MARGIN * f_max / slower)
    target = next((each for each in MP3_RATES if each >= needed), MP3_RATES[-1])
    return Sound(encode_mp3(level(soxr.resample(samples, rate, target), target), target), slower)
