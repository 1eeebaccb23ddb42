"""Training steps and inference with a model, compared with the same model when it never waits for input."""

from collections.abc import Iterator
from itertools import cycle, islice, repeat
from pathlib import Path

import keras
import numpy as np
from notebook import check_same, decoded_recording, decoded_window
from numpy.typing import NDArray
from rows import Row, in_turn

from dawnchorus.audio.decoding import read_blocks
from dawnchorus.config.params import Params
from dawnchorus.data.annotations import Annotations
from dawnchorus.features.frames import to_frames
from dawnchorus.features.mel import mel_blocks
from dawnchorus.features.store import from_codes, to_codes, write_features
from dawnchorus.inference.scoring import score_recordings
from dawnchorus.inference.windows import tile
from dawnchorus.models.building import build_models
from dawnchorus.models.shapes import Shapes
from dawnchorus.training.losses import MaskedCrossEntropy
from dawnchorus.training.prefetching import prefetched
from dawnchorus.training.sampling import WindowSampler
from dawnchorus.workflow.devices import use_device

N_SPECIES = 24
# Steps and recordings per turn, and number of turns, for each backbone: about half a minute of work.
STEPS: dict[str, int] = {"small_cnn": 25, "efficientnet": 1}
RECORDINGS: dict[str, int] = {"small_cnn": 8, "efficientnet": 1}
TURNS: dict[str, int] = {"small_cnn": 7, "efficientnet": 6}
PEER_STEPS = 1


def measure(recordings: list[Path], settings: dict[str, Params], folder: Path) -> list[Row]:
    """Measure a training row and an inference row for each backbone and its parameters, on one-minute recordings."""
    use_device(1)
    rows = []
    for backbone, params in settings.items():
        cached = folder / backbone
        for path in recordings:
            blocks = mel_blocks(read_blocks(path, params.spectrogram.sample_rate), params.spectrogram)
            write_features(cached, path.stem, blocks)
        check_same(recordings[0], cached, params)
        shapes = Shapes.of(params)
        scorer, trainer = build_models(backbone, shapes, N_SPECIES, params.train.dropout, seed=1)
        trainer.compile(optimizer="adam", loss=MaskedCrossEntropy(params.train.label_smoothing), jit_compile=False)
        rows += [
            _training(backbone, trainer, recordings, params, cached),
            _inference(backbone, scorer, list(islice(cycle(recordings), RECORDINGS[backbone])), params, cached),
        ]
    return rows


def _training(backbone: str, trainer: keras.Model, recordings: list[Path], params: Params, cached: Path) -> Row:
    steps, batch_size = STEPS[backbone], params.train.batch_size
    rng = np.random.default_rng(0)
    names = np.array([path.stem for path in recordings] * batch_size)
    begin = rng.uniform(0, 50, len(names))
    boxes = np.stack([begin, np.full(len(names), 1e3), begin + 2, np.full(len(names), 3e3)], axis=1)
    species = rng.integers(0, N_SPECIES, len(names))
    sampler = WindowSampler(
        Annotations(names, boxes, species, np.ones(len(names), bool)), cached, params, N_SPECIES, ("benchmark", 0)
    )
    paths = {path.stem: path for path in recordings}
    batch = next(sampler.batches())

    def notebooks_way() -> Iterator[tuple[dict[str, NDArray], NDArray]]:
        for inputs, labels in sampler.batches():
            for row, window in enumerate(inputs["windows"]):
                start = to_frames(begin[row], params.spectrogram)
                window[:] = to_codes(decoded_window(paths[names[row]], start, params))
            yield inputs, labels

    def fit(batches: Iterator, steps: int) -> None:
        # What is made ahead for a step that does not come would take time from the next side.
        with prefetched(islice(batches, steps)) as ahead:
            trainer.fit(ahead, steps_per_epoch=steps, epochs=1, verbose=0, shuffle=False)

    seconds = in_turn(
        {
            "ours": lambda: fit(sampler.batches(), steps),
            "peer": lambda: fit(notebooks_way(), PEER_STEPS),
            "limit": lambda: fit(repeat(batch), steps),
        },
        TURNS[backbone],
    )
    return Row(
        f"training step, {backbone}", "steps/s", steps / seconds["ours"], PEER_STEPS / seconds["peer"],
        steps / seconds["limit"],
    )  # fmt: skip


def _inference(backbone: str, scorer: keras.Model, recordings: list[Path], params: Params, cached: Path) -> Row:
    names = [path.stem for path in recordings]
    length, hop = scorer.input_shape[1], to_frames(params.predict.hop_seconds, params.spectrogram)
    n_windows = sum(len(tile(len(np.load(cached / f"{name}.npy")), length, hop)) for name in names)
    first = from_codes(np.load(cached / f"{names[0]}.npy"))
    windows = np.stack([first[start : start + length] for start in tile(len(first), length, hop)])
    batch = np.resize(windows, (params.predict.batch_size, *windows.shape[1:]))

    def ours() -> NDArray[np.float32]:
        return score_recordings(scorer, cached, names, hop, params.predict.batch_size)

    def peer() -> NDArray[np.float32]:
        # The notebook decodes and transforms a recording, and scores its windows as one batch.
        scores = []
        for path in recordings:
            mel = decoded_recording(path, params)
            windows = np.stack([mel[start : start + length] for start in tile(len(mel), length, hop)])
            scores.append(scorer.predict_on_batch(windows).max(axis=0))
        return np.array(scores)

    def limit() -> None:
        for _ in range(-(-n_windows // len(batch))):
            scorer.predict_on_batch(batch)

    np.testing.assert_allclose(ours(), peer(), atol=0.01)
    seconds = in_turn({"ours": ours, "peer": peer, "limit": limit}, TURNS[backbone])
    # The limit counts only real windows, not the padding of the last batch.
    part = n_windows / (-(-n_windows // len(batch)) * len(batch))
    return Row(
        f"inference, {backbone}", "recordings/s", len(names) / seconds["ours"], len(names) / seconds["peer"],
        len(names) / (seconds["limit"] * part),
    )  # fmt: skip
