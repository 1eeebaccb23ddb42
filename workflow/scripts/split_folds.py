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

    n_species = read_scores(arguments.data / "sample_submission.csv").shape[1]
    recordings = list_recordings(arguments.data / "train")
    tp, fp = (read_annotations(arguments.data / f"train_{kind}.csv", n_species) for kind in ("tp", "fp"))
    for name, table in (("train_tp.csv", tp), ("train_fp.csv", fp)):
        require_recordings(arguments.data / name, table.recording_id, recordings, arguments.data / "train")
    folds = assign_folds(tp, fp, len(params.folds), params.seed)
    with replacing(arguments.folds) as path:
        folds.to_csv(path)
    with replacing(arguments.species) as path:
        count_rows(tp, fp, folds, n_species).to_csv(path, index=False)


if __name__ == "__main__":
    run(main)
