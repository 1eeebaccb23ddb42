"""Find detections in the test recordings, or if there are none in the annotated ones, by the ensemble's window scores.

Annotated recordings are scored out of fold, by models that were not trained on them.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from dawnchorus.cli import run
from dawnchorus.config.loading import load_params
from dawnchorus.data.formats import raven
from dawnchorus.data.recordings import read_recordings
from dawnchorus.data.sites import find_sites
from dawnchorus.data.species import read_species_names
from dawnchorus.data.splits import TEST, TRAIN
from dawnchorus.features.frames import to_frames, to_seconds
from dawnchorus.files import replacing
from dawnchorus.inference.detection_files import as_labels, rounded
from dawnchorus.inference.detections import COLUMNS, Detector
from dawnchorus.inference.ensemble import collect_windows, read_weights
from dawnchorus.inference.journal import Scored
from dawnchorus.inference.threshold_tables import read_thresholds
from dawnchorus.models.bundle import Species


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--species", type=Path, required=True)
    parser.add_argument("--splits", type=Path, required=True, help="folder with train.csv and test.csv")
    parser.add_argument("--predictions", type=Path, required=True, help="folder with <round>/<backbone>/<fold>/")
    parser.add_argument("--thresholds", type=Path, required=True)
    parser.add_argument("--detections", type=Path, required=True, help="output: a row for each detection")
    parser.add_argument("--raven", type=Path, required=True, help="output folder: a selection table for each recording")
    arguments = parser.parse_args()
    params = load_params(arguments.params)

    names = read_species_names(arguments.species)
    codes = list(names.species)
    folder = arguments.predictions / params.rounds[-1].id
    windows = collect_windows(
        folder, read_weights(folder, params.members, params.folds, params.ensemble.weights), params.folds, codes
    )
    has_test = len(windows.test.scores) > 0
    scored = windows.test if has_test else windows.oof
    recordings = read_recordings(arguments.splits / f"{TEST if has_test else TRAIN}.csv").loc[scored.recording_ids]
    probabilities, thresholds = read_thresholds(arguments.thresholds, codes)
    detector = Detector(
        [Species.model_validate(row) for row in names.to_dict("records")], probabilities,
        thresholds.threshold.to_numpy(), params.detect.precision,
        to_seconds(to_frames(params.window.seconds, params.spectrogram), params.spectrogram),
        params.detect.gap_seconds, params.detect.min_seconds,
    )  # fmt: skip
    channel = 0 if params.data.channel == "mean" else params.data.channel
    sites = find_sites({"": recordings.index}, params.data.site_pattern)[""]
    found = [pd.DataFrame(columns=COLUMNS)]
    for row, first, last in zip(recordings.itertuples(), scored.edges[:-1], scored.edges[1:], strict=True):
        part = Scored(
            row.seconds, int(row.sample_rate), int(row.channels), row.start, np.full(last - first, channel),
            scored.starts[first:last], scored.scores[first:last],
        )  # fmt: skip
        found.append(detector.detections(row.Index, sites[row.Index], Path(row.file), part))
    detections = rounded(pd.concat([table for table in found if len(table)] or found, ignore_index=True))
    with replacing(arguments.detections) as path:
        detections.to_csv(path, index=False, float_format="%.10g")
    table = recordings.assign(
        sample_rate=recordings.sample_rate.astype(float), channels=recordings.channels.astype(int)
    )
    with replacing(arguments.raven) as output:
        output.mkdir()
        raven.write_labels(output, as_labels(detections), table)


if __name__ == "__main__":
    run(main)
