"""The folder of clips that `demo.clips` names: its species, which of their clips each split uses, and what is wrong."""

import hashlib
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from dawnchorus.audio.decoding import read_blocks
from dawnchorus.config.demo import Demo
from dawnchorus.data.recordings import SUFFIXES
from dawnchorus.demo.animals import SAMPLE_RATE
from dawnchorus.demo.clips import (
    SHORTEST_BACKGROUND,
    SHORTEST_CALL,
    FieldRecording,
    RecordedAnimal,
    find_calls,
)
from dawnchorus.errors import InputError
from dawnchorus.progress import track
from dawnchorus.seeding import generator

# The name of the folder with backgrounds.
BACKGROUND = "background"
FEWEST_SOURCES, FEWEST_BACKGROUNDS = 4, 2
TEST_SHARE = 0.4
MOST_SHOWN = 5
HOW = "docs/demo.md says where clips can be had and how to sort them"

Found = TypeVar("Found")
# Files by source: one animal or one recording of it.
Sources = Mapping[str, Sequence[Path]]


@dataclass(frozen=True)
class Cast:
    """Who calls, and what else is heard.

    Attributes:
        names: names of the species, the listed ones first.
        animals: of each species and split, by the order of `names`.
        backgrounds: field recordings of each split; None if backgrounds are synthesized.
    """

    names: list[str]
    animals: list[dict[str, list[RecordedAnimal]]]
    backgrounds: dict[str, list[FieldRecording]] | None


def draw_cast(demo: Demo, folder: Path, workers: int) -> Cast:
    """Draw the species from a folder of clips, and the clips of each split.

    Args:
        demo: parameters of the data set.
        folder: `demo.clips`.
        workers: number of processes.

    Raises:
        InputError: the folder lacks clips, or some cannot be used.
    """
    found = list_sources(folder)
    backgrounds = found.pop(BACKGROUND, None)
    n_species = demo.species + demo.unlisted_species
    if len(found) < n_species:
        raise InputError(
            f"{folder}: has clips of {len(found)} species, expected at least {n_species}: demo.species "
            f"({demo.species}) and demo.unlisted_species ({demo.unlisted_species}); add a folder for each further "
            f"species, or lower these parameters. {HOW}"
        )
    rng = generator(demo.seed, "clips")
    names = [str(name) for name in rng.permutation(sorted(found))[:n_species]]
    splits = [_shared_out(found[name], rng) for name in names]
    paths = [path for split in splits for sources in split.values() for files in sources for path in files]
    pieces = dict(zip(paths, _on_all(paths, find_calls, workers, "clips searched for calls"), strict=True))
    _refuse(
        [f"{path}: no call found: it is silent or shorter than {SHORTEST_CALL} s" for path in paths if not pieces[path]]
    )
    animals = [
        {
            part: [RecordedAnimal(tuple(piece for path in files for piece in pieces[path])) for files in sources]
            for part, sources in split.items()
        }
        for split in splits
    ]
    if backgrounds is None:
        return Cast(names, animals, None)
    chosen = _shared_out(backgrounds, rng)
    paths = [path for sources in chosen.values() for files in sources for path in files]
    seconds = dict(zip(paths, _on_all(paths, _decoded_seconds, workers, "backgrounds read"), strict=True))
    _refuse(
        [
            f"{path}: is a background of {seconds[path]:.1f} s, expected at least {SHORTEST_BACKGROUND} s"
            for path in paths
            if seconds[path] < SHORTEST_BACKGROUND
        ]
    )
    return Cast(
        names,
        animals,
        {
            part: [FieldRecording(path, seconds[path]) for files in sources for path in files]
            for part, sources in chosen.items()
        },
    )


def list_sources(folder: Path) -> dict[str, dict[str, list[Path]]]:
    """List the sound files of each species by source: a file of its own, or all files in a folder below the species.

    A copy of another file of the same species is left out.

    Raises:
        InputError: the folder is missing, a species has too few sources, or two species have the same file.
    """
    if not folder.is_dir():
        raise InputError(
            f"{folder}: there is no such folder, and demo.clips in params.yaml names it; expected a folder in it for "
            f"each species, with sound files such as {folder}/dog/first.wav; {HOW}"
        )
    found: dict[str, dict[str, list[Path]]] = {}
    seen: dict[str, Path] = {}
    n_copies = 0
    for species in sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")):
        sources: dict[str, list[Path]] = {}
        for path in sorted(species.rglob("*")):
            if path.suffix.lower() not in SUFFIXES or path.name.startswith(".") or not path.is_file():
                continue
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            first = seen.setdefault(digest, path)
            if first.relative_to(folder).parts[0] != species.name:
                raise InputError(f"{path}: has the same content as {first}, of another species; remove one of them")
            if first == path:
                sources.setdefault(path.relative_to(species).parts[0], []).append(path)
            else:
                n_copies += 1
        found[species.name] = sources
    if n_copies:
        print(f"{folder}: {n_copies} copies of other clips are left out", file=sys.stderr)
    _refuse(
        [
            f"{folder / name}: has {len(sources)} sources of sound, expected at least {fewest}: files that end in "
            f"{', '.join(SUFFIXES)}, or folders with several files of one animal"
            for name, sources in found.items()
            if len(sources) < (fewest := FEWEST_BACKGROUNDS if name == BACKGROUND else FEWEST_SOURCES)
        ]
    )
    return found


def _shared_out(sources: Sources, rng: np.random.Generator) -> dict[str, list[Sequence[Path]]]:
    """The files of each source, by split. No source is in both."""
    names = [str(name) for name in rng.permutation(sorted(sources))]
    n_test = max(1, round(TEST_SHARE * len(names)))
    return {
        "train": [sources[name] for name in names[n_test:]],
        "test": [sources[name] for name in names[:n_test]],
    }


def _on_all(paths: Sequence[Path], examine: Callable[[Path], Found], workers: int, what: str) -> list[Found]:
    """What a function finds in each file, by several processes.

    Raises:
        InputError: some files cannot be decoded.
    """
    with ProcessPoolExecutor(workers) as pool:
        answers = list(track(pool.map(partial(_or_problem, examine), paths, chunksize=4), len(paths), what))
    _refuse([str(answer) for answer in answers if isinstance(answer, InputError)])
    return [answer for answer in answers if not isinstance(answer, InputError)]


def _or_problem(examine: Callable[[Path], Found], path: Path) -> Found | InputError:
    try:
        return examine(path)
    except InputError as error:
        return error


def _decoded_seconds(path: Path) -> float:
    """The length of what can be decoded, s."""
    return sum(map(len, read_blocks(path, SAMPLE_RATE))) / SAMPLE_RATE


def _refuse(problems: Sequence[str]) -> None:
    if problems:
        more = [f"and {len(problems) - MOST_SHOWN} more"] if len(problems) > MOST_SHOWN else []
        raise InputError("\n".join([*problems[:MOST_SHOWN], *more, f"Add clips, or remove these. {HOW}"]))
