"""The objects in a file of AOEF, as far as labels depend on them.

Source: https://github.com/mbsantiago/soundevent (src/soundevent/io/aoef).
"""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, FiniteFloat, PositiveFloat, ValidationError

from dawnchorus.data.table_layout import read_text
from dawnchorus.errors import InputError


class User(BaseModel):
    """Somebody who annotates."""

    uuid: str
    name: str | None = None
    username: str | None = None
    email: str | None = None


class Tag(BaseModel):
    """A key and a value, which annotations refer to by the id."""

    id: int
    key: str
    value: str


class Recording(BaseModel):
    """A file with sound, whose path may be from another computer."""

    uuid: str
    path: str
    time_expansion: PositiveFloat | None = None


class Geometry(BaseModel):
    """Where a sound is in time (s) and frequency (Hz); the type says what the coordinates are."""

    type: str
    coordinates: Any


class SoundEvent(BaseModel):
    """A sound in a recording."""

    uuid: str
    recording: str
    geometry: Geometry | None = None


class Annotation(BaseModel):
    """What somebody says about a sound event: the ids of tags."""

    uuid: str
    sound_event: str
    tags: list[int] | None = None
    created_by: str | None = None


class Prediction(BaseModel):
    """What a program says about a sound event: the ids of tags, with scores."""

    uuid: str
    sound_event: str
    tags: list[tuple[int, FiniteFloat]] | None = None


class Tagged(BaseModel):
    """What somebody or a program says about a clip or a sequence."""

    tags: list[Any] | None = None


class Collection(BaseModel):
    """The contents of a file."""

    users: list[User] | None = None
    tags: list[Tag] | None = None
    recordings: list[Recording] | None = None
    sound_events: list[SoundEvent] | None = None
    sound_event_annotations: list[Annotation] | None = None
    sound_event_predictions: list[Prediction] | None = None
    clip_annotations: list[Tagged] | None = None
    clip_predictions: list[Tagged] | None = None
    sequence_annotations: list[Tagged] | None = None
    sequence_predictions: list[Tagged] | None = None


class File(BaseModel):
    """A file."""

    data: Collection


def parse(path: Path) -> Collection:
    """Read a file.

    Raises:
        InputError: it is damaged; the message names the place and the reason.
    """
    try:
        return File.model_validate_json(read_text(path)).data
    except ValidationError as error:
        first = error.errors()[0]
        where = "".join(f"{part}: " for part in [".".join(map(str, first["loc"]))] if part)
        raise InputError(f"{path}: {where}{first['msg']}; export the file again") from error
