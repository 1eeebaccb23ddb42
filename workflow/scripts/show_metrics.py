"""Print results/metrics.json as a small table."""

import argparse
import json
from pathlib import Path

from dawnchorus.report import as_text
from dawnchorus.script import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--metrics", type=Path, required=True)
    arguments = parser.parse_args()
    print(as_text(json.loads(arguments.metrics.read_text())))


if __name__ == "__main__":
    run(main)
