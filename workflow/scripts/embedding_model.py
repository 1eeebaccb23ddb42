"""Write the hash of an embedding's model, so that recordings are embedded anew if it changes, and only then."""

import argparse
from pathlib import Path

from dawnchorus.cli import run
from dawnchorus.config.loading import load_params
from dawnchorus.features.embedders import model_digest
from dawnchorus.files import replacing


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--embedding", required=True, help="name of the embedding")
    parser.add_argument("--output", type=Path, required=True, help="output: a text file")
    arguments = parser.parse_args()
    settings = load_params(arguments.params).features[arguments.embedding]
    with replacing(arguments.output) as path:
        path.write_text(f"{model_digest(settings)}\n")


if __name__ == "__main__":
    run(main)
