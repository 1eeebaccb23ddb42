"""The species of the data set, invented or recorded, and how common each is."""

import numpy as np
from numpy.typing import NDArray

from dawnchorus.config.demo import Demo
from dawnchorus.demo.animals import Species, UsualCall
from dawnchorus.demo.clips import usual_call
from dawnchorus.demo.songs import Singer, Song, confusable, draw_individuals, draw_songs
from dawnchorus.demo.sources import Cast
from dawnchorus.seeding import generator

# Invented animals of a species.
INDIVIDUALS = {"train": 6, "test": 4}


def draw_species(demo: Demo) -> list[Species]:
    """Draw the invented species: the listed ones, in random order of prevalence, followed by the unlisted ones."""
    rng = generator(demo.seed, "species")
    prevalence = _listed_prevalence(demo, rng)
    songs = draw_songs(demo.species - demo.confusable_pairs, rng)
    songs += [confusable(song) for song in songs[: demo.confusable_pairs]]
    species = _with_singers(songs, prevalence, rng)
    rng = generator(demo.seed, "unlisted")
    songs = draw_songs(demo.unlisted_species, rng)
    return species + _with_singers(songs, _falling_prevalence(demo, demo.unlisted_species), rng)


def cast_species(demo: Demo, cast: Cast) -> list[Species]:
    """The species whose animals were recorded, the listed ones in random order of prevalence, as in `draw_species`."""
    listed = _listed_prevalence(demo, generator(demo.seed, "species"))
    prevalence = np.concatenate([listed, _falling_prevalence(demo, demo.unlisted_species)])
    return [
        Species(usual_call(animals["train"]), float(part), animals)
        for animals, part in zip(cast.animals, prevalence, strict=True)
    ]


def _listed_prevalence(demo: Demo, rng: np.random.Generator) -> NDArray[np.float64]:
    """The prevalence of listed species in random order, shape [Species].

    All common species have the same prevalence. That of the others falls geometrically from a third of it to that of
    the rarest; so does that of the unlisted species.
    """
    common = np.full(demo.common_species, demo.commonest)
    prevalence = np.concatenate([common, _falling_prevalence(demo, demo.species - demo.common_species)])
    rng.shuffle(prevalence)
    return prevalence


def _falling_prevalence(demo: Demo, n_species: int) -> NDArray[np.float64]:
    """Prevalences from a third of the commonest species' to the rarest species', shape [Species]."""
    return np.geomspace(max(demo.rarest, demo.commonest / 3), demo.rarest, n_species)


def _with_singers(songs: list[Song], prevalence: NDArray[np.float64], rng: np.random.Generator) -> list[Species]:
    return [
        Species(
            UsualCall(song.f_low, song.f_high, song.seconds),
            float(part),
            {split: [Singer(song, one) for one in draw_individuals(n, rng)] for split, n in INDIVIDUALS.items()},
        )
        for song, part in zip(songs, prevalence, strict=True)
    ]
