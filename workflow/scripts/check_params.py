"""Validate params.yaml and remove predictions and teachers' scores of models that it no longer names.

Every other stage depends on the constant that this one writes.
"""

import argparse
from pathlib import Path

from dawnchorus.cli import run
from dawnchorus.config.loading import load_params
from dawnchorus.files import replacing
from dawnchorus.models.declarations import require_backbones
from dawnchorus.workflow.prune import prune


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--predictions", type=Path, required=True, help="folder with <backbone>/<fold>/")
    parser.add_argument("--teachers", type=Path, required=True, help="folder with <round>/<backbone>/<fold>/")
    parser.add_argument("--output", type=Path, required=True, help="written when the parameters are valid")
    arguments = parser.parse_args()
    params = load_params(arguments.params)
    require_backbones(params)
    for folder in (arguments.predictions, *(arguments.teachers / each.id for each in params.teachers)):
        prune(folder, params.backbones, params.folds)
    with replacing(arguments.output) as path:
        path.write_text("The parameters are valid.\n")


if __name__ == "__main__":
    run(main)
