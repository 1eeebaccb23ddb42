"""Write the page in which `dvc plots` draws without a network; `plots.html_template` in DVC's settings names it."""

import argparse
from pathlib import Path

from dawnchorus.cli import run
from dawnchorus.files import replacing
from dawnchorus.reporting.plots_page import plots_page


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True, help="output: HTML")
    arguments = parser.parse_args()
    with replacing(arguments.output) as path:
        path.write_text(plots_page(), encoding="utf-8")


if __name__ == "__main__":
    run(main)
