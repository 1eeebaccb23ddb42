"""Embed the windows of every usable recording of a split with a frozen model."""

import argparse
from pathlib import Path

from dawnchorus.cli import run
from dawnchorus.config.loading import load_params
from dawnchorus.data.sounds import read_sounds
from dawnchorus.files import replacing
from dawnchorus.workflow.embedding import embed_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--recordings", type=Path, required=True, help="table of the recordings of the split")
    parser.add_argument("--embedding", required=True, help="name of the embedding")
    parser.add_argument("--output", type=Path, required=True, help="output folder; an existing one is replaced")
    arguments = parser.parse_args()
    params = load_params(arguments.params)
    table = read_sounds(arguments.recordings)
    split = arguments.output.name
    unfinished = arguments.output.with_name(f".unfinished-{split}")
    with replacing(arguments.output) as folder:
        folder.mkdir()
        embed_table(
            table, params, arguments.embedding, folder, unfinished, f"{split} recordings embedded",
            skip_bad=False,
        )  # fmt: skip


if __name__ == "__main__":
    run(main)
