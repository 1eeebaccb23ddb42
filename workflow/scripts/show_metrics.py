"""Print the metrics and the calibration error, if they are up to date with the current parameters, code and data."""

import argparse
from pathlib import Path

from dawnchorus.cli import run
from dawnchorus.errors import InputError
from dawnchorus.inference.reliability_tables import calibration_lines, read_reliability
from dawnchorus.reporting.metrics import read_as_text
from dawnchorus.workflow.plan import stale_makers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--figures", type=Path, required=True)
    parser.add_argument("--reliability", type=Path, required=True)
    arguments = parser.parse_args()
    for path in (arguments.figures, arguments.reliability):
        stale = stale_makers(path)
        if stale:
            raise InputError(
                f"{path} is out of date with the current parameters, code or data: {len(stale)} stages are stale, for "
                f"example {stale[0]}; run `snakemake` or `dvc repro`"
            )
    print(read_as_text(arguments.figures))
    for line in calibration_lines(read_reliability(arguments.reliability)):
        print(line)


if __name__ == "__main__":
    run(main)
