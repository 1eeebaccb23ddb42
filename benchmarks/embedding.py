"""Speed of embedding recordings with BirdNET, next to the forward passes alone."""

import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from detection import RATE, joined
from rows import Row, in_turn, on_one_core

from dawnchorus.config.loading import load_params
from dawnchorus.features.embedders import BIRDNET_PACKAGE, load_embedder, n_samples
from dawnchorus.features.embeddings import BATCH_SIZE, count_samples, embed_windows, write_embeddings
from dawnchorus.features.frames import n_frames, to_frames, to_seconds
from dawnchorus.inference.windows import tile
from dawnchorus.workflow.devices import use_device

ROOT = Path(__file__).parent.parent
SECONDS = 300


def measure(folder: Path) -> list[Row]:
    """Measure the row with the demo's recordings; none if BirdNET is not installed."""
    if find_spec(BIRDNET_PACKAGE) is None:
        print("BirdNET is not installed: for the row on embedding, run `make env BIRDNET=1`", file=sys.stderr)
        return []
    use_device(1)
    params = load_params(ROOT / "params.yaml")
    settings, spectrogram = params.features["birdnet"], params.spectrogram
    length, hop = (to_frames(each, spectrogram) for each in (params.window.seconds, params.predict.hop_seconds))
    recording = joined(folder / "recording.flac", SECONDS)
    embed = load_embedder(settings)
    n_windows = len(tile(n_frames(SECONDS * RATE, spectrogram), length, hop))
    silence = np.zeros((BATCH_SIZE, n_samples(settings)), np.float32)

    def ours() -> None:
        seconds = count_samples(recording, spectrogram.sample_rate, "mean") / spectrogram.sample_rate
        starts = tile(n_frames(SECONDS * RATE, spectrogram), length, hop)
        begins, window_seconds = starts * to_seconds(1, spectrogram), to_seconds(length, spectrogram)
        vectors = list(embed_windows(embed, settings, recording, begins, window_seconds, seconds, "mean"))
        write_embeddings(folder / "recording.npz", starts, np.concatenate(vectors))

    def limit() -> None:
        for first in range(0, n_windows, BATCH_SIZE):
            embed(silence[: n_windows - first])

    with on_one_core():
        took = in_turn({"ours": ours, "limit": limit}, times=3)
    name = f"embedding: BirdNET, hop {params.predict.hop_seconds:g} s (limit: forward passes)"
    return [Row(name, "x real time", SECONDS / took["ours"], None, SECONDS / took["limit"])]
