"""What the data set needs of an animal, invented or recorded: its next call, and the sound of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

# Of the data set, Hz.
SAMPLE_RATE = 48_000


@dataclass(frozen=True)
class UsualCall:
    """How the calls of a species usually are: their band, Hz, and their length, s."""

    f_low: float
    f_high: float
    seconds: float


@dataclass(frozen=True)
class NextCall:
    """A call that an animal is about to give.

    Attributes:
        piece: which of the animal's recorded calls it is; 0 for an invented animal.
        seconds: its length, s.
        f_low: lowest frequency, Hz.
        f_high: highest frequency, Hz.
    """

    piece: int
    seconds: float
    f_low: float
    f_high: float


class Animal(Protocol):
    """An animal that calls."""

    def next_call(self, rng: np.random.Generator) -> NextCall:
        """Draw a call."""
        ...

    def sound(self, piece: int, seconds: float, sample_rate: int) -> Samples:
        """The sound of a call from `next_call`, shape [Samples], with a root mean square of 1."""
        ...


@dataclass(frozen=True)
class Species:
    """A species: its usual call, its prevalence (fraction of recordings), and its animals in each split."""

    usual: UsualCall
    prevalence: float
    animals: Mapping[str, Sequence[Animal]]
