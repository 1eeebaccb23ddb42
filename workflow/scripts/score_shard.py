"""Score the recordings of a shard of `snakemake detect`."""

import argparse
from pathlib import Path

from dawnchorus.cli import run
from dawnchorus.workflow.cores import cores
from dawnchorus.workflow.sharding import score


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True, help="folder for the results")
    parser.add_argument("--shard", required=True, help="name of the shard")
    arguments = parser.parse_args()
    score(arguments.output, arguments.shard, cores())


if __name__ == "__main__":
    run(main)
