"""Check the tables of a data set and decode all of its audio, before anything is computed from them."""

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from dawnchorus.cli import run
from dawnchorus.config.loading import load_params
from dawnchorus.data.formats.rfcx import read_both_annotations, read_truth, recording_groups
from dawnchorus.data.quality import add_duplicates, add_labels_past_the_end, as_table, inspect, summary
from dawnchorus.data.recordings import list_recordings, require_recordings
from dawnchorus.data.score_tables import read_scores
from dawnchorus.errors import InputError
from dawnchorus.files import replacing
from dawnchorus.progress import track
from dawnchorus.workflow.cores import cores

MOST_SHOWN = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data set")
    parser.add_argument("--audio", type=Path, required=True, help="output: a row for each recording")
    parser.add_argument("--recordings", type=Path, required=True, help="output folder: usable ones, {train,test}.csv")
    arguments = parser.parse_args()
    params, data = load_params(arguments.params), arguments.data

    sample = read_scores(data / "sample_submission.csv")
    group = params.split.group
    tp, fp = read_both_annotations(data, sample.shape[1], group)
    tables = {"train_tp.csv": tp, "train_fp.csv": fp}
    if group is not None:
        recording_groups({data / name: table for name, table in tables.items()}, group)
    files = {split: list_recordings(data / split) for split in ("train", "test")}
    for name, table in tables.items():
        require_recordings(data / name, table.recording_id, files["train"], data / "train")
    ids = sample.index.to_series(index=range(len(sample)))
    require_recordings(data / "sample_submission.csv", ids, files["test"], data / "test")
    truth = data / "truth_test.csv"
    if truth.exists():
        read_truth(truth, list(sample.columns), list(sample.index))
    paths = [path for split in files.values() for path in split.values()]
    look = partial(inspect, sample_rate=params.spectrogram.sample_rate, window_seconds=params.window.seconds)
    with ProcessPoolExecutor(cores()) as pool:
        looked = list(track(pool.map(look, paths, chunksize=4), len(paths), "recordings checked"))
    add_duplicates(looked)
    by_path = {one.path: one for one in looked}
    inspections = {
        split: {recording_id: by_path[path] for recording_id, path in found.items()} for split, found in files.items()
    }
    add_labels_past_the_end(inspections["train"], tables)

    print(summary(inspections), file=sys.stderr)
    bad = [one for one in looked if one.faults]
    if bad and params.data.bad_audio == "stop":
        shown = [f"{one.path}: {'; '.join(one.faults)}" for one in bad[:MOST_SHOWN]]
        more = [f"... and {len(bad) - MOST_SHOWN} more"] if len(bad) > MOST_SHOWN else []
        remedy = "mend or remove them, or set data.bad_audio in params.yaml to skip"
        raise InputError("\n".join([f"{len(bad)} recordings cannot be used; {remedy}", *shown, *more]))
    table = as_table(inspections)
    lists = {
        split: table[(table.split == split) & (table.usable == 1)].set_index("recording_id")[["file", "same_as"]]
        for split in files
    }
    # In the submission's order, and without files that it does not ask for.
    lists["test"] = lists["test"].loc[[name for name in sample.index if name in lists["test"].index]]
    for split, rows in lists.items():
        if rows.empty:
            raise InputError(f"{data / split}: none of its recordings that are wanted can be used")
    if truth.exists():
        # Without those that are skipped.
        read_truth(truth, list(sample.columns), list(lists["test"].index))
    for split, rows in lists.items():
        with replacing(arguments.recordings / f"{split}.csv") as path:
            rows.to_csv(path)
    with replacing(arguments.audio) as path:
        table.to_csv(path, index=False)


if __name__ == "__main__":
    run(main)
