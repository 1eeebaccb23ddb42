"""What is drawn over the picture of a sound: the marks of its axes, and boxes of detections and labels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dawnchorus.audio.clips import Clip
from dawnchorus.features.pictures import FrequencyAxis, round_steps
from dawnchorus.reporting.results import Recordings

MOST_TIMES = 6


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: its place in percent from the left or the bottom, and its number."""

    place: float
    text: str


@dataclass(frozen=True)
class Box:
    """A box over a picture, in percent of its width and height, from its top left corner.

    Attributes:
        style: "detection", "present", "absent", "uncertain" or "other" (a label of another species).
        left: percent.
        top: percent.
        width: percent.
        height: percent.
        text: what it is.
    """

    style: str
    left: float
    top: float
    width: float
    height: float
    text: str


def time_ticks(clip: Clip) -> list[Tick]:
    """The marks of the time axis, in seconds of the recording."""
    times = round_steps(clip.start_s, clip.end_s, MOST_TIMES)
    return [Tick(round(100 * (time - clip.start_s) / clip.seconds, 2), f"{time:.10g}") for time in times]


def frequency_ticks(axis: FrequencyAxis) -> list[Tick]:
    """The marks of the frequency axis, in kHz."""
    return [Tick(round(100 * axis.height_of(tick), 2), f"{tick / 1000:g}") for tick in axis.ticks()]


def make_box(
    style: str, text: str, times: Sequence[float], band: Sequence[float], clip: Clip, axis: FrequencyAxis
) -> Box:
    """Place a box, cut at the edges of the picture.

    Args:
        style: as in `Box`.
        text: as in `Box`.
        times: start and end in the recording, s.
        band: lowest and highest frequency, Hz; 0 and infinity if they are unknown.
        clip: what the picture shows.
        axis: its frequencies.
    """
    left, right = (100 * float(np.clip((time - clip.start_s) / clip.seconds, 0, 1)) for time in times)
    bottom, top = (100 * axis.height_of(frequency) for frequency in band)
    return Box(style, round(left, 2), round(100 - top, 2), round(right - left, 2), round(top - bottom, 2), text)


def labels_in(clip: Clip, recordings: Recordings, recording_id: str, species_id: int) -> pd.DataFrame:
    """The labels in a clip of a training recording.

    Args:
        clip: the clip.
        recordings: the tables about recordings.
        recording_id: the recording.
        species_id: the species that the clip is about. Of others, only what is present counts.

    Returns:
        species_id, t_min, t_max (s), f_min, f_max (Hz) and style, as in `Box`.
    """
    certain, uncertain = (table[table.recording_id == recording_id]
                          for table in (recordings.annotations, recordings.uncertain))  # fmt: skip
    table = pd.concat([
        certain.assign(style=np.where(certain.is_tp, "present", "absent")), uncertain.assign(style="uncertain")
    ])  # fmt: skip
    is_own, is_inside = table.species_id == species_id, (table.t_max > clip.start_s) & (table.t_min < clip.end_s)
    table = table.assign(style=table["style"].where(is_own, "other"))[is_inside & (is_own | table.is_tp)]
    return table.drop(columns=["recording_id", "is_tp"]).drop_duplicates(ignore_index=True)


def describe(clip: Clip, axis: FrequencyAxis, boxes: Sequence[Box]) -> str:
    """The text in place of a picture."""

    def place(box: Box) -> str:
        start, end = (clip.start_s + clip.seconds * edge / 100 for edge in (box.left, box.left + box.width))
        low, high = axis.frequency_at(1 - np.array([box.top + box.height, box.top]) / 100) / 1000
        what = box.text if box.style == "detection" else f"label {box.text}"
        return f"{what} from {start:.1f} to {end:.1f} s and {low:.1f} to {high:.1f} kHz"

    times, band = f"{clip.start_s:.1f} to {clip.end_s:.1f} s", f"{axis.f_min / 1000:g} to {axis.f_max / 1000:g} kHz"
    return "; ".join([f"Spectrogram from {times} and {band}", *map(place, boxes)])
