"""The sound of items and of reference calls, for the page.

The page computes spectrograms itself, so it needs every sample: FLAC, whose header states 48 kHz whatever the true
rate. Browsers then neither resample it nor refuse the rates of bat detectors.
"""

import io
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import soundfile
from numpy.typing import NDArray

from dawnchorus.audio.clips import cut_clip
from dawnchorus.audio.decoding import Channel
from dawnchorus.config.loading import load_params
from dawnchorus.data.annotations import BOX_COLUMNS, read_annotations
from dawnchorus.data.recordings import read_recordings
from dawnchorus.data.species import read_species
from dawnchorus.errors import InputError
from dawnchorus.inference.box_tables import read_boxes
from dawnchorus.review.items import Item

STATED_RATE = 48_000
# Of 16-bit integers. Recordings are often quiet, and the page makes all equally loud anyway.
PEAK = 0.95
# Of the recording that one clip shows, s.
LONGEST = 60.0
# On both sides of a reference's box, s.
REFERENCE_MARGIN = 0.5
MOST_REFERENCES = 6
PARAMS, PREDICTIONS = Path("params.yaml"), Path("results/predictions")
ANNOTATIONS, RECORDINGS, SPECIES = (Path("data", name) for name in ("annotations.csv", "recordings.csv", "species.csv"))


class OutsideError(Exception):
    """The file of an item is not below the folder of the recordings."""


@dataclass(frozen=True)
class ReviewSound:
    """A part of a recording.

    Attributes:
        flac: the file's bytes.
        rate: true sample rate, Hz.
        start: where it begins within the recording, s.
        note: what a reviewer should know about it; may be empty.
    """

    flac: bytes
    rate: int
    start: float
    note: str = ""

    @property
    def facts(self) -> dict[str, Any]:
        """What the page must know besides the samples, for JSON."""
        return {"rate": self.rate, "start": self.start, "note": self.note}


@dataclass(frozen=True)
class Reference:
    """An annotated call.

    Attributes:
        number: among all references, from 0.
        species: its code.
        recording: recording_id.
        file: path of the audio file.
        channel: number of the channel that is used, from 1, or "mean" for the mean of all.
        start: start of its box in the recording, s.
        end: end, s.
        low: lowest frequency, Hz; None if it is unknown.
        high: highest frequency, Hz; None if it is unknown.
    """

    number: int
    species: str
    recording: str
    file: Path
    channel: Channel
    start: float
    end: float
    low: float | None
    high: float | None


def recording_path(file: str, root: Path) -> Path:
    """The path of a recording, if it is below the folder of the recordings.

    Links within that folder may lead elsewhere: whoever made them wanted that.

    Args:
        file: relative to the folder of the project, or absolute.
        root: the folder of the recordings.

    Raises:
        OutsideError: it is not below the folder.
    """
    path = Path(os.path.abspath(file))
    if "\0" in file or not path.is_relative_to(os.path.abspath(root)):
        raise OutsideError(f"{file!r} is not below {root}, the folder of the recordings")
    return path


def item_sound(item: Item, root: Path, margin: float) -> ReviewSound:
    """Cut an item's sound.

    Args:
        item: the item.
        root: the folder of the recordings.
        margin: how much more to cut on both sides, s.

    Raises:
        OutsideError: the file is not below `root`.
        InputError: the file cannot be decoded.
    """
    path = recording_path(item.file, root)
    channel: Channel = "mean" if item.channel == "mean" else int(item.channel)
    start = max(0.0, item.start_s - margin)
    end = item.end_s + margin
    note = f"only the first {LONGEST:g} s are shown" if end - start > LONGEST else ""
    clip = cut_clip(path, start, min(end, start + LONGEST), channel=channel)
    return ReviewSound(_encode(clip.samples), clip.rate, clip.start_s, note)


def reference_sound(reference: Reference) -> ReviewSound:
    """Cut the sound of a reference call.

    Raises:
        InputError: the file cannot be decoded.
    """
    end = min(reference.end, reference.start + LONGEST)
    clip = cut_clip(reference.file, reference.start, end, REFERENCE_MARGIN, reference.channel)
    return ReviewSound(_encode(clip.samples), clip.rate, clip.start_s)


def _encode(samples: NDArray[np.float32]) -> bytes:
    file = io.BytesIO()
    peak = float(np.abs(samples).max())
    soundfile.write(file, samples * (PEAK / max(peak, 1e-9)), STATED_RATE, format="FLAC", subtype="PCM_16")
    return file.getvalue()


def read_references() -> list[Reference]:
    """Choose annotated calls of each species: those with the highest out-of-fold scores, else the longest.

    Each is from another recording, as far as there are enough.

    Returns:
        At most `MOST_REFERENCES` a species; none if the working directory is no project with annotations.

    Raises:
        InputError: a table is damaged.
    """
    if not (ANNOTATIONS.exists() and PARAMS.exists()):
        return []
    data = load_params(PARAMS).data
    codes = read_species(SPECIES)
    boxes = read_annotations(ANNOTATIONS, codes)
    boxes = boxes[boxes.is_tp]
    tables = [read_boxes(path) for path in sorted(PREDICTIONS.glob("*/*/*/boxes.csv"))]
    scores = pd.concat(tables).score.groupby(level=BOX_COLUMNS).mean() if tables else pd.Series(dtype=float)
    keys = pd.MultiIndex.from_frame(boxes[BOX_COLUMNS])
    boxes = boxes.assign(score=scores.reindex(keys).to_numpy() if tables else np.nan, length=boxes.t_max - boxes.t_min)
    boxes = boxes.sort_values(["species_id", "score", "length"], ascending=[True, False, False], na_position="last")
    # The second call of a recording comes after the first calls of all.
    boxes["rank"] = boxes.groupby(["species_id", "recording_id"]).cumcount()
    boxes = boxes.sort_values(["species_id", "rank"], kind="stable").groupby("species_id").head(MOST_REFERENCES)
    recordings = read_recordings(RECORDINGS)
    files = recordings[recordings.usable & (recordings.split == "train")].file
    boxes = boxes[boxes.recording_id.isin(files.index)]
    return [
        Reference(
            number, codes[box.species_id], box.recording_id, Path(data.root, files[box.recording_id]), data.channel,
            box.t_min, box.t_max, box.f_min or None, box.f_max if np.isfinite(box.f_max) else None,
        )
        for number, box in enumerate(boxes.itertuples())
    ]  # fmt: skip


def reference_facts(reference: Reference) -> dict[str, Any]:
    """What the page must know of a reference, for JSON; not where its file is."""
    return {name: value for name, value in asdict(reference).items() if name not in ("file", "channel")}


def require_root(root: Path) -> None:
    """Check that the folder of the recordings is there.

    Raises:
        InputError: it is not.
    """
    if not root.is_dir():
        raise InputError(f"{root}: is missing; the review's recordings were there when it was started")
