"""Read `params.yaml`; errors name the key, the value found and the values allowed."""

import re
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, ScalarEvent

from dawnchorus.config.params import Params
from dawnchorus.config.section import shown
from dawnchorus.errors import InputError
from dawnchorus.inputs import require_unchanged

# Nested aliases can expand beyond any machine's memory.
MOST_VALUES = 10_000


DEEPEST = 32
# The lines with which git marks what a merge could not resolve.
CONFLICT = re.compile(r"^(<{7}|={7}|>{7}|\|{7})( .*)?$", re.MULTILINE)


def load_params(path: Path | str) -> Params:
    """Read and validate a parameter file.

    Raises:
        InputError: the file cannot be read, is not valid YAML, or has an unknown key, a wrong type or an invalid
            value; the message has one line per problem. Or the inputs of the stage that runs this process changed.
    """
    params = parse_params(read_text(Path(path)), Path(path))
    # A file that is changed back before the job ends would otherwise pass for the one that was read.
    require_unchanged()
    return params


def read_text(path: Path) -> str:
    """Read a UTF-8 text file.

    Raises:
        InputError: the file cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error


def parse_params(text: str, path: Path) -> Params:
    """Validate the text of a parameter file; `path` names it in errors.

    Raises:
        InputError: as in `load_params`.
    """
    content = parse_sections(text, path)
    try:
        return Params.model_validate(content)
    except ValidationError as error:
        raise InputError("\n".join(_explain(path, content, item) for item in error.errors())) from error


def parse_sections(text: str, path: Path) -> dict[str, Any]:
    """Parse YAML whose top level is a mapping; `path` names it in errors.

    Raises:
        InputError: the text is not valid YAML, is too large, or has another top level.
    """
    try:
        # YAML 1.2, which DVC also reads: 1e-5 is a number.
        excess = _excess(text)
        content = None if excess else YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        line = conflict_line(text)
        if line:
            raise InputError(
                f"{path}: line {line} marks a merge conflict of git: keep the values that you want, and remove the "
                "lines that begin with <<<<<<<, ======= and >>>>>>>"
            ) from error
        raise InputError(f"{path}: is not valid YAML: {error}") from error
    # Python's constructors raise various exceptions for numbers, dates or tags that they reject.
    except Exception as error:
        raise InputError(f"{path}: contains a value that cannot be read: {type(error).__name__}: {error}") from error
    if excess:
        raise InputError(f"{path}: {excess}; expected sections of keys and values, as in presets/default.yaml")
    if not isinstance(content, dict):
        raise InputError(f"{path}: found {type(content).__name__}, expected sections such as 'data:' and 'train:'")
    return content


def conflict_line(text: str) -> int | None:
    """The first line, counted from 1, that marks a merge conflict of git in a text; None if there is none."""
    found = CONFLICT.search(text)
    return text.count("\n", 0, found.start()) + 1 if found else None


def _excess(text: str) -> str:
    """Why a YAML text would exhaust memory once its aliases are expanded; empty if it would not."""
    sizes: dict[str, int] = {}
    counts, anchors = [0], [""]
    for event in YAML(typ="safe", pure=True).parse(text):
        if isinstance(event, AliasEvent):
            counts[-1] += sizes.get(event.anchor, 1)
        elif isinstance(event, ScalarEvent):
            counts[-1] += 1
        elif isinstance(event, CollectionStartEvent):
            counts.append(1)
            anchors.append(event.anchor)
            if len(counts) > DEEPEST:
                return f"is nested more than {DEEPEST} levels deep"
        elif isinstance(event, CollectionEndEvent):
            size = counts.pop()
            counts[-1] += size
            sizes[anchors.pop()] = size
        if counts[-1] > MOST_VALUES:
            return f"has more than {MOST_VALUES} values once its aliases are expanded"
    return ""


def _explain(path: Path, content: dict[str, Any], item: Any) -> str:
    """Format one pydantic error as a line: file, key, value found, and values allowed."""
    location = item["loc"]
    key = ".".join(str(part) for part in location)
    if item["type"] == "extra_forbidden":
        section: Any = Params
        for part in location[:-1]:
            # A list or a mapping has sections as its values.
            values = get_args(section)
            section = values[-1] if values else section.model_fields[part].annotation
        known = ", ".join(section.model_fields)
        return f"{path}: {key}: unknown key with value {shown(item['input'])}; expected one of {known}"
    if item["type"] == "missing":
        return f"{path}: {key}: is missing; {_description(location)}"
    if item["type"] == "value_error":
        return f"{path}: {key + ': ' if key else ''}{item['ctx']['error']}"
    rule = item["msg"].removeprefix("Input should be ")
    return f"{path}: {key}: found {shown(item['input'])}, expected {rule}; {_description(location)}"


def _description(location: tuple[str | int, ...]) -> str:
    section: Any = Params
    description = ""
    for part in location:
        # A list or a mapping has sections as its values.
        if get_origin(section) in (list, dict):
            section = get_args(section)[-1]
            continue
        if not (isinstance(section, type) and issubclass(section, BaseModel)) or str(part) not in section.model_fields:
            break
        field = section.model_fields[str(part)]
        description, section = field.description or "", field.annotation
    return f"it is: {description}" if description else "it is a section"
