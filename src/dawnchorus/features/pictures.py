"""Pictures of spectrograms, and the numbers that a page needs to draw axes and boxes over them.

A picture has no text: a page draws axes and boxes itself, so that they stay sharp and can be read aloud.
"""

import io
from dataclasses import dataclass
from typing import Literal

import librosa
import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.fft import rfft
from scipy.signal.windows import hann

Scale = Literal["mel", "linear"]

# Frames are about this long, s: 1024 samples at 48 kHz.
FRAME_SECONDS = 0.0213
# Frames that are transformed at once.
MOST_FRAMES = 64
# -120 dB, so that silence has a level.
POWER_FLOOR = 1e-12
# Quantiles of all levels that are the darkest and the brightest colour, and bounds of their distance, dB.
DARKEST, BRIGHTEST = 0.5, 0.999
LEAST_RANGE, MOST_RANGE = 20.0, 50.0
# Equal differences of level look equal, also to colour-blind people and in grey.
COLOURS = "magma"
WEBP_QUALITY = 40


@dataclass(frozen=True)
class FrequencyAxis:
    """The vertical axis of a picture.

    Attributes:
        f_min: frequency at the bottom, Hz.
        f_max: frequency at the top, Hz.
        scale: what is proportional to the height: "linear" for frequency, "mel" for librosa's mel.
    """

    f_min: float
    f_max: float
    scale: Scale

    def height_of(self, frequency: float) -> float:
        """How high a frequency in Hz lies: 0 at the bottom, 1 at the top; what lies beyond is at the edge."""
        low, high, at = (self._warp(each) for each in (self.f_min, self.f_max, min(frequency, self.f_max)))
        return float(np.clip((at - low) / (high - low), 0, 1))

    def frequency_at(self, height: NDArray[np.floating]) -> NDArray[np.float64]:
        """The frequency at heights from 0 to 1, Hz; the shape of `height`."""
        low, high = self._warp(self.f_min), self._warp(self.f_max)
        value = low + np.asarray(height, float) * (high - low)
        return value if self.scale == "linear" else librosa.mel_to_hz(value)

    def ticks(self, apart: float = 0.12) -> list[float]:
        """Round frequencies for the axis, Hz, at least `apart` of its height from each other."""
        if self.scale == "linear":
            return round_steps(self.f_min, self.f_max, int(1 / apart))
        # On mel, equal steps crowd at the top.
        decades = [first * 10.0**power for power in range(1, 7) for first in (1, 2, 5)]
        chosen: list[float] = []
        for tick in (each for each in decades if self.f_min <= each <= self.f_max):
            if not chosen or self.height_of(tick) - self.height_of(chosen[-1]) >= apart:
                chosen.append(tick)
        return chosen

    def _warp(self, frequency: float) -> float:
        return frequency if self.scale == "linear" else float(librosa.hz_to_mel(frequency))


@dataclass(frozen=True)
class Picture:
    """A picture of a spectrogram.

    Attributes:
        image: bytes of a WebP file.
        width: pixels; time runs evenly from the left edge to the right.
        height: pixels.
        axis: the frequencies from bottom to top.
    """

    image: bytes
    width: int
    height: int
    axis: FrequencyAxis


def levels_db(
    samples: NDArray[np.float32], rate: int, axis: FrequencyAxis, width: int, height: int
) -> NDArray[np.float64]:
    """The level of a sound in each cell of a grid of time and frequency: a Fourier transform of short frames.

    Args:
        samples: shape [Samples], at least one.
        rate: sample rate, Hz.
        axis: the frequencies of the rows.
        width: number of columns, which divide the time evenly.
        height: number of rows, which divide the axis evenly.

    Returns:
        Mean power in dB, at least -120, where white noise of variance 1 has 0. Shape [height, width], from the highest
        frequency down.
    """
    length = 2 ** round(np.log2(FRAME_SECONDS * rate))
    # Frames overlap by half at least, so that nothing falls between two columns.
    per_column = max(1, int(np.ceil(len(samples) / width / (length / 2))))
    centres = (np.arange(width * per_column) + 0.5) * len(samples) / (width * per_column)
    starts = centres.astype(int).reshape(width, per_column) + length // 2
    padded, window = np.pad(samples, length), hann(length, sym=False).astype(np.float32)
    # A few columns at a time, because all frames of a long clip would take gigabytes.
    power = np.empty((width, length + 1))
    for block in np.array_split(np.arange(width), min(width, -(-starts.size // MOST_FRAMES))):
        frames = padded[starts[block][:, :, None] + np.arange(length)] * window
        power[block] = np.square(np.abs(rfft(frames, 2 * length, axis=2))).mean(axis=1)
    power /= np.sum(np.square(window, dtype=float))
    # The mean over a row is a difference of sums, as rows are narrower or wider than the transform's frequencies.
    sums = np.concatenate([np.zeros((width, 1)), np.cumsum(power, axis=1)], axis=1)
    edges = np.clip(axis.frequency_at(np.linspace(1, 0, height + 1)) * 2 * length / rate + 0.5, 0, power.shape[1])
    lower = np.minimum(edges.astype(int), power.shape[1] - 1)
    sums_at_edges = sums[:, lower] + (edges - lower) * power[:, lower]
    mean = -np.diff(sums_at_edges, axis=1) / -np.diff(edges)
    return 10 * np.log10(np.maximum(mean.T, POWER_FLOOR))


def draw_spectrogram(
    samples: NDArray[np.float32],
    rate: int,
    f_min: float,
    f_max: float,
    scale: Scale = "mel",
    width: int = 480,
    height: int = 200,
) -> Picture:
    """Draw the spectrogram of a sound, from dark (quiet) to bright (loud).

    The colours span the levels of this sound between the quantiles `DARKEST` and `BRIGHTEST`.

    Args:
        samples: shape [Samples], at least one.
        rate: sample rate, Hz.
        f_min: lowest frequency, Hz.
        f_max: highest frequency, Hz. What a recording cannot hold is not drawn.
        scale: of the vertical axis.
        width: pixels.
        height: pixels.
    """
    top = min(f_max, rate / 2)
    axis = FrequencyAxis(f_min if f_min < top else 0.0, top, scale)
    levels = levels_db(samples, rate, axis, width, height)
    low, high = np.quantile(levels, [DARKEST, BRIGHTEST])
    low = max(low, high - MOST_RANGE)
    shade = np.clip((levels - low) / max(high - low, LEAST_RANGE), 0, 1)
    colours = mpl.colormaps[COLOURS](shade, bytes=True)[..., :3]
    file = io.BytesIO()
    Image.fromarray(colours).save(file, "WEBP", quality=WEBP_QUALITY, method=4)
    return Picture(file.getvalue(), width, height, axis)


def round_steps(first: float, last: float, most: int) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten between two numbers, at most `most` + 1 of them."""
    rough = (last - first) / most
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999999)
    numbers = np.arange(np.ceil(first / step - 1e-9), np.floor(last / step + 1e-9) + 1)
    # Free of the last bits of a product such as 3 * 0.1, and of a negative zero.
    return [float(f"{number * step:.10g}") + 0.0 for number in numbers]
