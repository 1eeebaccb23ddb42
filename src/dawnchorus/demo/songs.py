"""Songs of invented species: the song of a species, its variation between individuals, and the sound of one call."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dawnchorus.demo.animals import NextCall, Samples

KINDS = ("sweep", "trill", "harmonics", "pulses", "croak", "warble")

# Rates and lengths vary by 12 % between individuals of a species, so those of confusable songs hardly overlap.
CONFUSABLE_FACTOR = 1.6


@dataclass(frozen=True)
class Song:
    """What all calls of a species have in common.

    Attributes:
        kind: one of `KINDS`.
        f_low: lowest frequency, Hz.
        f_high: highest frequency, Hz.
        seconds: length of a call, s.
        rate: notes, pulses or swings per second, Hz.
        falling: whether the frequency falls within a note.
    """

    kind: str
    f_low: float
    f_high: float
    seconds: float
    rate: float
    falling: bool


@dataclass(frozen=True)
class Individual:
    """How the calls of one animal differ from the song of its species: factors of frequency and tempo."""

    pitch: float
    tempo: float


@dataclass(frozen=True)
class Singer:
    """An invented animal: the song of its species, as it sings it."""

    song: Song
    individual: Individual

    def next_call(self, rng: np.random.Generator) -> NextCall:
        """Draw a call: its length varies by 10 %."""
        seconds = self.song.seconds / self.individual.tempo * rng.uniform(0.9, 1.1)
        pitch = self.individual.pitch
        return NextCall(0, seconds, self.song.f_low * pitch, self.song.f_high * pitch)

    def sound(self, piece: int, seconds: float, sample_rate: int) -> Samples:
        """Synthesize a call; see `sing`."""
        return sing(self.song, self.individual, seconds, sample_rate)


def draw_songs(n_species: int, rng: np.random.Generator) -> list[Song]:
    """Draw songs for `n_species` species, each kind in turn, in overlapping bands between 0.5 and 9 kHz."""
    centres = np.geomspace(700.0, 7500.0, n_species) * rng.uniform(0.92, 1.08, n_species)
    rng.shuffle(centres)
    songs = []
    for species, centre in enumerate(centres):
        kind = KINDS[species % len(KINDS)]
        width = rng.uniform(0.25, 0.5)
        rates = {"trill": (7, 16), "pulses": (3, 7), "croak": (35, 80), "warble": (4, 10)}
        songs.append(
            Song(
                kind=kind,
                f_low=float(centre * (1 - width / 2)),
                f_high=float(centre * (1 + width / 2)),
                seconds=float(rng.uniform(0.6, 1.6)),
                rate=float(rng.uniform(*rates.get(kind, (1, 2)))),
                falling=bool(rng.integers(2)),
            )
        )
    return songs


def confusable(song: Song) -> Song:
    """A song of the same kind and band that differs only in direction, rate or length, depending on the kind."""
    match song.kind:
        case "sweep":
            return replace(song, falling=not song.falling)
        case "trill" | "pulses" | "warble":
            return replace(song, rate=song.rate * CONFUSABLE_FACTOR)
        case _:
            return replace(song, seconds=song.seconds * CONFUSABLE_FACTOR)


def draw_individuals(count: int, rng: np.random.Generator) -> list[Individual]:
    """Draw animals whose pitch varies by about 4 % and whose tempo varies by about 12 %."""
    return [
        Individual(pitch=float(np.exp(rng.normal(0, 0.04))), tempo=float(np.exp(rng.normal(0, 0.12))))
        for _ in range(count)
    ]


def sing(song: Song, individual: Individual, seconds: float, sample_rate: int) -> Samples:
    """Synthesize one call.

    Args:
        song: the song of the species.
        individual: the animal that calls.
        seconds: length of the call, s.
        sample_rate: Hz.

    Returns:
        Samples with shape [Samples] and a root mean square of 1.
    """
    rate = song.rate * individual.tempo
    low, high = song.f_low * individual.pitch, song.f_high * individual.pitch
    time = np.arange(int(seconds * sample_rate)) / sample_rate
    start, stop = (high, low) if song.falling else (low, high)
    phase_in_note = (time * rate) % 1.0
    match song.kind:
        case "sweep":
            sound = _tone(start + (stop - start) * (time / seconds) ** 1.5, sample_rate)
        case "trill":
            sound = _tone(start + (stop - start) * phase_in_note, sample_rate) * _note(phase_in_note, 0.6)
        case "harmonics":
            arch = 1 + 0.04 * np.sin(np.pi * time / seconds)
            sound = _harmonics((high - low) / 4 * arch, low, high, sample_rate)
        case "pulses":
            sound = _tone(np.full_like(time, (low + high) / 2), sample_rate) * np.exp(-12 * phase_in_note)
        case "croak":
            sound = _harmonics(np.full_like(time, rate), low, high, sample_rate)
        case "warble":
            sound = _tone((low + high) / 2 + (high - low) / 2 * np.sin(2 * np.pi * rate * time), sample_rate)
        case _:
            raise ValueError(f"unknown kind of song {song.kind!r}")
    sound *= np.sin(np.pi * np.clip(time / seconds, 0, 1)) ** 0.5
    return (sound / np.sqrt(np.mean(sound**2))).astype(np.float32)


def _tone(frequency: NDArray[np.float64], sample_rate: int) -> NDArray[np.float64]:
    """A sine with the given frequency in Hz at each sample."""
    return np.sin(2 * np.pi * np.cumsum(frequency) / sample_rate)


def _note(phase: NDArray[np.float64], duty: float) -> NDArray[np.float64]:
    """An envelope that is open during the first fraction `duty` of each note."""
    return np.where(phase < duty, np.sin(np.pi * np.clip(phase / duty, 0, 1)), 0.0)


def _harmonics(fundamental: NDArray[np.float64], low: float, high: float, sample_rate: int) -> NDArray[np.float64]:
    """The harmonics between `low` and `high` Hz of a fundamental, given in Hz for each sample."""
    mean = float(np.mean(fundamental))
    numbers = np.arange(max(1, int(np.ceil(low / mean))), max(2, int(high / mean) + 1))
    return np.sum([_tone(fundamental * number, sample_rate) / np.sqrt(number) for number in numbers], axis=0)
