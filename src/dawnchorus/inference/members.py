"""Scoring of a recording by all members of an ensemble: networks on spectrograms, and heads on embeddings."""

from collections.abc import Callable
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Members:
    """All members of an ensemble.

    Attributes:
        networks: the weighted sum of the networks on spectrograms; None if there are none.
        heads: the heads on each embedding.
    """

    networks: Scorer | None
    heads: list[EmbeddingHeads]

    def score_recording(
        self,
        path: Path,
        settings: ModelSettings,
        hop_seconds: float,
        channel: Channel,
        batch_size: int,
        tell: Callable[[float], object] = lambda seconds: None,
    ) -> tuple[NDArray[np.float64], NDArray[np.float32], float]:
        """Score the windows of a recording; arguments, results and errors are those of `streaming.score_recording`.

        The recording is decoded once for the networks, and once for each embedding.
        """
        second = to_seconds(1, settings.spectrogram)
        length = to_frames(settings.window.seconds, settings.spectrogram)
        n_passes = (self.networks is not None) + len(self.heads)
        parts = []
        if self.networks is not None:
            starts, scores, seconds = score_recording(
                self.networks, path, settings, hop_seconds, channel, batch_size, lambda done: tell(done / n_passes)
            )
            parts.append(scores)
        else:
            n_samples = count_samples(path, settings.spectrogram.sample_rate, channel)
            hop = min(length, to_frames(hop_seconds, settings.spectrogram))
            starts = np.asarray(tile(n_frames(n_samples, settings.spectrogram), length, hop) * second, float)
            seconds = n_samples / settings.spectrogram.sample_rate
        for each in self.heads:
            scores = np.empty((len(starts), each.n_species), np.float32)
            first = 0
            for vectors in embed_windows(each.embed, each.settings, path, starts, length * second, seconds, channel):
                scores[first : first + len(vectors)] = each.scores(vectors)
                first += len(vectors)
                tell((len(parts) * seconds + first / len(starts) * seconds) / n_passes)
            parts.append(scores)
        # Rounded weights of saturated scores may add up to more than 1.
        return starts, np.minimum(np.sum(parts, axis=0), 1), seconds
