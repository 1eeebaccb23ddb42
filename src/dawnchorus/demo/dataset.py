"""The embedded data set: which species calls where, which calls are labelled, and the recordings themselves."""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
from numpy.typing import NDArray

from dawnchorus.config.demo import Demo
from dawnchorus.data.formats.rfcx import ANNOTATION_COLUMNS, species_columns
from dawnchorus.demo.animals import SAMPLE_RATE, Species
from dawnchorus.demo.backgrounds import BACKGROUND_RMS, background, band_power
from dawnchorus.demo.clips import FieldRecording, recorded_background
from dawnchorus.demo.schedule import audiomoth_comment, draw_activity, draw_starts
from dawnchorus.demo.sources import Cast, draw_cast
from dawnchorus.demo.species import cast_species, draw_species
from dawnchorus.progress import track
from dawnchorus.seeding import generator


@dataclass(frozen=True)
class Call:
    """One call: the columns of an annotation, and what only the generator knows.

    Attributes:
        individual: number of the animal within its species and split.
        snr_db: power of the call relative to the background in its band and time, dB.
        split: "train" or "test".
        piece: which of the animal's recorded calls it is.
    """

    recording_id: str
    species_id: int
    songtype_id: int
    t_min: float
    f_min: float
    t_max: float
    f_max: float
    individual: int
    snr_db: float
    split: str
    piece: int


def draw_truth(demo: Demo, species: list[Species], split: str) -> NDArray[np.bool_]:
    """Draw which species call in each recording of `split` ("train" or "test"), shape [Recordings, Species].

    A species of prevalence p calls in round(p x recordings) of them, but at least in one.
    """
    n_recordings = demo.train_recordings if split == "train" else demo.test_recordings
    rng = generator(demo.seed, "truth", split)
    truth = np.zeros((n_recordings, len(species)), bool)
    for column, one in enumerate(species):
        count = max(1, round(one.prevalence * n_recordings))
        truth[rng.permutation(n_recordings)[:count], column] = True
    return truth


def recording_id(demo: Demo, split: str, index: int) -> str:
    """The id of a recording: nine hexadecimal digits, as in the competition."""
    return f"{generator(demo.seed, 'id', split, index).integers(16**9):09x}"


def draw_calls(demo: Demo, species: list[Species], split: str, index: int, present: NDArray[np.bool_]) -> list[Call]:
    """Draw the calls of one recording: at least one per present species, on average 2.5 in 15 s.

    Args:
        demo: parameters of the data set.
        species: all species.
        split: "train" or "test"; determines the individuals.
        index: number of the recording; with the seed, it determines every draw.
        present: which species call, shape [Species].
    """
    rng = generator(demo.seed, "calls", split, index)
    name = recording_id(demo, split, index)
    calls = []
    for species_id in np.flatnonzero(present):
        animals = species[species_id].animals[split]
        # All calls of a species in a recording come from the same animal.
        individual = int(rng.integers(len(animals)))
        for _ in range(1 + rng.poisson(1.5 * demo.seconds / 15)):
            new = animals[individual].next_call(rng)
            seconds = min(new.seconds, demo.seconds)
            start = rng.uniform(0, demo.seconds - seconds)
            call = Call(
                recording_id=name,
                species_id=int(species_id),
                songtype_id=1,
                t_min=start,
                f_min=new.f_low,
                t_max=start + seconds,
                f_max=new.f_high,
                individual=individual,
                snr_db=rng.normal(demo.snr_mean, demo.snr_std),
                split=split,
                piece=new.piece,
            )
            calls.append(call)
    return calls


def synthesize_recording(
    demo: Demo,
    species: list[Species],
    split: str,
    index: int,
    calls: list[Call],
    backgrounds: Sequence[FieldRecording] | None = None,
) -> NDArray[np.float32]:
    """Synthesize one recording: its calls over a background, scaled to their signal-to-noise ratios.

    Args:
        demo: parameters of the data set.
        species: all species.
        split: "train" or "test".
        index: number of the recording.
        calls: from `draw_calls`.
        backgrounds: recordings of background for this split; None to synthesize the background.

    Returns:
        Samples with shape [Samples] at `SAMPLE_RATE`.
    """
    rng = generator(demo.seed, "background", split, index)
    if backgrounds is None:
        quiet = background(int(demo.seconds * SAMPLE_RATE), SAMPLE_RATE, rng)
    else:
        quiet = recorded_background(backgrounds, demo.seconds, rng) * np.float32(BACKGROUND_RMS)
    sound = quiet.copy()
    for call in calls:
        animal = species[call.species_id].animals[split][call.individual]
        voice = animal.sound(call.piece, call.t_max - call.t_min, SAMPLE_RATE)
        start = min(int(call.t_min * SAMPLE_RATE), len(sound) - len(voice))
        noise = band_power(quiet[start : start + len(voice)], SAMPLE_RATE, call.f_min, call.f_max)
        sound[start : start + len(voice)] += voice * np.float32(np.sqrt(noise * 10 ** (call.snr_db / 10)))
    return sound


def draw_labels(demo: Demo, species: list[Species], calls: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw the sparse labels: a few TP boxes of each listed species, and FP boxes over other sounds.

    An FP box has the length and band of its species' song and covers a call of another species, listed or unlisted.
    Species with a similar band are more likely. The box's own species does not call within it.

    Returns:
        The TP table and the FP table, each with the columns of an annotation.
    """
    rng = generator(demo.seed, "labels")
    found: list[pd.DataFrame] = []
    false: list[tuple[str, int, int, float, float, float, float]] = []
    for species_id, one in enumerate(species[: demo.species]):
        own = calls[calls.species_id == species_id]
        found.append(own.iloc[np.sort(rng.permutation(len(own))[: demo.tp_per_species])])
        others = calls[calls.species_id != species_id].reset_index(drop=True)
        low, high = one.usual.f_low, one.usual.f_high
        shared = np.minimum(others.f_max, high) - np.maximum(others.f_min, low)
        begun = len(false)
        chance = np.clip(shared / (high - low), 0.02, 1)
        for row in rng.choice(len(others), len(others), replace=False, p=chance / chance.sum()):
            other = others.iloc[row]
            centre = (other.t_min + other.t_max) / 2
            start = min(max(0.0, centre - one.usual.seconds / 2), demo.seconds - one.usual.seconds)
            box = (other.recording_id, species_id, 1, start, low, start + one.usual.seconds, high)
            same = own[own.recording_id == other.recording_id]
            if not ((same.t_max > box[3]) & (same.t_min < box[5])).any():
                false.append(box)
            if len(false) == begun + demo.fp_per_species:
                break
    tp = pd.concat(found)[ANNOTATION_COLUMNS]
    fp = pd.DataFrame(false, columns=ANNOTATION_COLUMNS)
    order = ["recording_id", "t_min"]
    return tp.sort_values(order, ignore_index=True), fp.sort_values(order, ignore_index=True)


def write_dataset(demo: Demo, folder: Path, workers: int) -> None:
    """Synthesize the data set into an empty folder, in the layout that `data.root` expects.

    In addition to the competition's files, this writes the ground truth `truth_test.csv`, and `calls.csv`, which lists
    every call of both splits with its signal-to-noise ratio. The workflow trains on neither. With clips, `species.csv`
    has the names of the listed species, and `clips.csv` the clips of each individual.

    Raises:
        InputError: `demo.clips` names clips that are missing or cannot be used.
    """
    cast = None if demo.clips is None else draw_cast(demo, Path(demo.clips), workers)
    species = draw_species(demo) if cast is None else cast_species(demo, cast)
    backgrounds = None if cast is None else cast.backgrounds
    truth = {split: draw_truth(demo, species, split) for split in ("train", "test")}
    starts = draw_starts(demo, draw_activity(demo, [one.prevalence for one in species]), truth)
    calls: dict[str, list[list[Call]]] = {}
    for split, rows in truth.items():
        calls[split] = [draw_calls(demo, species, split, *row) for row in enumerate(rows)]
        (folder / split).mkdir(parents=True)
        heard = None if backgrounds is None else backgrounds[split]
        write = partial(_write_recording, demo, species, split, folder / split, heard)
        with ProcessPoolExecutor(workers) as pool:
            work = pool.map(write, range(len(rows)), calls[split], starts[split], chunksize=4)
            for _ in track(work, total=len(rows), what=f"{split} recordings synthesized"):
                pass
    _write_ground_truth(demo, truth["test"][:, : demo.species], folder)
    table = pd.DataFrame(chain.from_iterable(calls["train"] + calls["test"])).drop(columns="piece")
    table.round(4).to_csv(folder / "calls.csv", index=False)
    for name, boxes in zip(
        ("train_tp", "train_fp"), draw_labels(demo, species, table[table.split == "train"]), strict=True
    ):
        boxes.round(4).to_csv(folder / f"{name}.csv", index=False)
    if cast is not None:
        _write_names(demo, cast, folder)


def _write_recording(
    demo: Demo,
    species: list[Species],
    split: str,
    folder: Path,
    backgrounds: Sequence[FieldRecording] | None,
    index: int,
    calls: list[Call],
    start: datetime,
) -> None:
    sound = synthesize_recording(demo, species, split, index, calls, backgrounds)
    # Several loud calls at once must not overflow 16 bits.
    sound = sound / max(1.0, float(np.abs(sound).max()) / 0.99)
    path = folder / f"{recording_id(demo, split, index)}.flac"
    with soundfile.SoundFile(path, "w", SAMPLE_RATE, 1, "PCM_16") as file:
        file.comment = audiomoth_comment(start)
        file.write(sound)


def _write_ground_truth(demo: Demo, truth: NDArray[np.bool_], folder: Path) -> None:
    """Write the ground truth, shape [Recordings, Species], and the sample submission of the test recordings."""
    columns = species_columns(demo.species)
    truth_table = pd.DataFrame(truth.astype(int), columns=columns)
    truth_table.insert(0, "recording_id", [recording_id(demo, "test", index) for index in range(len(truth))])
    truth_table = truth_table.sort_values("recording_id")
    truth_table.to_csv(folder / "truth_test.csv", index=False)
    truth_table.assign(**dict.fromkeys(columns, 0.5)).to_csv(folder / "sample_submission.csv", index=False)


def _write_names(demo: Demo, cast: Cast, folder: Path) -> None:
    """Write the names of the listed species, in the layout of `data.species`, and the clips of all species."""
    codes = [f"s{number}" for number in range(len(cast.names))]
    names = pd.DataFrame({"species": codes, "scientific_name": "", "common_name": cast.names})
    names.head(demo.species).to_csv(folder / "species.csv", index=False)
    rows = [
        (number, name, split, individual, path)
        for number, (name, animals) in enumerate(zip(cast.names, cast.animals, strict=True))
        for split, several in animals.items()
        for individual, animal in enumerate(several)
        for path in dict.fromkeys(piece.path.as_posix() for piece in animal.pieces)
    ]
    columns = ["species_id", "name", "split", "individual", "file"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "clips.csv", index=False)
