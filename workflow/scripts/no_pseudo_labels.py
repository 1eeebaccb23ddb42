"""Create the empty folder that a round without pseudo-labels reads instead of an earlier round's predictions."""

import argparse
from pathlib import Path

from dawnchorus.cli import run
from dawnchorus.files import replacing


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True, help="output folder, created empty")
    arguments = parser.parse_args()
    with replacing(arguments.output) as folder:
        folder.mkdir()


if __name__ == "__main__":
    run(main)
