"""How an exported file compares with its model: scores, ranks, detections and speed."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau

from dawnchorus.audio.decoding import Channel, read_blocks
from dawnchorus.export.request import Runner

SECONDS_TO_TIME = 2.0


@dataclass(frozen=True)
class Comparison:
    """Scores by a file next to those by the model, of the same windows.

    Attributes:
        n_windows: number of windows.
        difference: largest difference of a score, apart from unsure windows.
        typical: the difference that 99 % of these scores do not exceed.
        agreement: Kendall's rank correlation of windows, the mean over species.
        least_agreement: that of the species with the least.
        detections: number of windows and species from the threshold on, by the model.
        lost: those that the file does not have.
        added: those that the file has in addition.
        n_unsure: number of windows whose scores by the model depend on rounding errors.
        unsure_difference: largest difference of a score in these.
    """

    n_windows: int
    difference: float
    typical: float
    agreement: float
    least_agreement: float
    detections: int
    lost: int
    added: int
    n_unsure: int = 0
    unsure_difference: float = 0.0

    @classmethod
    def of(
        cls,
        found: NDArray[np.floating],
        expected: NDArray[np.floating],
        thresholds: NDArray[np.floating],
        is_unsure: NDArray[np.bool_] | None = None,
    ) -> "Comparison":
        """Compare.

        Args:
            found: numbers from 0 to 1 by the file, shape [Windows, Species].
            expected: those by the model.
            thresholds: of each species; NaN for none, shape [Species].
            is_unsure: whether the model's scores of a window depend on rounding errors, shape [Windows]; None if none
                do.
        """
        pairs = zip(found.T, expected.T, strict=True) if len(found) > 1 else []
        taus = [kendalltau(ours, theirs).statistic for ours, theirs in pairs]
        # A species with the same score in all windows has none, nor has a single window.
        known = [tau for tau in taus if not np.isnan(tau)] or [1.0]
        ours, theirs = found >= thresholds, expected >= thresholds
        unsure = np.zeros(len(found), bool) if is_unsure is None else is_unsure
        differences = np.abs(found - expected)
        sure = differences[~unsure]
        return cls(
            len(found), float(sure.max(initial=0)), float(np.quantile(sure, 0.99)) if len(sure) else 0.0,
            float(np.mean(known)), float(min(known)), int(theirs.sum()), int((theirs & ~ours).sum()),
            int((ours & ~theirs).sum()), int(unsure.sum()), float(differences[unsure].max(initial=0)),
        )  # fmt: skip

    @property
    def text(self) -> str:
        """A line for people."""
        line = (
            f"{self.n_windows} windows; scores differ by at most {self.difference:.2g}, 99 % of them by at most "
            f"{self.typical:.2g}; rank correlation {self.agreement:.4f}, of each species at least "
            f"{self.least_agreement:.4f}"
        )
        if self.n_unsure:
            line += (
                f"; these differences are without {self.n_unsure} windows with digital silence, where scores differ by "
                f"at most {self.unsure_difference:.2g}"
            )
        if self.detections or self.added:
            line += f"; of {self.detections} detections, {self.lost} are lost and {self.added} are added"
        return line


@dataclass(frozen=True)
class Exported:
    """How an exported file compares with its model.

    Attributes:
        sounds: on silence, an impulse, noise and sweeps.
        recordings: on recordings; None where none were given.
        n_bytes: size of the file.
        times_real_time: seconds of sound for each second of one thread.
        licences: how the file may be shared because of what it holds, a line for each frozen model.
    """

    sounds: Comparison
    recordings: Comparison | None
    n_bytes: int
    times_real_time: float
    licences: list[str]


def windows_of(path: Path, sample_rate: int, channel: Channel, n_samples: int) -> Iterator[NDArray[np.float32]]:
    """Cut a recording into windows, shape [Samples] each, without overlap; silence fills up the last one.

    Args:
        path: the audio file.
        sample_rate: that of the model, Hz.
        channel: number of the channel, from 1, or "mean".
        n_samples: samples of a window.

    Raises:
        InputError: the recording cannot be decoded.
    """
    waiting = np.empty(0, np.float32)
    for block in read_blocks(path, sample_rate, channel):
        waiting = np.concatenate([waiting, block])
        whole = len(waiting) // n_samples * n_samples
        yield from waiting[:whole].reshape(-1, n_samples)
        waiting = waiting[whole:]
    if len(waiting):
        yield np.pad(waiting, (0, n_samples - len(waiting)))


def has_silence(samples: NDArray[np.float32], n_samples: int) -> bool:
    """Whether there are so many zeros in a row in samples, shape [Samples]."""
    ends = np.flatnonzero(np.concatenate([[1], samples, [1]]))
    return bool(np.diff(ends).max() > n_samples)


def check_sounds(n_samples: int, sample_rate: int) -> NDArray[np.float32]:
    """Sounds that tell apart wrong front ends: silence, an impulse, noise of several levels, and sweeps.

    Args:
        n_samples: samples of each.
        sample_rate: Hz.

    Returns:
        Shape [Sounds, Samples].
    """
    rng = np.random.default_rng(0)
    t = np.arange(n_samples) / sample_rate
    silence = np.zeros(n_samples)
    impulse = np.where(np.arange(n_samples) == n_samples // 3, 1.0, 0.0)
    # A short sound that is filled up with silence.
    short = np.where(t < t[-1] / 3, rng.normal(0, 0.1, n_samples), 0)
    noise = [rng.normal(0, level, n_samples) for level in (1e-4, 1e-2, 0.1, 0.3)]
    sweeps = [
        0.3 * np.sin(2 * np.pi * (low * t + (high - low) * t**2 / (2 * t[-1]))) + rng.normal(0, 0.01, n_samples)
        for low, high in ((300, 3000), (2000, 9000), (11000, 1000), (500, sample_rate / 2.2))
    ]
    return np.array([silence, impulse, short, *noise, *sweeps], np.float32)


def windows_per_second(run: Runner, samples: NDArray[np.float32]) -> float:
    """How many windows a file scores in a second."""
    run(samples)
    n_runs, began = 0, time.perf_counter()
    while time.perf_counter() - began < SECONDS_TO_TIME:
        run(samples)
        n_runs += 1
    return n_runs / (time.perf_counter() - began)
