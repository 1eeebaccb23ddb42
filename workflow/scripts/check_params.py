"""Validate params.yaml, and remove results of models that it no longer lists.

This stage writes a constant file. Every other stage depends on it, so none runs before the parameters are valid.
"""

import argparse
from pathlib import Path

from dawnchorus.cli import run
from dawnchorus.config.loading import load_params
from dawnchorus.features.embedding_checks import require_embeddings
from dawnchorus.files import replacing
from dawnchorus.models.declarations import require_backbones, require_backend
from dawnchorus.reporting.loggers import require_logger
from dawnchorus.workflow.experiments import require_folder
from dawnchorus.workflow.prune import prune


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--results", type=Path, required=True, help="folder of all results")
    parser.add_argument("--output", type=Path, required=True, help="output: written if the parameters are valid")
    arguments = parser.parse_args()
    params = load_params(arguments.params)
    require_backbones(params)
    require_embeddings(params)
    require_backend(params)
    require_logger(params)
    require_folder("data.root", params.data.root)
    require_folder("data.labels", params.data.labels)
    prune(arguments.results, [each.id for each in params.rounds], params.members, params.folds, params.student)
    with replacing(arguments.output) as path:
        path.write_text("The parameters are valid.\n")


if __name__ == "__main__":
    run(main)
