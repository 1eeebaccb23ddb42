"""Synthesis of backgrounds: wind, rain, insects and hum over the recorder's own noise."""

import numpy as np
import scipy.fft
from numpy.typing import NDArray

Samples = NDArray[np.float32]

# About 130 steps of a 16-bit recording: quiet enough to compress well as FLAC, loud enough to survive rounding.
BACKGROUND_RMS = 0.004


def background(samples: int, sample_rate: int, rng: np.random.Generator) -> Samples:
    """Synthesize a background with a random mixture of sources.

    Args:
        samples: length, in samples.
        sample_rate: Hz.
        rng: draws the mixture and the noise.

    Returns:
        Samples with shape [Samples] and a root mean square of `BACKGROUND_RMS`.
    """
    frequency = scipy.fft.rfftfreq(samples, 1 / sample_rate).astype(np.float32)
    wind, rain, insects = rng.uniform(0.2, 1.0, 3)
    insect_frequency = rng.uniform(4500, 9500)
    steady_shape = 0.5 / np.sqrt(1 + (frequency / 1500) ** 2) + 0.05
    steady_shape += rain * 0.5 * ((frequency > 800) & (frequency < 12000))
    wind_shape = wind * 12 / (1 + (frequency / 120) ** 2)
    insect_shape = insects * 3 * np.exp(-0.5 * ((frequency - insect_frequency) / 150) ** 2)
    time = np.arange(samples, dtype=np.float32) / sample_rate
    sound = _noise(steady_shape, samples, rng)
    sound += _noise(wind_shape, samples, rng) * (0.6 + 0.4 * np.sin(2 * np.pi * rng.uniform(0.05, 0.3) * time))
    sound += _noise(insect_shape, samples, rng) * (np.sin(2 * np.pi * rng.uniform(8, 30) * time) > 0)
    rms = float(np.sqrt(np.mean(sound**2)))
    sound += _drops(samples, sample_rate, int(rain * 8 * samples / sample_rate), 4 * rms, rng)
    hum = rng.uniform(0, 0.3) * rms
    for harmonic in (60, 120, 180):
        sound += hum * np.sin(2 * np.pi * harmonic * time + rng.uniform(0, 2 * np.pi)).astype(np.float32)
    return (sound * (BACKGROUND_RMS / np.sqrt(np.mean(sound**2)))).astype(np.float32)


def band_power(sound: Samples, sample_rate: int, f_low: float, f_high: float) -> float:
    """The mean power of a sound, shape [Samples], between two frequencies in Hz, by Parseval's theorem."""
    length = scipy.fft.next_fast_len(len(sound), real=True)
    spectrum = scipy.fft.rfft(sound.astype(np.float64), length)
    frequency = scipy.fft.rfftfreq(length, 1 / sample_rate)
    inside = (frequency >= f_low) & (frequency <= f_high)
    return float(2 * np.sum(np.abs(spectrum[inside]) ** 2) / (length * len(sound)))


def _noise(shape: NDArray[np.float32], samples: int, rng: np.random.Generator) -> Samples:
    """Gaussian noise whose amplitude spectrum follows `shape`, with shape [Samples // 2 + 1]."""
    parts = rng.standard_normal((2, len(shape)), dtype=np.float32) * shape
    spectrum = parts[0] + 1j * parts[1]
    return scipy.fft.irfft(spectrum, samples) * np.float32(np.sqrt(samples / 2))


def _drops(samples: int, sample_rate: int, count: int, level: float, rng: np.random.Generator) -> Samples:
    """Rain drops on leaves: clicks that ring for a few milliseconds at 1 to 6 kHz."""
    sound = np.zeros(samples, np.float32)
    length = int(0.02 * sample_rate)
    time = np.arange(length) / sample_rate
    for start in rng.integers(0, max(1, samples - length), count):
        ring = np.sin(2 * np.pi * rng.uniform(1000, 6000) * time) * np.exp(-time * rng.uniform(200, 800))
        sound[start : start + length] += (level * rng.exponential() * ring).astype(np.float32)
    return sound
