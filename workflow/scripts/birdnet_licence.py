"""Check that BirdNET is installed, and print its licence; `make env BIRDNET=1` calls it."""

from dawnchorus.cli import run
from dawnchorus.config.features import BIRDNET, Embedding
from dawnchorus.features.embedders import BIRDNET_LICENCE, model_path


def main() -> None:
    model_path(Embedding(model=BIRDNET, sample_rate=48_000, seconds=3.0, output="embeddings"))
    print(BIRDNET_LICENCE)


if __name__ == "__main__":
    run(main)
