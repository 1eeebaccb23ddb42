"""Fetch the pretrained weights of a backbone, once for all folds."""

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
    parser.add_argument("--output", type=Path, required=True, help="output folder: backbone.weights.h5, or empty")
    arguments = parser.parse_args()
    source = pretrained_source(load_params(arguments.params).train.pretrained, arguments.backbone)
    with replacing(arguments.output) as folder:
        folder.mkdir()
        if source != "none":
            # TensorFlow is slow to import, so import it only if there is something to fetch.
            from dawnchorus.models.pretrained import fetch_pretrained

            fetch_pretrained(arguments.backbone, source).save_weights(folder / "backbone.weights.h5")


if __name__ == "__main__":
    run(main)
