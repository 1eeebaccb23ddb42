"""What is unusual about the samples of a recording, found block by block."""

import numpy as np
from numpy.typing import NDArray

from dawnchorus.audio.decoding import Channel, to_mono

# This many consecutive samples at full scale count as clipping.
CLIPPED_RUN = 3
# The largest sample of an encoding, rounded down a little (for A-law and mu-law: ITU-T G.711).
FULL_SCALE = {"PCM_U8": 0.992, "PCM_S8": 0.992, "ALAW": 0.984, "ULAW": 0.98}
OTHER_FULL_SCALE = 0.999
FLOATS = ("FLOAT", "DOUBLE")
# Floats beyond this are on the scale of integers.
LOUD_PEAK = 8.0
# A recorder or card that fails repeats one value, mostly zero. In sound, runs of equal samples are shorter than this.
STUCK_RUN_SECONDS = 0.1
# That many seconds in such runs are remarked on.
STUCK_SECONDS = 1.0
# A channel has no sound if its power is less than this fraction of another's (-50 dB).
DEAD = 1e-5
# Channels cancel each other out where their mean has less than this fraction of their power.
CANCELLED = 0.01


class SoundChecks:
    """Statistics of the samples of one recording."""

    def __init__(self, rate: int, channels: int, subtype: str, channel: Channel) -> None:
        """Begin with no samples.

        Args:
            rate: sample rate, Hz.
            channels: number of channels.
            subtype: soundfile's name of the encoding.
            channel: number of the channel that is used, from 1, or "mean".
        """
        self.frames = 0
        self.is_finite = True
        self._rate, self._channels, self._subtype, self._channel = rate, channels, subtype, channel
        self._low = np.full(channels, np.inf)
        self._high = np.full(channels, -np.inf)
        # Of each channel and, last, of the mean of all.
        self._sums, self._squares = np.zeros(channels + 1), np.zeros(channels + 1)
        self._is_clipped = False
        self._tail = np.zeros((0, channels), np.float32)
        # Start of the last run of equal samples; start of the first long run and samples in all long runs.
        self._run_start = 0
        self._stuck = (0, 0)

    @property
    def peak(self) -> float:
        """Largest absolute sample; 0 without samples."""
        return float(np.max([-self._low, self._high], initial=0)) if self.frames else 0.0

    @property
    def rms(self) -> float:
        """Root mean square of all samples; 0 without samples."""
        return float(np.sqrt(self._squares[:-1].sum() / max(1, self.frames * self._channels)))

    def add(self, block: NDArray[np.float32]) -> None:
        """Add the next block of samples, shape [Samples, Channels]. Nothing after a NaN or infinite one counts."""
        self.is_finite = self.is_finite and bool(np.isfinite(block).all())
        if not self.is_finite:
            return
        self._low = np.minimum(self._low, block.min(axis=0))
        self._high = np.maximum(self._high, block.max(axis=0))
        with_mean = block if self._channels == 1 else np.column_stack([block, to_mono(block, "mean")])
        self._sums += with_mean.sum(axis=0, dtype=np.float64)
        self._squares += np.square(with_mean, dtype=np.float64).sum(axis=0)
        # Runs go on from one block to the next.
        seam = np.concatenate([self._tail, block])
        self._is_clipped = self._is_clipped or self._has_clipped_run(seam)
        self._find_runs(block)
        self._tail = seam[-CLIPPED_RUN + 1 :].copy()
        self.frames += len(block)

    def remarks(self) -> list[str]:
        """Unusual properties of the samples, each as "kind" or "kind: details"."""
        if (self._low == self._high).all():
            return ["silent" if self.peak == 0 else f"constant: every sample is {self._low[0]:g}"]
        found = []
        if self._subtype in FLOATS and self.peak > LOUD_PEAK:
            found.append(f"scale of integers: samples of up to {self.peak:.0f}, where full scale is 1")
        elif self._is_clipped:
            found.append("clipped")
        self._add_runs(np.array([self._run_start]), np.array([self.frames - self._run_start]))
        self._run_start = self.frames
        start, length = self._stuck
        if length >= STUCK_SECONDS * self._rate:
            found.append(f"stuck: {length / self._rate:.2f} s of equal samples from {start / self._rate:.2f} s on")
        power = self._squares - np.square(self._sums) / self.frames
        is_dead = power[:-1] < DEAD * power[:-1].max()
        advice = "set data.channel in params.yaml to use one channel"
        if is_dead.any() and (self._channel == "mean" or is_dead[self._channel - 1]):
            numbers = ", ".join(str(number + 1) for number in np.flatnonzero(is_dead))
            found.append(f"dead channel: {numbers} of {self._channels}; {advice}")
        elif self._channel == "mean" and self._channels > 1 and power[-1] < CANCELLED * power[:-1].mean():
            found.append(f"opposite phase: the channels cancel each other out; {advice}")
        return found

    def _has_clipped_run(self, samples: NDArray[np.float32]) -> bool:
        is_full = np.abs(samples) >= FULL_SCALE.get(self._subtype, OTHER_FULL_SCALE)
        n_runs = len(samples) - CLIPPED_RUN + 1
        if n_runs < 1 or not is_full.any():
            return False
        runs = is_full[:n_runs].copy()
        for shift in range(1, CLIPPED_RUN):
            runs &= is_full[shift : shift + n_runs]
            if self._subtype in FLOATS:
                # Floats may exceed full scale. A clipped wave is flat.
                runs &= samples[shift : shift + n_runs] == samples[:n_runs]
        return bool(runs.any())

    def _find_runs(self, block: NDArray[np.float32]) -> None:
        """Find long runs of equal samples that end in this block. The last one may go on in the next."""
        before = self._tail[-1:] if self.frames else np.full((1, self._channels), np.nan, np.float32)
        is_new = (block != np.concatenate([before, block[:-1]])).any(axis=1)
        starts = np.concatenate([[self._run_start], self.frames + np.flatnonzero(is_new)])
        self._add_runs(starts[:-1], np.diff(starts))
        self._run_start = int(starts[-1])

    def _add_runs(self, starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> None:
        long = np.flatnonzero(lengths >= STUCK_RUN_SECONDS * self._rate)
        if len(long):
            first, total = self._stuck
            self._stuck = (first if total else int(starts[long[0]]), total + int(lengths[long].sum()))
