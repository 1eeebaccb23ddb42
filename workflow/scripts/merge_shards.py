"""Write the tables of `snakemake detect` when all shards are scored."""

import argparse
import sys
from pathlib import Path

from dawnchorus.cli import run
from dawnchorus.workflow.sharding import merge


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True, help="folder for the results")
    lines, unreadable = merge(parser.parse_args().output)
    print(*lines, sep="\n", flush=True)
    print(unreadable, end="\n" if unreadable else "", file=sys.stderr)


if __name__ == "__main__":
    run(main)
