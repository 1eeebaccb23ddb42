"""Split the annotated recordings into folds, and count each species' rows and what leaks between folds."""

import argparse
import sys
from pathlib import Path

import pandas as pd

from dawnchorus.cli import run
from dawnchorus.config.loading import load_params
from dawnchorus.data.folds import count_rows, fold_report, notebook_split, stratified_split, together
from dawnchorus.data.formats.rfcx import read_both_annotations, recording_groups
from dawnchorus.data.recordings import read_recordings
from dawnchorus.data.score_tables import read_scores
from dawnchorus.files import replacing


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data set")
    parser.add_argument("--recordings", type=Path, required=True, help="the usable training recordings")
    parser.add_argument("--folds", type=Path, required=True, help="output: recording_id,fold")
    parser.add_argument("--report", type=Path, required=True, help="output: a row for each fold")
    parser.add_argument("--species", type=Path, required=True, help="output: rows of each species by fold")
    arguments = parser.parse_args()
    params, data = load_params(arguments.params), arguments.data

    n_species = read_scores(data / "sample_submission.csv").shape[1]
    usable = read_recordings(arguments.recordings)
    group = params.split.group
    tp, fp = (table[table.recording_id.isin(usable.index)] for table in read_both_annotations(data, n_species, group))
    if params.split.method == "notebook":
        fold_of_row = notebook_split(tp, len(params.folds))
        folds = fold_of_row.groupby(tp.recording_id).unique().explode().astype(int).rename("fold")
    else:
        # Copies of a recording stay in one fold.
        groupings = [usable.same_as]
        if group is not None:
            named = recording_groups({data / "train_tp.csv": tp, data / "train_fp.csv": fp}, group)
            groupings = [usable.same_as[named.index], named]
        folds = stratified_split(tp, fp, len(params.folds), params.seed, together(*groupings))
        fold_of_row = tp.recording_id.map(folds)
        spread = pd.crosstab(tp.species_id, fold_of_row)
        widest = (spread.max(axis=1) - spread.min(axis=1)).max()
        print(f"TP rows of a species differ by at most {widest} between folds", file=sys.stderr)
    report = fold_report(tp, fold_of_row, folds)
    print(report.to_string(index=False), file=sys.stderr)
    print(f"{(fold_of_row < 0).sum()} TP rows are never validated", file=sys.stderr)
    with replacing(arguments.folds) as path:
        folds.to_csv(path)
    with replacing(arguments.report) as path:
        report.to_csv(path, index=False)
    with replacing(arguments.species) as path:
        count_rows(tp, fp, fold_of_row, n_species).to_csv(path, index=False)


if __name__ == "__main__":
    run(main)
