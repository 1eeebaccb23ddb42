"""AOEF, the JSON of soundevent and Whombat: sound events in recordings, with geometries and tags.

The species of a sound event is the value of a tag. Its key is `species`, `dwc:scientificName` (soundevent's name)
or another usual one, the first that there is, or else the only key. Other programs have no tag for a verified negative.
Here, the tag `dawnchorus:label` is present, absent or uncertain; without it, a sound event is present. Predictions are
labels of a program, and are read where a file has no annotations.

Coordinates are times (s) and frequencies (Hz) of the sound as it was. In the file of a recording with a time expansion,
it is slower and lower.

Sources: https://github.com/mbsantiago/soundevent (src/soundevent/io/aoef, and data/recordings.py for time expansion).
soundevent itself is not used: it reads only files of its own version, and nothing of a file with one faulty part.
"""

import json
import math
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from dawnchorus.data.annotations import LABELS
from dawnchorus.data.formats.aoef_objects import Collection, Geometry, Tag, parse
from dawnchorus.data.formats.label_files import LabelFile
from dawnchorus.data.table_layout import read_text
from dawnchorus.errors import InputError
from dawnchorus.files import replacing

SUFFIXES = (".json", ".aoef")
VERSION = "1.1.0"
# Usual keys of the tag with the species, the best first.
SPECIES = ("species", "dwc:scientificName", "scientific_name", "dwc:vernacularName", "common_name")
LABEL = "dawnchorus:label"
BOX, INTERVAL = "BoundingBox", "TimeInterval"
# No time (s) or frequency (Hz) is as high.
LIMIT = 1e12
# What the ids in a written file are made from, so that equal labels give equal files.
NAMESPACE = uuid.UUID("6f0b1a58-6a0f-5e0f-9d43-0d6a6c1f3a11")

Key = TypeVar("Key", int, str)
Part = TypeVar("Part")


@dataclass(frozen=True)
class _Statement:
    """What somebody or a program says about a sound event: its place in the file, and tags with their scores."""

    place: str
    sound_event: str
    tags: list[tuple[Tag, float]]
    annotator: str


def why_not(path: Path) -> str | None:
    """Why a file is no AOEF; None if it is one, perhaps damaged."""
    text = read_text(path)
    if '"collection_type"' in text:
        return None
    return f"{path}: found {text[:80]!r}, expected JSON of soundevent or Whombat, with a collection_type"


def read_labels(path: Path, species_key: str | None = None) -> LabelFile:
    """Read the annotations of sound events, or the predictions of a file that has no annotations.

    Args:
        path: the file.
        species_key: the key of the tag with the species; None for the usual ones.

    Raises:
        InputError: the file is damaged, a part refers to one that is missing, coordinates are impossible, or no key can
            be that of the species.
    """
    content = parse(path)
    statements, is_program = _statements(path, content)
    key = _species_key(path, statements, species_key)
    events = {event.uuid: event for event in content.sound_events or []}
    recordings = {recording.uuid: recording for recording in content.recordings or []}
    places, rows, paths = [], [], []
    n_others = 0
    for one in statements:
        event = _part(path, one.place, "sound event", one.sound_event, events)
        recording = _part(path, one.place, "recording", event.recording, recordings)
        box = _box(path, one.place, event.geometry)
        if box is None:
            n_others += 1
            continue
        # With a time expansion of 10, the file is ten times as long as the sound was, and a tenth as high.
        expansion = recording.time_expansion or 1.0
        box = [box[0] * expansion, box[1] * expansion, box[2] / expansion, box[3] / expansion]
        label = _label(path, one)
        for species, score in [(tag.value.strip(), score) for tag, score in one.tags if _is(tag, key)] or [("", 0.0)]:
            places.append(one.place)
            rows.append([species, label, *box, one.annotator, score])
            paths.append(recording.path)
    columns = ["species", "label", "t_min", "t_max", "f_min", "f_max", "annotator", "confidence"]
    table = pd.DataFrame(rows, places, columns)
    wholes = (content.clip_annotations, content.clip_predictions, content.sequence_annotations,
              content.sequence_predictions)  # fmt: skip
    dropped = {
        "sound events that are neither a box nor an interval of time, or have no length": n_others,
        "predictions, because there are annotations": 0 if is_program else len(content.sound_event_predictions or []),
        "clips and sequences with tags": sum(bool(one.tags) for several in wholes for one in several or []),
    }
    return LabelFile(
        path, table.drop(columns="confidence"), pd.Series(paths, places, str, "recording"), len(statements), dropped,
        confidence=table.confidence if is_program else None,
    )  # fmt: skip


def _statements(path: Path, content: Collection) -> tuple[list[_Statement], bool]:
    """The annotations, or else the predictions, and whether these are predictions."""
    tags = {tag.id: tag for tag in content.tags or []}
    users = {user.uuid: user.name or user.username or user.email or user.uuid for user in content.users or []}

    def tagged(place: str, ids: Sequence[tuple[int, float]]) -> list[tuple[Tag, float]]:
        return [(_part(path, place, "tag", number, tags), score) for number, score in ids]

    if content.sound_event_annotations:
        annotations = []
        for one in content.sound_event_annotations:
            place = f"annotation {one.uuid}"
            found = tagged(place, [(number, math.nan) for number in one.tags or []])
            annotator = users.get(one.created_by or "", one.created_by or "")
            annotations.append(_Statement(place, one.sound_event, found, annotator))
        return annotations, False
    predictions = []
    for each in content.sound_event_predictions or []:
        place = f"prediction {each.uuid}"
        predictions.append(_Statement(place, each.sound_event, tagged(place, each.tags or []), ""))
    return predictions, True


def _species_key(path: Path, statements: Sequence[_Statement], chosen: str | None) -> str:
    """The key of the tags with the species."""
    keys = sorted({tag.key for one in statements for tag, _ in one.tags if not _is(tag, LABEL)})
    if not keys:
        return SPECIES[0]
    for key in SPECIES if chosen is None else (chosen,):
        if key.casefold() in {each.casefold() for each in keys}:
            return key
    if chosen is not None:
        reason = f"no sound event has a tag {chosen!r}, which data.columns in params.yaml names"
        raise InputError(f"{path}: {reason}; found {', '.join(keys)}")
    if len(keys) == 1:
        return keys[0]
    raise InputError(
        f"{path}: which tag has the species is not clear; found {', '.join(keys)}; name it in params.yaml: "
        "data.columns: {species: <key>}"
    )


def _is(tag: Tag, key: str) -> bool:
    return tag.key.casefold() == key.casefold()


def _part(path: Path, place: str, kind: str, name: Key, parts: Mapping[Key, Part]) -> Part:
    if name not in parts:
        raise InputError(f"{path}: {place}: refers to the {kind} {name}, which the file lacks; export the file again")
    return parts[name]


def _box(path: Path, place: str, geometry: Geometry | None) -> list[float] | None:
    """Start, end (s), lowest and highest frequency (Hz; NaN if not given); None for what has no length."""
    if geometry is None or geometry.type not in (BOX, INTERVAL):
        return None
    edges = geometry.coordinates
    n_edges = 4 if geometry.type == BOX else 2
    are_numbers = isinstance(edges, list) and len(edges) == n_edges and all(map(_is_number, edges))
    if are_numbers:
        start, low, end, high = edges if geometry.type == BOX else (edges[0], math.nan, edges[1], math.nan)
        if start == end:
            return None
        if 0 <= start < end and not (low < 0 or high < low):
            return [start, end, low, high]
    expected = "start, lowest frequency, end and highest frequency" if geometry.type == BOX else "start and end"
    raise InputError(
        f"{path}: {place}: found the {geometry.type} {edges!r}, expected {expected}, 0 or more and in this order; "
        "correct or remove it"
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and abs(value) < LIMIT


def _label(path: Path, statement: _Statement) -> str:
    found = {tag.value.strip().casefold() for tag, _ in statement.tags if _is(tag, LABEL)} or {LABELS[0]}
    if len(found) == 1 and found <= {*LABELS}:
        return found.pop()
    raise InputError(
        f"{path}: {statement.place}, tag {LABEL}: found {', '.join(sorted(found))}, expected one of "
        f"{', '.join(LABELS)}; correct or remove the tag"
    )


def write_labels(folder: Path, annotations: pd.DataFrame, recordings: pd.DataFrame) -> list[str]:
    """Write labels as an annotation set, `annotations.json`, with the species as the tag `species`.

    Labels that a program gave (with a score) are written as a prediction set, `predictions.json`.

    Args:
        folder: an empty folder.
        annotations: labels, as in `writing.write_labels`.
        recordings: their recordings, as in `writing.write_labels`.

    Returns:
        Remarks about what the format cannot hold.
    """
    used = recordings.loc[list(dict.fromkeys(annotations.recording_id))]
    tags = {("species", name): 0 for name in annotations.species} | {
        (LABEL, name): 0 for name in annotations.label if name != LABELS[0]
    }
    tags = {tag: number for number, tag in enumerate(tags)}
    # A program's labels have a score, and are predictions.
    kind = "prediction" if "score" in annotations.columns else "annotation"
    content: dict[str, Any] = {
        "uuid": _id(f"{kind} set", *used.file),
        "collection_type": f"{kind}_set",
        "name": "Dawnchorus",
        "users": [{"uuid": _id("user", name), "name": name} for name in dict.fromkeys(annotations.annotator) if name],
        "tags": [{"id": number, "key": key, "value": value} for (key, value), number in tags.items()],
        "recordings": [
            {"uuid": _id("recording", one.file), "path": one.file, "duration": float(one.seconds),
             "channels": int(one.channels), "samplerate": int(one.sample_rate)}
            for one in used.itertuples()
        ],
        "clips": [
            {"uuid": _id("clip", one.file), "recording": _id("recording", one.file), "start_time": 0.0,
             "end_time": float(one.seconds)}
            for one in used.itertuples()
        ],
        "sound_events": [],
        f"sound_event_{kind}s": [],
    }  # fmt: skip
    by_recording: dict[str, list[str]] = {file: [] for file in used.file}
    n_filled = 0
    for number, row in enumerate(annotations.itertuples()):
        recording = used.loc[row.recording_id]
        times = [row.t_min, row.t_max]
        frequencies = [row.f_min, row.f_max]
        geometry = {"type": INTERVAL, "coordinates": times}
        if not all(map(math.isnan, frequencies)):
            n_filled += any(map(math.isnan, frequencies))
            low = 0.0 if math.isnan(row.f_min) else row.f_min
            high = recording.sample_rate / 2 if math.isnan(row.f_max) else row.f_max
            geometry = {"type": BOX, "coordinates": [row.t_min, low, row.t_max, high]}
        event = _id("sound event", recording.file, row.species, row.label, *map(repr, [*times, *frequencies]), number)
        statement = _id(kind, event)
        content["sound_events"].append(
            {"uuid": event, "recording": _id("recording", recording.file), "geometry": geometry}
        )
        names = [("species", row.species), *([(LABEL, row.label)] if row.label != LABELS[0] else [])]
        said: dict[str, Any] = {"uuid": statement, "sound_event": event, "tags": [tags[name] for name in names]}
        if kind == "prediction":
            said |= {"score": float(row.score), "tags": [[tags[name], float(row.score)] for name in names]}
        if row.annotator:
            said["created_by"] = _id("user", row.annotator)
        content[f"sound_event_{kind}s"].append(said)
        by_recording[recording.file].append(statement)
    content[f"clip_{kind}s"] = [
        {"uuid": _id(f"clip {kind}", file), "clip": _id("clip", file), "sound_events": events}
        for file, events in by_recording.items()
    ]
    with replacing(folder / f"{kind}s.json") as path:
        path.write_text(json.dumps({"version": VERSION, "data": content}, indent=1, ensure_ascii=False), "utf-8")
    if not n_filled:
        return []
    return [f"{n_filled} labels lack one of their frequencies; written: 0, or half the sample rate"]


def _id(*parts: object) -> str:
    """An id that equal parts give again."""
    return str(uuid.uuid5(NAMESPACE, "\0".join(map(str, parts))))
