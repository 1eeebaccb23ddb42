"""Split the annotated recordings into folds, and count each species' rows."""

import argparse
from pathlib import Path

from dawnchorus.audio import list_recordings
from dawnchorus.files import replacing
from dawnchorus.folds import assign_folds, count_rows
from dawnchorus.params import load_params
from dawnchorus.script import run
from dawnchorus.tables import read_annotations, read_scores, require_recordings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data set")
    parser.add_argument("--folds", type=Path, required=True, help="output: recording_id,fold")
    parser.add_argument("--species", type=Path, required=True, help="output: rows of each species by fold")
    arguments = parser.parse_args()
    params = load_params(arguments.params)

    data = arguments.data
    sample = read_scores(data / "sample_submission.csv")
    n_species = sample.shape[1]
    tp, fp = (read_annotations(data / f"train_{kind}.csv", n_species) for kind in ("tp", "fp"))
    for name, recordings, folder in (
        ("train_tp.csv", tp.recording_id, data / "train"),
        ("train_fp.csv", fp.recording_id, data / "train"),
        # Found here, and not after hours of training.
        ("sample_submission.csv", sample.index.to_series(index=range(len(sample))), data / "test"),
    ):
        require_recordings(data / name, recordings, list_recordings(folder), folder)
    folds = assign_folds(tp, fp, len(params.folds), params.seed)
    with replacing(arguments.folds) as path:
        folds.to_csv(path)
    with replacing(arguments.species) as path:
        count_rows(tp, fp, folds, n_species).to_csv(path, index=False)


if __name__ == "__main__":
    run(main)
