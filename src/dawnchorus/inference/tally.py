"""How far the processes that score recordings have come, in memory that they share."""

import time
from multiprocessing.context import SpawnContext

SCORED, STARTED, STARTED_BYTES, READY = range(4)


class Tally:
    """Sums over the recordings that processes have started with, and when the first of these could score."""

    def __init__(self, context: SpawnContext) -> None:
        """Begin with nothing."""
        # Reading takes no lock, which a killed process may hold forever.
        self._sums, self._lock = context.RawArray("d", 4), context.Lock()

    def get_ready(self) -> None:
        """Note that a process has loaded the model."""
        with self._lock:
            self._sums[READY] = self._sums[READY] or time.monotonic()

    def start(self, seconds: float, n_bytes: int) -> None:
        """Note that a process starts with a recording of a length (0 s if it is unreadable) and a size."""
        with self._lock:
            self._sums[STARTED] += seconds
            self._sums[STARTED_BYTES] += n_bytes

    def add(self, seconds: float) -> None:
        """Note that as much more sound was scored, s."""
        with self._lock:
            self._sums[SCORED] += seconds

    def scored(self) -> float:
        """Length of the sound that was scored, s."""
        return self._sums[SCORED]

    def total(self, n_bytes: int) -> float:
        """Length of recordings of a size, s, if those not started are as long for their size as the others."""
        return self._sums[STARTED] * n_bytes / max(self._sums[STARTED_BYTES], 1)

    def elapsed(self) -> float:
        """Time since the first process had loaded the model, s; 0 if none has."""
        ready = self._sums[READY]
        return time.monotonic() - ready if ready else 0.0
