"""Write the report: one HTML page on what the model is, how good it is, what it confuses, and when species call."""

import argparse
from pathlib import Path

from dawnchorus.cli import run
from dawnchorus.config.loading import load_params
from dawnchorus.files import replacing
from dawnchorus.reporting.report.page import render


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--defaults", type=Path, required=True, help="parameter file with the defaults")
    parser.add_argument("--data", type=Path, required=True, help="folder with recordings.csv and the other tables")
    parser.add_argument("--predictions", type=Path, required=True, help="folder with <round>/<member>/<fold>/")
    parser.add_argument("--supervised", type=Path, required=True, help="the same of the first of several rounds")
    parser.add_argument("--curves", type=Path, required=True, help="folder with <round>/<backbone>/<fold>.csv")
    parser.add_argument("--scores", type=Path, required=True, help="folder with ensemble.csv")
    parser.add_argument("--metrics", type=Path, required=True)
    parser.add_argument("--species-metrics", type=Path, required=True)
    parser.add_argument("--thresholds", type=Path, required=True)
    parser.add_argument("--reliability", type=Path, required=True)
    parser.add_argument("--detections", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True, help="output: the page")
    arguments = parser.parse_args()
    params = load_params(arguments.params)

    # At most params.report.examples of each kind and species.
    examples: list[object] = []
    page = render({"title": "Report", "n_members": len(params.members), "examples": examples})
    with replacing(arguments.output) as path:
        path.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    run(main)
