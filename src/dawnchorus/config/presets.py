"""Presets: `presets/default.yaml` has every parameter; the other files have only values that differ from it."""

import io
import json
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import RoundTripRepresenter

from dawnchorus.config.loading import parse_params, parse_sections, read_text
from dawnchorus.config.params import Params
from dawnchorus.dotted import flatten
from dawnchorus.errors import InputError
from dawnchorus.files import replacing

DEFAULT = "default"


@dataclass(frozen=True)
class Switch:
    """What a switch to a preset changed in a parameter file.

    Attributes:
        changes: one line per changed value, such as "train.epochs: 20 -> 30".
        backup: the copy of the former file, or None if that file was an unedited preset or missing.
    """

    changes: list[str]
    backup: Path | None


class _NullAsWord(RoundTripRepresenter):
    """Writes None as `null`. A class of its own, because ruamel keeps representers by class, and DVC uses its own."""

    def represent_none(self, data: None) -> ScalarNode:
        return self.represent_scalar("tag:yaml.org,2002:null", "null")


_NullAsWord.add_representer(type(None), _NullAsWord.represent_none)


def preset_names(folder: Path) -> list[str]:
    """The names of all presets: the file names in their folder, without the suffix."""
    return sorted(path.stem for path in folder.glob("*.yaml"))


def preset_content(folder: Path, name: str) -> CommentedMap:
    """All parameters of a preset: the defaults with its overrides, in the order and with the comments of the defaults.

    Args:
        folder: folder of the presets.
        name: name of the preset.

    Raises:
        InputError: there is no such preset, or its file is not YAML with sections.
    """
    if name not in preset_names(folder):
        raise InputError(f"{folder}: there is no preset {name!r}; expected one of {', '.join(preset_names(folder))}")
    content = _load(folder / f"{DEFAULT}.yaml")
    if name != DEFAULT:
        _override(content, _load(folder / f"{name}.yaml"))
    return content


def preset_text(folder: Path, name: str) -> str:
    """The text of a preset's parameter file.

    Raises:
        InputError: as in `preset_content`.
    """
    text = io.StringIO()
    _yaml().dump(preset_content(folder, name), text)
    return text.getvalue()


def load_preset(folder: Path, name: str) -> Params:
    """The validated parameters of a preset.

    Raises:
        InputError: as in `preset_content`, or the parameters are invalid.
    """
    return parse_params(preset_text(folder, name), folder / f"{name}.yaml")


def switch_to_preset(path: Path, folder: Path, name: str) -> Switch:
    """Replace a parameter file with a preset's.

    A file with edits of the user is first copied to a backup in the same folder.

    Args:
        path: the parameter file; it may be missing.
        folder: folder of the presets.
        name: name of the preset.

    Raises:
        InputError: as in `load_preset`, or the parameter file is not YAML with sections.
    """
    load_preset(folder, name)
    new = preset_text(folder, name)
    old = read_text(path) if path.exists() else ""
    before, after = (_texts(parse_sections(text, path)) if text else {} for text in (old, new))
    backup = None
    if old and old not in [preset_text(folder, each) for each in preset_names(folder)]:
        numbered = (path.with_name(f"{path.stem}.backup-{number}{path.suffix}") for number in count(1))
        backup = next(unused for unused in numbered if not unused.exists())
        backup.write_text(old, encoding="utf-8")
    with replacing(path) as file:
        file.write_text(new, encoding="utf-8")
    changes = [
        f"{key}: {before.get(key, 'missing')} -> {after.get(key, 'removed')}"
        for key in {**after, **before}
        if before.get(key) != after.get(key)
    ]
    return Switch(changes, backup)


def _yaml() -> YAML:
    yaml = YAML()
    # Wrapped lines would separate comments from their keys.
    yaml.width = 10_000
    # By default, ruamel.yaml writes null as an empty value.
    yaml.Representer = _NullAsWord
    return yaml


def _load(path: Path) -> CommentedMap:
    text = read_text(path)
    parse_sections(text, path)
    return _yaml().load(text)


def _override(content: CommentedMap, overrides: dict[Any, Any]) -> None:
    for key, value in overrides.items():
        if isinstance(value, dict) and isinstance(content.get(key), dict):
            _override(content[key], value)
        else:
            content[key] = value
            # Put the comment directly after the new value instead of at its old column.
            comment = content.ca.items.get(key, [None] * 3)[2]
            if comment is not None:
                comment.column = 0


def _texts(sections: dict[str, Any]) -> dict[str, str]:
    """The values as YAML text, by dotted key."""
    return {
        key: value if isinstance(value, str) else json.dumps(value, default=str)
        for key, value in flatten(sections).items()
    }
