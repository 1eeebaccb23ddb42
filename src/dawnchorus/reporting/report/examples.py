"""The section "Look and listen": sounds to play over their spectrograms, with what the model made of them."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dawnchorus.audio.clips import Clip, cut_clip, make_sound
from dawnchorus.config.params import Params
from dawnchorus.data.splits import TRAIN
from dawnchorus.features.frames import to_frames, to_seconds
from dawnchorus.features.pictures import FrequencyAxis, draw_spectrogram
from dawnchorus.reporting.report.candidates import Basis, gather_candidates
from dawnchorus.reporting.report.choice import Kind, choose_examples
from dawnchorus.reporting.report.overlays import Box, Tick, describe, frequency_ticks, labels_in, make_box, time_ticks
from dawnchorus.reporting.report.tables import Experiment, displayed_names
from dawnchorus.reporting.results import Recordings
from dawnchorus.wording import score_text

# Around a window and its box, s.
CONTEXT_SECONDS = 0.5
# A longer part is cut, s.
MOST_SECONDS = 8.0
# Of the edges of a species' boxes, those between these quantiles are its band: a few boxes may be drawn too wide.
BAND_QUANTILES = (0.1, 0.9)

HEADINGS = {
    Kind.WRONG: "Wrong",
    Kind.RIGHT: "Right",
    Kind.MISSED: "Missed",
    Kind.NEAREST: "Nearest to the threshold",
}


@dataclass(frozen=True)
class Card:
    """An example: a sound, its picture, and what is known about it."""

    kind: str
    heading: str
    verdict: str
    image: str
    alt: str
    width: int
    height: int
    sound: str
    seconds: float
    slower: int
    start_s: float
    boxes: list[Box]
    times: list[Tick]
    frequencies: list[Tick]
    facts: list[tuple[str, str]]


@dataclass(frozen=True)
class Group:
    """The examples of a species."""

    name: str
    anchor: str
    note: str
    counts: str
    cards: list[Card]


@dataclass(frozen=True)
class Examples:
    """All examples, and the kinds that there are with their explanations."""

    groups: list[Group]
    kinds: list[tuple[str, str, str]]

    def __len__(self) -> int:
        """The number of sounds."""
        return sum(len(group.cards) for group in self.groups)


def look_and_listen(experiment: Experiment) -> Examples:
    """Choose examples, `report.examples` of each kind and species; cut, draw and describe them.

    Raises:
        InputError: a recording cannot be decoded any more.
    """
    params, recordings, names = experiment.params, experiment.recordings, displayed_names(experiment.species)
    seconds = to_seconds(to_frames(params.window.seconds, params.spectrogram), params.spectrogram)
    candidates, digests = gather_candidates(
        params, recordings, experiment.supervised, experiment.test_windows, experiment.detections,
        experiment.thresholds, seconds,
    )  # fmt: skip
    chosen = choose_examples(candidates, digests, seconds, params.report.examples, len(names))
    scene = Scene(params, recordings, names, bands(recordings.annotations, len(names)), seconds)
    groups = []
    for number, name in enumerate(names):
        rows = chosen[chosen.species_id == number]
        counts = rows.kind.value_counts()
        found = [f"{counts[kind]} {kind}" for kind in Kind if kind in counts]
        note = _note(experiment.thresholds.iloc[number], counts)
        cards = [scene.card(row) for row in rows.itertuples()]
        groups.append(Group(name, f"examples-{number}", note, ", ".join(found) or "no sounds", cards))
    kinds = [(kind.value, HEADINGS[kind], _MEANINGS[kind]) for kind in Kind]
    return Examples(groups, kinds)


def _heading(row: Any) -> str:
    """What an example is called. What is nearest to the threshold is also right or wrong."""
    if row.kind != Kind.NEAREST:
        return HEADINGS[Kind(row.kind)]
    verdict = {
        (True, True): "right",
        (True, False): "wrong",
        (False, True): "missed",
        (False, False): "silent",
    }
    return f"{HEADINGS[Kind.NEAREST]}: {verdict[not np.isnan(row.start_s), bool(row.is_present)]}"


_MEANINGS = {
    Kind.WRONG: "detected, but the species does not call there; highest scores first",
    Kind.RIGHT: "detected, and the species calls there; highest scores first",
    Kind.MISSED: "the species calls there, but was not detected; lowest scores first",
    Kind.NEAREST: "scores closest to the threshold, of calls and of other sounds",
}


def _note(threshold: Any, counts: pd.Series) -> str:
    """What to know about a species before listening."""
    if np.isnan(threshold.threshold):
        return f"There is no threshold, so nothing is detected: {threshold.no_promise}."
    parts = [f"Detected from a score of {score_text(threshold.threshold)} on."]
    if threshold.no_promise:
        parts.append(f"Its precision cannot be promised: {threshold.no_promise}.")
    if Kind.WRONG not in counts:
        parts.append("No detection is known to be wrong.")
    return " ".join(parts)


def bands(annotations: pd.DataFrame, n_species: int) -> list[tuple[float, float]]:
    """The band of each species' labelled calls, Hz; 0 and infinity where labels have no frequencies.

    Args:
        annotations: table from `annotations.read_annotations`.
        n_species: number of species.
    """
    found = []
    for number in range(n_species):
        own = annotations[(annotations.species_id == number) & annotations.is_tp]
        low, high = own.f_min[own.f_min > 0], own.f_max[np.isfinite(own.f_max)]
        found.append((
            float(low.quantile(BAND_QUANTILES[0])) if len(low) else 0.0,
            float(high.quantile(BAND_QUANTILES[1])) if len(high) else np.inf,
        ))  # fmt: skip
    return found


@dataclass(frozen=True)
class Scene:
    """What all cards are made of.

    Attributes:
        params: parameters of the experiment.
        recordings: the tables about recordings.
        names: what the page calls each species.
        bands: lowest and highest frequency of each species, Hz.
        window_seconds: length of a window, s.
    """

    params: Params
    recordings: Recordings
    names: Sequence[str]
    bands: Sequence[tuple[float, float]]
    window_seconds: float

    def card(self, row: Any) -> Card:
        """Make the card of an example, a row from `choice.choose_examples`."""
        table = self.recordings.train if row.split == TRAIN else self.recordings.test
        recording = table.loc[row.recording_id]
        low, high = self.bands[row.species_id]
        clip = cut_clip(
            Path(self.params.data.root) / recording.file,
            *self._extent(row, recording.seconds),
            CONTEXT_SECONDS,
            self.params.data.channel,
        )
        settings = self.params.spectrogram
        picture = draw_spectrogram(
            clip.samples, clip.rate, min(settings.f_min, low or settings.f_min),
            max(settings.f_max, high if np.isfinite(high) else 0.0),
        )  # fmt: skip
        sound = make_sound(clip, low, high)
        boxes = self._boxes(row, clip, picture.axis)
        return Card(
            kind=row.kind,
            heading=_heading(row),
            verdict=self._verdict(row),
            image=_data_uri("image/webp", picture.image),
            alt=describe(clip, picture.axis, boxes),
            width=picture.width,
            height=picture.height,
            sound=_data_uri("audio/mpeg", sound.mp3),
            seconds=round(clip.seconds * sound.slower, 3),
            slower=sound.slower,
            start_s=round(clip.start_s, 3),
            boxes=boxes,
            times=time_ticks(clip),
            frequencies=frequency_ticks(picture.axis),
            facts=self._facts(row, recording, clip),
        )

    def _extent(self, row: Any, seconds: float) -> tuple[float, float]:
        """The part of the recording with the window and the box of an example, s; if it is long, its middle."""
        first, last = np.fmin(row.window_s, row.t_min), np.fmax(row.window_s + self.window_seconds, row.t_max)
        # A window is longer than a short recording.
        last = min(last, seconds)
        if last - first > MOST_SECONDS:
            # A call may lie anywhere in a long window.
            middle = (first + last if np.isnan(row.t_min) else row.t_min + row.t_max) / 2
            first, last = middle - MOST_SECONDS / 2, middle + MOST_SECONDS / 2
        return float(first), float(last)

    def _verdict(self, row: Any) -> str:
        """What is known about an example, and what the model made of it, in a sentence."""
        name = self.names[row.species_id]
        known = {
            (Basis.BOX, True): f"An expert heard {name} in the box",
            (Basis.BOX, False): f"An expert listened to the box, and it is not {name}",
            (Basis.COMPLETE, True): f"{name} calls here: all its calls in this recording are labelled",
            (Basis.COMPLETE, False): f"{name} does not call here: all its calls in this recording are labelled",
            (Basis.RECORDING, True): f"{name} calls in this recording; nobody has labelled when",
            (Basis.RECORDING, False): f"{name} does not call in this recording",
        }[Basis(row.basis), bool(row.is_present)]
        return f"{known}. The model {'does not detect' if np.isnan(row.start_s) else 'detects'} {name} here."

    def _facts(self, row: Any, recording: Any, clip: Clip) -> list[tuple[str, str]]:
        found = [("File", recording.file)]
        if recording.start:
            moment = datetime.fromisoformat(recording.start) + timedelta(seconds=clip.start_s)
            found.append(("Clock time", f"{moment:%Y-%m-%d %H:%M:%S} (UTC{moment.isoformat()[-6:]})"))
        found.append(("In the recording", f"{span(clip.start_s)} to {span(clip.end_s)} of {span(recording.seconds)}"))
        scored = "models that did not learn from this recording" if row.split == TRAIN else "all models"
        threshold = "no threshold" if np.isnan(row.threshold) else f"threshold {row.threshold:.4f}"
        found.append(("Score", f"{row.score:.4f} ({threshold}) by {scored}"))
        found += [] if np.isnan(row.probability) else [("Probability", f"{row.probability:.2f}")]
        where = "Others labelled here" if row.split == TRAIN else "Others in the recording"
        return [*found, (where, self._others(row, clip) or "none")]

    def _others(self, row: Any, clip: Clip) -> str:
        """The other species that are known to call here."""
        if row.split == TRAIN:
            labels = labels_in(clip, self.recordings, row.recording_id, row.species_id)
            numbers = sorted(set(labels.species_id[labels["style"] == "other"].tolist()))
        else:
            truth = self.recordings.ground_truth.loc[row.recording_id].to_numpy()
            numbers = [number for number in np.flatnonzero(truth == 1).tolist() if number != row.species_id]
        return ", ".join(self.names[number] for number in numbers)

    def _boxes(self, row: Any, clip: Clip, axis: FrequencyAxis) -> list[Box]:
        found = []
        if not np.isnan(row.start_s):
            band = self.bands[row.species_id]
            found.append(make_box("detection", "detection", (row.start_s, row.end_s), band, clip, axis))
        if row.split == TRAIN:
            for each in labels_in(clip, self.recordings, row.recording_id, row.species_id).itertuples():
                name = self.names[int(each.species_id)]
                text = {"absent": f"not {name}", "uncertain": f"{name}?"}.get(str(each.style), name)
                times, band = (each.t_min, each.t_max), (each.f_min, each.f_max)
                found.append(make_box(str(each.style), text, times, band, clip, axis))
        return found


def span(seconds: float) -> str:
    """A time in a recording for people: 7.5 s, or 1:02:07.5 from two minutes on."""
    if seconds < 120:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds, 1), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02}:{rest:04.1f}"


def _data_uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
