"""Hash all outputs and DVC's cache anew, and remove what has changed though its time stamp has not."""

import argparse
import sys
from pathlib import Path

from dawnchorus.cli import run
from dawnchorus.errors import InputError
from dawnchorus.workflow.verify import verify


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=Path(), help="the project's folder")
    arguments = parser.parse_args()
    found = verify(arguments.root)
    if found.changed:
        print(f"changed, as `dvc status` says too, and left alone: {', '.join(found.changed)}", file=sys.stderr)
    if found.damaged:
        raise InputError(
            "\n".join([
                f"{len(found.damaged)} of {found.n_files} files were damaged and are removed; the next run of "
                "`snakemake` or `dvc repro` restores what DVC's cache holds, and computes only the rest",
                *found.damaged,
            ])
        )  # fmt: skip
    print(f"{found.n_files} files of the outputs and of DVC's cache are undamaged.")


if __name__ == "__main__":
    run(main)
