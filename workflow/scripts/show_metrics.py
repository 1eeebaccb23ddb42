"""Print results/metrics.json as a small table."""

import argparse
from pathlib import Path

from dawnchorus.cli import run
from dawnchorus.reporting.metrics import read_as_text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--metrics", type=Path, required=True)
    arguments = parser.parse_args()
    print(read_as_text(arguments.metrics))


if __name__ == "__main__":
    run(main)
