"""Download a Kaggle competition's recordings and tables; after an interruption, run it again to resume."""

import argparse
from pathlib import Path

from dawnchorus.cli import run
from dawnchorus.errors import InputError
from dawnchorus.kaggle.download import AGAIN, download


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--competition", default="rfcx-species-audio-detection", help="its name in Kaggle's URLs")
    parser.add_argument("--output", type=Path, required=True, help="output folder of the data set")
    arguments = parser.parse_args()
    try:
        download(arguments.competition, arguments.output)
    except KeyboardInterrupt:
        raise InputError(f"stopped; {AGAIN}") from None
    print(f"The data set is complete; set data.root in params.yaml to {arguments.output}.")


if __name__ == "__main__":
    run(main)
