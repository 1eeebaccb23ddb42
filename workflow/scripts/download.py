"""Download a Kaggle competition's recordings and tables; run again after a break, it goes on where it stopped."""

import argparse
from pathlib import Path

from dawnchorus.cli import run
from dawnchorus.errors import InputError
from dawnchorus.kaggle.download import AGAIN, download


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--competition", default="rfcx-species-audio-detection", help="its name in Kaggle's addresses")
    parser.add_argument("--output", type=Path, required=True, help="folder of the data set")
    arguments = parser.parse_args()
    try:
        download(arguments.competition, arguments.output)
    except KeyboardInterrupt:
        raise InputError(f"stopped; {AGAIN}") from None
    print(f"The data set is whole; name it in params.yaml (data: root: {arguments.output}).")


if __name__ == "__main__":
    run(main)
