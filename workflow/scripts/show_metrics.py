"""Print results/metrics.json as a table, if it is up to date with the current parameters, code and data."""

import argparse
from pathlib import Path

from dawnchorus.cli import run
from dawnchorus.errors import InputError
from dawnchorus.reporting.metrics import read_as_text
from dawnchorus.workflow.plan import stale_makers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--metrics", type=Path, required=True)
    arguments = parser.parse_args()
    stale = stale_makers(arguments.metrics)
    if stale:
        raise InputError(
            f"{arguments.metrics} is out of date with the current parameters, code or data: {len(stale)} stages are "
            f"stale, for example {stale[0]}; run `snakemake` or `dvc repro`"
        )
    print(read_as_text(arguments.metrics))


if __name__ == "__main__":
    run(main)
