"""Scoring of a recording by all members of an ensemble: networks on spectrograms, and heads on embeddings."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dawnchorus.audio.decoding import Channel
from dawnchorus.config.model import ModelSettings
from dawnchorus.features.embeddings import count_samples, embed_windows
from dawnchorus.features.frames import n_frames, to_frames, to_seconds
from dawnchorus.inference.streaming import Scorer, score_recording
from dawnchorus.inference.windows import tile
from dawnchorus.models.embedding_heads import EmbeddingHeads


def score_members(
    networks: Scorer | None,
    heads: Sequence[EmbeddingHeads],
    path: Path,
    settings: ModelSettings,
    hop_seconds: float,
    channel: Channel,
    batch_size: int,
) -> tuple[NDArray[np.float64], NDArray[np.float32], float]:
    """Score the windows of a recording; the arguments, results and errors are those of `score_recording`.

    The recording is decoded once for the networks, and once for each embedding.

    Args:
        networks: the weighted sum of the networks on spectrograms; None if there are none.
        heads: the heads on each embedding.
        path: the audio file.
        settings: of the model.
        hop_seconds: time between the starts of two windows, s.
        channel: number of the channel, from 1, or "mean".
        batch_size: windows in a forward pass of the networks.
    """
    second = to_seconds(1, settings.spectrogram)
    length = to_frames(settings.window.seconds, settings.spectrogram)
    parts = []
    if networks is not None:
        starts, scores, seconds = score_recording(networks, path, settings, hop_seconds, channel, batch_size)
        parts.append(scores)
    else:
        n_samples = count_samples(path, settings.spectrogram.sample_rate, channel)
        hop = min(length, to_frames(hop_seconds, settings.spectrogram))
        starts = np.asarray(tile(n_frames(n_samples, settings.spectrogram), length, hop) * second, float)
        seconds = n_samples / settings.spectrogram.sample_rate
    for each in heads:
        batches = embed_windows(each.embed, each.settings, path, starts, length * second, seconds, channel)
        parts.append(np.concatenate([each.scores(vectors) for vectors in batches]))
    return starts, np.sum(parts, axis=0), seconds
