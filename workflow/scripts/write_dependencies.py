"""Write each stage's code dependencies into the `dvc.yaml` files."""

import argparse
import sys
from pathlib import Path

from dawnchorus.cli import run
from dawnchorus.files import replacing
from dawnchorus.workflow.dependencies import DVC_FILES, with_dependencies


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=Path(), help="the project's folder")
    arguments = parser.parse_args()
    for name in DVC_FILES:
        before = (arguments.root / name).read_text(encoding="utf-8")
        after = with_dependencies(arguments.root, before)
        if after != before:
            with replacing(arguments.root / name) as path:
                path.write_text(after, encoding="utf-8")
        print(f"{name}: {'written' if after != before else 'unchanged'}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
