"""Write the report: one HTML page on what the model is, how good it is, what it confuses, and when species call."""

import argparse
import sys
from pathlib import Path

from dawnchorus.cli import run
from dawnchorus.config.loading import load_params
from dawnchorus.files import replacing
from dawnchorus.reporting.report.examples import look_and_listen
from dawnchorus.reporting.report.page import render, sections
from dawnchorus.reporting.report.tables import read_experiment

# A page of more bytes is slow to open and too large to mail.
LARGE = 30_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--defaults", type=Path, required=True, help="parameter file with the defaults")
    parser.add_argument("--data", type=Path, required=True, help="folder with recordings.csv and the other tables")
    parser.add_argument("--results", type=Path, required=True, help="folder with what the stages before this one write")
    parser.add_argument("--figures", type=Path, required=True, help="figures of members, ensemble and baselines, JSON")
    parser.add_argument("--output", type=Path, required=True, help="output: the page")
    arguments = parser.parse_args()
    params, defaults = load_params(arguments.params), load_params(arguments.defaults)

    experiment = read_experiment(params, arguments.data, arguments.results, arguments.figures)
    page = render(sections(experiment, defaults) | {"examples": look_and_listen(experiment)})
    if len(page) > LARGE:
        print(
            f"{arguments.output} has {len(page) / 1e6:.0f} MB; a lower report.examples makes it smaller",
            file=sys.stderr,
        )
    with replacing(arguments.output) as path:
        path.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    run(main)
