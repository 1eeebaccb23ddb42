"""Spectrograms of noise with a tone for each of two species, from which a network learns in seconds."""

from pathlib import Path

import numpy as np

from dawnchorus.config.params import Params
from dawnchorus.data.annotations import Annotations
from dawnchorus.features.store import write_features
from dawnchorus.models.shapes import Shapes

SHAPES = Shapes((47, 32), (47, 32))


def noise_with_tones(folder: Path, params: Params) -> Annotations:
    """Write spectrograms of noise with tones: species 0 is a tone in a low band, species 1 in a high band."""
    rng = np.random.default_rng(0)
    frames = 94  # 4 s
    rows = []
    for number in range(24):
        spectrogram = rng.normal(-60, 3, (frames, params.spectrogram.n_mels))
        species, start = number % 2, int(rng.integers(0, frames - 23))
        spectrogram[start : start + 23, 5 + 20 * species] += 25
        write_features(folder, f"r{number}", [spectrogram.astype(np.float32)])
        rows.append((f"r{number}", start * 2048 / 48_000, (start + 23) * 2048 / 48_000, species))
    names, begin, end, species_ids = zip(*rows, strict=True)
    return Annotations(
        np.array(names),
        np.column_stack([begin, np.full(24, 1000.0), end, np.full(24, 2000.0)]),
        np.array(species_ids),
        np.ones(24, bool),
    )
