"""The `dawnchorus` command, for what is done outside the workflow."""

import argparse
from pathlib import Path

from dawnchorus.cli import run
from dawnchorus.data.conversion import convert
from dawnchorus.data.formats import reading, writing
from dawnchorus.data.survey import survey
from dawnchorus.workflow.cores import cores


def main() -> None:
    """Run a subcommand of `dawnchorus`."""
    parser = argparse.ArgumentParser(prog="dawnchorus", description=__doc__)
    commands = parser.add_subparsers(required=True)
    inspect = commands.add_parser(
        "inspect", help="tell what is in a folder of recordings and labels, and which parameters would use it"
    )
    inspect.add_argument("folder", type=Path, help="the folder; nothing in it is changed")
    inspect.add_argument("--folds", type=int, default=3, help="number of folds that you want (default: %(default)s)")
    inspect.add_argument(
        "--window", type=float, default=3.0, metavar="SECONDS", help="length of a window (default: %(default)s s)"
    )
    inspect.set_defaults(command=lambda options: print(survey(options.folder, options.window, options.folds, cores())))
    conversion = commands.add_parser("convert", help="write the labels in a folder in another format")
    conversion.add_argument("folder", type=Path, help="the recordings and their labels; nothing in it is changed")
    conversion.add_argument("output", type=Path, help="a new or empty folder for the labels")
    conversion.add_argument("--to", required=True, choices=writing.FORMATS, help="the format to write")
    conversion.add_argument(
        "--from",
        dest="source",
        choices=reading.FORMATS,
        help="the format to read (default: the only one in the folder)",
    )
    conversion.set_defaults(
        command=lambda options: print(convert(options.folder, options.output, options.to, options.source))
    )
    options = parser.parse_args()
    run(lambda: options.command(options))


if __name__ == "__main__":
    main()
