"""Split recordings by their use, and annotated and unlabelled ones into folds."""

import argparse
import sys
from pathlib import Path

import pandas as pd

from dawnchorus.cli import run
from dawnchorus.config.loading import load_params
from dawnchorus.data.annotations import read_annotations
from dawnchorus.data.complete import read_complete
from dawnchorus.data.folds import count_rows, fold_report, notebook_split, rare_species, stratified_split
from dawnchorus.data.recordings import read_recordings, write_recordings
from dawnchorus.data.sounds import write_sounds
from dawnchorus.data.species import read_species
from dawnchorus.data.splits import (
    TEST,
    TRAIN,
    UNLABELLED,
    annotated_recordings,
    folds_of_unlabelled,
    test_recordings,
    units,
    unlabelled_recordings,
)
from dawnchorus.files import replacing


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--recordings", type=Path, required=True)
    parser.add_argument("--annotations", type=Path, required=True)
    parser.add_argument("--species", type=Path, required=True)
    parser.add_argument("--complete", type=Path, required=True)
    parser.add_argument("--folds", type=Path, required=True, help="output: recording_id,fold")
    parser.add_argument("--report", type=Path, required=True, help="output: a row for each fold")
    parser.add_argument("--fold-species", type=Path, required=True, help="output: number of rows per species and fold")
    parser.add_argument("--splits", type=Path, required=True, help="output folder: {train,test}.csv")
    parser.add_argument("--sounds", type=Path, required=True, help="output folder: {train,test,unlabelled}.csv")
    arguments = parser.parse_args()
    params = load_params(arguments.params)

    species = read_species(arguments.species)
    recordings, annotations = read_recordings(arguments.recordings), read_annotations(arguments.annotations, species)
    complete = read_complete(arguments.complete, species)
    annotated = annotated_recordings(recordings, annotations, complete)
    usable = annotated[annotated.usable]
    annotations = annotations[annotations.recording_id.isin(usable.index)]
    tp, fp = annotations[annotations.is_tp], annotations[~annotations.is_tp]
    if params.split.method == "notebook":
        fold_of_row = notebook_split(tp, len(params.folds))
        folds = fold_of_row.groupby(tp.recording_id).unique().explode().astype(int).rename("fold")
    else:
        silent = usable.index[~usable.index.isin(annotations.recording_id)]
        folds = stratified_split(tp, fp, len(params.folds), params.seed, units(usable), silent)
        fold_of_row = tp.recording_id.map(folds)
        spread = pd.crosstab(tp.species_id, fold_of_row)
        widest = (spread.max(axis=1) - spread.min(axis=1)).max()
        print(f"the number of present boxes of a species differs by at most {widest} between folds", file=sys.stderr)
    rare = rare_species(tp, len(params.folds), species)
    if rare:
        print(
            "present in fewer recordings than there are folds, so some folds validate none of their calls or train "
            f"on none: {', '.join(rare)}",
            file=sys.stderr,
        )
    unlabelled = unlabelled_recordings(recordings, annotations, complete)
    fold = folds_of_unlabelled(usable, unlabelled, folds, len(params.folds), params.seed)
    splits = {TRAIN: annotated, TEST: test_recordings(recordings)}
    report = fold_report(tp, fold_of_row, folds)
    print(report.to_string(index=False), file=sys.stderr)
    print(f"{(fold_of_row < 0).sum()} present boxes are never validated", file=sys.stderr)
    with replacing(arguments.folds) as path:
        folds.to_csv(path)
    with replacing(arguments.report) as path:
        report.to_csv(path, index=False)
    with replacing(arguments.fold_species) as path:
        count_rows(tp, fp, fold_of_row, species).to_csv(path, index=False)
    with replacing(arguments.splits) as folder:
        folder.mkdir()
        for name, table in splits.items():
            write_recordings(folder / f"{name}.csv", table)
    with replacing(arguments.sounds) as folder:
        folder.mkdir()
        for name, table in splits.items():
            write_sounds(folder / f"{name}.csv", table)
        write_sounds(folder / f"{UNLABELLED}.csv", unlabelled.assign(fold=fold), ["fold"])


if __name__ == "__main__":
    run(main)
