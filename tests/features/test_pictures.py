"""A sound lies in a picture where the axes say."""

import io

import librosa
import numpy as np
import pytest
from PIL import Image

from dawnchorus.features.pictures import FrequencyAxis, Scale, draw_spectrogram, levels_db, round_steps

RATE = 48_000


def tone(frequency: float, seconds: float = 2.0, rate: int = RATE) -> np.ndarray:
    rng = np.random.default_rng(1)
    times = np.arange(int(seconds * rate)) / rate
    return (0.1 * np.sin(2 * np.pi * frequency * times) + rng.normal(0, 1e-4, len(times))).astype(np.float32)


@pytest.mark.parametrize("scale", ["mel", "linear"])
@pytest.mark.parametrize("frequency", [440, 2000, 9000])
def test_a_tone_lies_at_its_frequency(scale: Scale, frequency: int) -> None:
    picture = draw_spectrogram(tone(frequency), RATE, 200, 12_000, scale)
    image = Image.open(io.BytesIO(picture.image))
    assert (image.format, image.size) == ("WEBP", (picture.width, picture.height))
    row = np.asarray(image.convert("L"), float).mean(axis=1).argmax()
    assert 1 - (row + 0.5) / picture.height == pytest.approx(picture.axis.height_of(frequency), abs=0.012)


def test_a_click_lies_at_its_time() -> None:
    rng = np.random.default_rng(1)
    samples = rng.normal(0, 1e-4, 3 * RATE).astype(np.float32)
    samples[int(2.25 * RATE)] = 1
    image = Image.open(io.BytesIO(draw_spectrogram(samples, RATE, 200, 12_000).image))
    column = np.asarray(image.convert("L"), float).mean(axis=0).argmax()
    assert (column + 0.5) / 480 * 3 == pytest.approx(2.25, abs=0.015)


def test_nothing_falls_between_the_columns_of_a_long_clip() -> None:
    samples = np.full(120 * RATE, 1e-6, np.float32)
    rng = np.random.default_rng(1)
    clicks = np.sort(rng.choice(len(samples) // 4800, 30, replace=False)) * 4800
    samples[clicks] = 1
    levels = levels_db(samples, RATE, FrequencyAxis(200, 12_000, "mel"), 100, 20).mean(axis=0)
    assert set(clicks * 100 // len(samples)) <= set(np.flatnonzero(levels > np.median(levels) + 20))


def test_levels_are_powers_per_frequency() -> None:
    # White noise of power 1 has the same level everywhere, in wide rows and in narrow ones.
    samples = np.random.default_rng(2).normal(0, 1, 20 * RATE).astype(np.float32)
    levels = levels_db(samples, RATE, FrequencyAxis(200, 12_000, "mel"), 50, 40)
    assert np.abs(levels.mean(axis=1)).max() < 0.6


def test_the_mel_axis_is_librosas() -> None:
    axis = FrequencyAxis(200, 12_000, "mel")
    low, high, at = librosa.hz_to_mel([200, 12_000, 3000])
    assert axis.height_of(3000) == pytest.approx((at - low) / (high - low))
    assert axis.frequency_at(np.array([axis.height_of(3000)])) == pytest.approx([3000])
    assert (axis.height_of(0), axis.height_of(np.inf), axis.height_of(200), axis.height_of(12_000)) == (0, 1, 0, 1)


def test_ticks_are_round_and_apart() -> None:
    assert FrequencyAxis(200, 12_000, "mel").ticks() == [200, 1000, 2000, 5000, 10_000]
    assert FrequencyAxis(0, 12_000, "linear").ticks() == [0, 2000, 4000, 6000, 8000, 10_000, 12_000]
    assert round_steps(2.9, 6.2, 6) == [3, 4, 5, 6]
    assert round_steps(0.05, 0.62, 6) == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    assert round_steps(3600.1, 3600.35, 5) == [3600.1, 3600.15, 3600.2, 3600.25, 3600.3, 3600.35]


def test_no_contrast_is_made_of_silence() -> None:
    for samples in (np.zeros(RATE, np.float32), np.zeros(1, np.float32)):
        image = np.asarray(Image.open(io.BytesIO(draw_spectrogram(samples, RATE, 200, 12_000).image)).convert("L"))
        assert image.max() < 20


def test_a_picture_ends_where_the_recording_can_hold_no_more() -> None:
    assert draw_spectrogram(tone(500, rate=8000), 8000, 200, 12_000).axis.f_max == 4000
    assert draw_spectrogram(tone(500, rate=8000), 8000, 6000, 12_000).axis.f_min == 0
