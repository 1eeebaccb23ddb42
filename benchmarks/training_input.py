"""Training windows per second on one core, without a model."""

from itertools import islice
from pathlib import Path

import numpy as np
from notebook import check_same, decoded_window
from rows import Row, in_turn, on_one_core

from dawnchorus.audio.decoding import read_blocks
from dawnchorus.config.params import Params
from dawnchorus.data.annotations import Annotations
from dawnchorus.features.mel import mel_blocks
from dawnchorus.features.store import write_features
from dawnchorus.models.shapes import Shapes
from dawnchorus.training.sampling import WindowSampler

N_SPECIES = 24
N_WINDOWS = 1000
# The peer is much slower, so a few windows must suffice.
PEER_WINDOWS = 8


def measure(recordings: list[Path], params: Params, folder: Path) -> list[Row]:
    """Measure the row on windows of one-minute recordings."""
    settings, shapes = params.spectrogram, Shapes.of(params)
    for path in recordings:
        write_features(folder, path.stem, mel_blocks(read_blocks(path, settings.sample_rate), settings))
    check_same(recordings[0], folder, params)
    rng = np.random.default_rng(0)
    names = np.array([path.stem for path in recordings])[rng.integers(0, len(recordings), N_WINDOWS)]
    begin = rng.uniform(0, 55, N_WINDOWS)
    boxes = np.stack([begin, np.full(N_WINDOWS, 1e3), begin + 2, np.full(N_WINDOWS, 3e3)], axis=1)
    annotations = Annotations(names, boxes, rng.integers(0, N_SPECIES, N_WINDOWS), np.ones(N_WINDOWS, bool))
    sampler = WindowSampler(annotations, folder, params, N_SPECIES, ("benchmark", 0))
    paths = {path.stem: path for path in recordings}

    def ours() -> None:
        for _ in islice(sampler.batches(), sampler.steps_per_epoch):
            pass

    def peer() -> None:
        for row in range(PEER_WINDOWS):
            decoded_window(paths[names[row]], int(begin[row] * settings.sample_rate / settings.hop_length), params)

    mapped = {path.stem: np.load(folder / f"{path.stem}.npy", mmap_mode="r") for path in recordings}
    batch = np.empty((params.train.batch_size, *shapes.window), np.int16)
    starts = rng.integers(0, min(map(len, mapped.values())) - shapes.window[0], N_WINDOWS)

    def limit() -> None:
        for row in range(N_WINDOWS):
            np.copyto(batch[row % len(batch)], mapped[names[row]][starts[row] : starts[row] + shapes.window[0]])

    with on_one_core():
        seconds = in_turn({"ours": ours, "peer": peer, "limit": limit}, times=5)
    return [
        Row("training input, one core", "windows/s", N_WINDOWS / seconds["ours"], PEER_WINDOWS / seconds["peer"],
            N_WINDOWS / seconds["limit"]),
    ]  # fmt: skip
