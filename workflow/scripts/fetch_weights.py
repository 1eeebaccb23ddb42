"""Fetch the weights that a backbone starts from, once for all folds."""

import argparse
from pathlib import Path

from dawnchorus.cli import run
from dawnchorus.config.loading import load_params
from dawnchorus.config.train import pretrained_source
from dawnchorus.files import replacing


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--backbone", required=True)
    parser.add_argument("--output", type=Path, required=True, help="folder: backbone.weights.h5, or empty for none")
    arguments = parser.parse_args()
    source = pretrained_source(load_params(arguments.params).train.pretrained, arguments.backbone)
    with replacing(arguments.output) as folder:
        folder.mkdir()
        if source != "none":
            # Where there is nothing to fetch, TensorFlow is not worth waiting for.
            from dawnchorus.models.pretrained import fetch_pretrained

            fetch_pretrained(arguments.backbone, source).save_weights(folder / "backbone.weights.h5")


if __name__ == "__main__":
    run(main)
