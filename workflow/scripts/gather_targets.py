"""Average what a round's models say of the recordings that they were not trained on: targets of a later round."""

import argparse
from pathlib import Path

from numpy.typing import NDArray

from dawnchorus.cli import run
from dawnchorus.config.loading import load_params
from dawnchorus.files import replacing
from dawnchorus.training.pseudo_labels import average, write_pseudo_labels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--scores", type=Path, required=True, help="folder with <backbone>/<fold>/<recording_id>.npy")
    parser.add_argument("--output", type=Path, required=True, help="output folder: <recording_id>.npy and the weight")
    arguments = parser.parse_args()
    params = load_params(arguments.params)
    with replacing(arguments.output) as folder:
        folder.mkdir()
        scores: dict[str, NDArray] = {}
        for fold in params.folds:
            scores |= average([arguments.scores / backbone / str(fold) for backbone in params.backbones])
        write_pseudo_labels(folder, scores, params.teacher_weight)


if __name__ == "__main__":
    run(main)
