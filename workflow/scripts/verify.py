"""Rehash all outputs and DVC's cache, and remove files that changed while their time stamps did not."""

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
        print(f"changed, as `dvc status` also reports, and left alone: {', '.join(found.changed)}", file=sys.stderr)
    if found.copied:
        print(f"copied to DVC's cache, which did not have them: {', '.join(found.copied)}", file=sys.stderr)
    if found.damaged:
        raise InputError(
            "\n".join([
                f"{len(found.damaged)} of {found.n_files} files were damaged and have been removed; the next run "
                "of `snakemake` or `dvc repro` restores what is in DVC's cache and computes only the rest",
                *found.damaged,
            ])
        )  # fmt: skip
    print(f"{found.n_files} files in outputs and DVC's cache are undamaged.")


if __name__ == "__main__":
    run(main)
