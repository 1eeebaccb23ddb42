"""What a user may choose for `dawnchorus detect`: options of the command, and the same as Snakemake's --config."""

import argparse
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, NoReturn
from zoneinfo import available_timezones

from dawnchorus.audio.decoding import Channel
from dawnchorus.config.data import compile_site_pattern
from dawnchorus.errors import InputError

# Those of `formats.writing` that can hold what a program found.
FORMATS = ("raven", "raven-table", "audacity", "kaleidoscope", "aoef")
# A day, s: longer than any window.
LONGEST = 86_400
# Audio of a shard, h. Its job then takes some minutes, so that its start counts for little.
SHARD_HOURS = 100.0
# More than all recordings of a large archive, h.
MOST_HOURS = 1e9
NEEDED = ("recordings", "model", "output")


@dataclass(frozen=True)
class Options:
    """What a user may choose; None stands for the model's own setting.

    Attributes:
        hop: time between the starts of two windows, s.
        gap: windows with at most this much time between them are one detection, s.
        min_seconds: shorter detections are left out, s.
        threshold: one score for all species.
        channel: number of the channel, from 1; "mean"; or "each".
        timezone: of recorders that did not write one.
        site_pattern: regular expression with the group `site`; None for the folders of recordings.
        format: some of `FORMATS`, in which detections are written besides.
    """

    hop: float | None = None
    gap: float | None = None
    min_seconds: float | None = None
    threshold: float | None = None
    channel: Channel | Literal["each"] | None = None
    timezone: str | None = None
    site_pattern: str | None = None
    format: Sequence[str] = ()


@dataclass(frozen=True)
class Request:
    """A call of `snakemake detect`.

    Attributes:
        model: folder of the model.
        recordings: paths as in `find_recordings`.
        output: folder for the results.
        shard_hours: audio of a shard, h.
        options: the other settings.
    """

    model: Path
    recordings: list[Path]
    output: Path
    shard_hours: float
    options: Options


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `dawnchorus detect` that `options_of` reads."""
    parser.add_argument(
        "--threshold",
        type=partial(number, lowest=0, highest=1),
        help="one score for all species; default: the model's thresholds",
    )
    parser.add_argument(
        "--hop",
        type=partial(number, lowest=0.01, highest=LONGEST),
        metavar="SECONDS",
        help="time between the starts of two windows",
    )
    parser.add_argument(
        "--gap",
        type=partial(number, lowest=0, highest=LONGEST),
        metavar="SECONDS",
        help="most time between two windows of one detection; default: the model's",
    )
    parser.add_argument(
        "--min-seconds",
        type=partial(number, lowest=0, highest=LONGEST),
        metavar="SECONDS",
        help="leave out shorter detections; default: the model's",
    )
    parser.add_argument("--channel", type=_channel, help="a number from 1, mean or each; default: as in training")
    parser.add_argument(
        "--timezone", type=_zone, help="time zone of recorders that did not write one, such as America/Puerto_Rico"
    )
    parser.add_argument(
        "--site-pattern",
        type=_site_pattern,
        metavar="REGEX",
        help="finds the site in the names of recordings, by its group `site`, for example '(?P<site>[^_]+)_' (default: "
        "the site is the folder)",
    )
    parser.add_argument(
        "--format",
        action="append",
        default=[],
        choices=FORMATS,
        help="also write detections in this format; may be repeated",
    )


def options_of(arguments: argparse.Namespace) -> Options:
    """The options among parsed arguments."""
    return Options(**{name: getattr(arguments, name) for name in Options.__dataclass_fields__})


def read_config(config: Mapping[str, Any]) -> Request:
    """Read what `snakemake detect --config` says: the command's options by their names, and `shard_hours`.

    Args:
        config: numbers, texts or, for `recordings` and `format`, also lists of texts; formats may be separated by
            commas.

    Raises:
        InputError: a key is missing or unknown, or a value is not allowed.
    """
    known = [*NEEDED, "shard_hours", *Options.__dataclass_fields__]
    unknown = [key for key in config if key not in known]
    if unknown:
        raise InputError(f"--config: unknown key {unknown[0]}; expected some of {', '.join(known)}")
    missing = [key for key in NEEDED if config.get(key) in (None, "", [])]
    if missing:
        raise InputError(
            f"--config: {missing[0]} is missing; expected for example: snakemake --cores 8 detect --config "
            "recordings=/mnt/field model=results/model output=found"
        )
    if set("{}") & set(str(config["output"])):
        raise InputError(
            f"--config: output: found {config['output']}; expected no braces, which mean wildcards to Snakemake"
        )
    parser = _Parser(add_help=False, allow_abbrev=False)
    for name in ("model", "output"):
        parser.add_argument(f"--{name}", type=_path)
    parser.add_argument("--recordings", type=_path, action="append")
    parser.add_argument("--shard-hours", type=partial(number, lowest=0.001, highest=MOST_HOURS), default=SHARD_HOURS)
    add_options(parser)
    values = {key: value if isinstance(value, list) else [value] for key, value in config.items()}
    values["format"] = [each.strip() for text in values.get("format", []) for each in str(text).split(",")]
    alone = [key for key, several in values.items() if len(several) != 1 and key not in ("recordings", "format")]
    if alone:
        raise InputError(f"--config: {alone[0]}: found a list, expected one value")
    arguments = [f"--{key.replace('_', '-')}={value}" for key, several in values.items() for value in several]
    found = parser.parse_args(arguments)
    return Request(found.model, found.recordings, found.output, found.shard_hours, options_of(found))


def number(text: str, lowest: float, highest: float) -> float:
    """A number of the command line, for argparse.

    Raises:
        ArgumentTypeError: it is no number, or not within the limits.
    """
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not lowest <= found <= highest:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a number from {lowest:g} to {highest:g}")
    return found


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Raise an `InputError` about --config instead of ending the program."""
        # Snakemake's keys have underscores.
        name, _, what = message.removeprefix("argument --").partition(":")
        raise InputError(f"--config: {name.replace('-', '_')}:{what}")


def _path(text: str) -> Path:
    # A shell leaves the ~ in `recordings=~/field` as it is.
    return Path(os.path.expanduser(text))


def _channel(text: str) -> int | Literal["mean", "each"]:
    if text in ("mean", "each"):
        return "mean" if text == "mean" else "each"
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a number from 1, mean or each")
    return int(text)


def _site_pattern(text: str) -> str:
    try:
        compile_site_pattern(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


def _zone(text: str) -> str:
    if text not in available_timezones():
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a time zone, such as America/Puerto_Rico or UTC")
    return text
