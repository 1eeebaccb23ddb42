"""Score recordings that a linear head was not trained on, from their embeddings; see predict.py."""

import argparse
from pathlib import Path

import numpy as np
import threadpoolctl

from dawnchorus.cli import run
from dawnchorus.config.loading import load_params
from dawnchorus.data.annotations import labelled_boxes, read_annotations
from dawnchorus.data.fold_table import read_folds
from dawnchorus.data.sounds import read_sounds
from dawnchorus.data.species import read_species
from dawnchorus.data.splits import TEST, TRAIN, UNLABELLED
from dawnchorus.features.embeddings import read_embeddings
from dawnchorus.features.frames import to_frames, to_seconds
from dawnchorus.files import replacing
from dawnchorus.inference.predictions import write_predictions
from dawnchorus.inference.window_scores import window_hop, write_window_scores
from dawnchorus.inference.window_tables import Windows
from dawnchorus.inference.windows import tile
from dawnchorus.models.linear_head import read_head
from dawnchorus.reporting.provenance import files_below, note_job
from dawnchorus.training.pseudo_labels import interpolate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--annotations", type=Path, required=True)
    parser.add_argument("--folds", type=Path, required=True)
    parser.add_argument("--species", type=Path, required=True)
    parser.add_argument("--test", type=Path, required=True, help="table of the usable test recordings")
    parser.add_argument("--embeddings", type=Path, required=True, help="with train/, test/ and unlabelled/<fold>/")
    parser.add_argument("--head", type=Path, required=True)
    parser.add_argument("--round", required=True, help="id of the head's round")
    parser.add_argument("--first-round", required=True, help="id of the round without pseudo-labels")
    parser.add_argument("--last-round", required=True, help="id of the round that is evaluated")
    parser.add_argument("--embedding", required=True, help="name of the embedding")
    parser.add_argument("--fold", type=int, required=True, help="the fold that the head was not trained on")
    parser.add_argument("--output", type=Path, required=True, help="output folder")
    parser.add_argument("--supervised", type=Path, required=True, help="output folder for the first of several rounds")
    parser.add_argument("--provenance", type=Path, required=True, help="folder of the jobs' provenance notes")
    arguments = parser.parse_args()
    params = load_params(arguments.params)
    threadpoolctl.threadpool_limits(params.train.threads)

    species = read_species(arguments.species)
    folds = read_folds(arguments.folds)
    left_out = list(folds.index[folds == arguments.fold])
    length = to_frames(params.window.seconds, params.spectrogram)
    second = to_seconds(1, params.spectrogram)
    head = read_head(arguments.head, len(species))
    is_last = arguments.round == arguments.last_round
    with replacing(arguments.output) as folder, replacing(arguments.supervised) as supervised:
        folder.mkdir()
        supervised.mkdir()
        if is_last or arguments.round == arguments.first_round:

            def score(split: str, recordings: list[str]) -> Windows:
                begins, scores = [], []
                # The vectors of all recordings at once would take much memory.
                for name in recordings:
                    starts, vectors = read_embeddings(arguments.embeddings / split / f"{name}.npz")
                    begins.append(starts * second)
                    scores.append(head.scores(vectors))
                return Windows.of(recordings, begins, scores, len(species))

            test = read_sounds(arguments.test)
            boxes = labelled_boxes(read_annotations(arguments.annotations, species), set(left_out))
            write_predictions(
                folder if is_last else supervised, score(TEST, list(test.index)), score(TRAIN, left_out),
                boxes, length * second, params.labels.min_overlap, species,
            )  # fmt: skip
        if not is_last or params.student:
            hop = min(length, to_frames(params.predict.hop_seconds, params.spectrogram))
            unlabelled = arguments.embeddings / UNLABELLED / str(arguments.fold)
            files = {name: arguments.embeddings / TRAIN / f"{name}.npz" for name in left_out}
            files |= {
                path.relative_to(unlabelled).with_suffix("").as_posix(): path
                for path in sorted(unlabelled.rglob("*.npz"))
            }
            for name, path in files.items():
                starts, vectors = read_embeddings(path)
                # Pseudo-labels are of windows that lie closer.
                wanted = tile(int(starts[-1]) + length, length, window_hop(length))
                zeros = np.zeros(len(wanted), int)
                found = interpolate(head.scores(vectors), zeros, wanted, zeros + starts[-1], hop)
                write_window_scores(folder, {name: found})
    note_job(
        arguments.provenance, f"predict_head@{arguments.round}-{arguments.embedding}-{arguments.fold}", "CPU",
        params.train.threads, inputs=[arguments.head], outputs=files_below(arguments.output),
    )  # fmt: skip


if __name__ == "__main__":
    run(main)
