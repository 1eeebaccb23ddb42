"""Synthesize the embedded data set."""

import argparse
from pathlib import Path

from dawnchorus.cli import run
from dawnchorus.config.loading import load_params
from dawnchorus.demo.dataset import write_dataset
from dawnchorus.files import replacing
from dawnchorus.workflow.cores import cores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True, help="output folder; an existing one is replaced")
    arguments = parser.parse_args()
    demo = load_params(arguments.params).demo
    with replacing(arguments.output) as folder:
        write_dataset(demo, folder, workers=cores())


if __name__ == "__main__":
    run(main)
