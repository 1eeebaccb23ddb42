"""The `dawnchorus` command, for what is done outside the workflow."""

import argparse
import math
import sys
from functools import partial
from pathlib import Path
from typing import Literal
from zoneinfo import available_timezones

from dawnchorus.cli import run
from dawnchorus.data.conversion import convert
from dawnchorus.data.formats import reading, writing
from dawnchorus.data.survey import survey
from dawnchorus.models.bundle import read_bundle
from dawnchorus.workflow.cores import cores
from dawnchorus.workflow.detection import FORMATS, Options, detect

# A day, s: longer than any window.
LONGEST = 86_400


def main() -> None:
    """Run a subcommand of `dawnchorus`."""
    parser = argparse.ArgumentParser(prog="dawnchorus", description=__doc__)
    commands = parser.add_subparsers(required=True)
    inspect = commands.add_parser(
        "inspect", help="tell what is in a folder of recordings and labels, and which parameters would use it"
    )
    inspect.add_argument("folder", type=Path, help="the folder; nothing in it is changed")
    inspect.add_argument("--labels", type=Path, metavar="FOLDER", help="another folder with label files")
    inspect.add_argument(
        "--site-pattern",
        metavar="PATTERN",
        help="regular expression that finds the group (?P<site>...) in a recording's path below the folder "
        "(default: the folder that it is in)",
    )
    inspect.add_argument("--folds", type=int, default=3, help="number of folds that you want (default: %(default)s)")
    inspect.add_argument(
        "--window",
        type=partial(_number, lowest=0.01, highest=LONGEST),
        default=3.0,
        metavar="SECONDS",
        help="length of a window (default: %(default)s s)",
    )
    inspect.set_defaults(command=_inspect)
    _add_convert(commands)
    _add_detect(commands)
    _add_model(commands)
    options = parser.parse_args()
    run(lambda: options.command(options))


def _inspect(options: argparse.Namespace) -> None:
    print(survey(options.folder, options.labels, options.site_pattern, options.window, options.folds, cores()))


def _add_convert(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser("convert", help="write the labels in a folder in another format")
    parser.add_argument("folder", type=Path, help="the recordings and their labels; nothing in it is changed")
    parser.add_argument("output", type=Path, help="a new or empty folder for the labels")
    parser.add_argument("--to", required=True, choices=writing.FORMATS, help="the format to write")
    parser.add_argument(
        "--from", dest="source", choices=reading.FORMATS, help="the format to read (default: the only one found)"
    )
    parser.add_argument("--labels", type=Path, help="another folder with label files")
    parser.set_defaults(
        command=lambda options: print(
            convert(options.folder, options.output, options.to, options.source, options.labels)
        )
    )


def _add_detect(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser("detect", help="find a trained model's species in recordings")
    parser.add_argument("model", type=Path, help="folder of the model, results/model of a finished run")
    parser.add_argument(
        "paths",
        type=Path,
        nargs="+",
        metavar="PATH",
        help="recordings, folders of recordings, and *.txt that list such paths",
    )
    parser.add_argument(
        "--output",
        type=Path,
        required=True,
        help="folder for the results; after an interruption, the same command goes on",
    )
    parser.add_argument(
        "--threshold",
        type=partial(_number, lowest=0, highest=1),
        help="one score for all species; default: the model's thresholds",
    )
    parser.add_argument(
        "--hop",
        type=partial(_number, lowest=0.01, highest=LONGEST),
        metavar="SECONDS",
        help="time between the starts of two windows",
    )
    parser.add_argument(
        "--gap",
        type=partial(_number, lowest=0, highest=LONGEST),
        metavar="SECONDS",
        help="most time between two windows of one detection; default: the model's",
    )
    parser.add_argument(
        "--min-seconds",
        type=partial(_number, lowest=0, highest=LONGEST),
        metavar="SECONDS",
        help="leave out shorter detections; default: the model's",
    )
    parser.add_argument("--channel", type=_channel, help="a number from 1, mean or each; default: as in training")
    parser.add_argument(
        "--timezone", type=_zone, help="time zone of recorders that did not write one, such as America/Puerto_Rico"
    )
    parser.add_argument(
        "--format",
        action="append",
        default=[],
        choices=FORMATS,
        help="also write detections in this format; may be repeated",
    )
    parser.add_argument("--cores", type=int, default=cores(), help="number of cores to use (default: %(default)s)")
    parser.set_defaults(command=_detect)


def _detect(options: argparse.Namespace) -> None:
    chosen = Options(
        options.hop,
        options.gap,
        options.min_seconds,
        options.threshold,
        options.channel,
        options.timezone,
        options.format,
        max(1, options.cores),
    )
    if detect(options.model, options.paths, options.output, chosen):
        sys.exit(1)


def _channel(text: str) -> int | Literal["mean", "each"]:
    if text in ("mean", "each"):
        return "mean" if text == "mean" else "each"
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a number from 1, mean or each")
    return int(text)


def _number(text: str, lowest: float, highest: float) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not lowest <= number <= highest:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a number from {lowest:g} to {highest:g}")
    return number


def _zone(text: str) -> str:
    if text not in available_timezones():
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a time zone, such as America/Puerto_Rico or UTC")
    return text


def _add_model(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser("model", help="tell about a trained model")
    actions = parser.add_subparsers(required=True)
    info = actions.add_parser("info", help="check the files of a model, and print its card")
    info.add_argument("model", type=Path, help="folder of the model, results/model of a finished run")
    info.set_defaults(command=lambda options: print((read_bundle(options.model).folder / "README.md").read_text()))


if __name__ == "__main__":
    main()
