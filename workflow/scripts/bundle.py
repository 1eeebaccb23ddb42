"""Write the model bundle: all that the ensemble needs to score recordings anywhere."""

import argparse
import json
from pathlib import Path

import pandas as pd

from dawnchorus.cli import run
from dawnchorus.config.loading import load_params
from dawnchorus.config.model import ModelSettings
from dawnchorus.config.names import STUDENT
from dawnchorus.data.recordings import read_recordings
from dawnchorus.data.species import read_species_names
from dawnchorus.data.splits import TRAIN
from dawnchorus.features.embedders import model_digest
from dawnchorus.files import replacing
from dawnchorus.inference.ensemble import read_weights
from dawnchorus.inference.predictions import LITE_NETWORK
from dawnchorus.inference.reliability_tables import read_reliability
from dawnchorus.inference.threshold_tables import read_thresholds
from dawnchorus.models.bundle import (
    STUDENT_THRESHOLDS,
    STUDENT_WEIGHTS,
    THRESHOLDS,
    Member,
    Species,
    write_bundle,
)
from dawnchorus.reporting.model_card import model_card
from dawnchorus.reporting.provenance import hash_of_data


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--species", type=Path, required=True)
    parser.add_argument("--splits", type=Path, required=True, help="folder with train.csv")
    parser.add_argument("--models", type=Path, required=True, help="folder with <round>/<backbone>/<fold>.weights.h5")
    parser.add_argument("--predictions", type=Path, required=True, help="folder with <round>/<backbone>/<fold>/")
    parser.add_argument("--thresholds", type=Path, required=True)
    parser.add_argument("--figures", type=Path, required=True)
    parser.add_argument("--species-metrics", type=Path, required=True)
    parser.add_argument("--reliability", type=Path, required=True)
    parser.add_argument("--lock", type=Path, required=True, help="dvc.lock, which has the hash of the data set")
    parser.add_argument("--output", type=Path, required=True, help="output folder")
    arguments = parser.parse_args()
    params = load_params(arguments.params)

    last = params.rounds[-1].id
    weights = read_weights(arguments.predictions / last, params.members, params.folds, params.ensemble.weights)
    models = [
        Member(backbone=name, fold=fold, weight=weight / len(params.folds), is_head=name in params.embeddings)
        for name, weight in weights.items()
        for fold in params.folds
    ]
    members = {
        arguments.models / last / each.backbone / Path(each.file).name.removeprefix(f"{each.backbone}-"): each
        for each in models
    }
    features = {name: params.features[name] for name in params.embeddings}
    settings = ModelSettings(
        spectrogram=params.spectrogram, features=features, window=params.window, image=params.image, head=params.head,
        predict=params.predict, detect=params.detect, channel=params.data.channel,
    )  # fmt: skip
    # Codes may look like numbers, or like missing values.
    species_metrics = pd.read_csv(
        arguments.species_metrics, dtype={"species": str}, keep_default_na=False, na_values={"average_precision": [""]}
    )
    names = read_species_names(arguments.species)
    species = [Species.model_validate(row) for row in names.to_dict("records")]
    files = {
        THRESHOLDS: arguments.thresholds,
        "figures.json": arguments.figures,
        "species_metrics.csv": arguments.species_metrics,
        "reliability.csv": arguments.reliability,
    }
    for each in models:
        lite_network = arguments.predictions / last / each.backbone / str(each.fold) / LITE_NETWORK
        # predict says why a network has none.
        if lite_network.exists():
            files[each.lite_file] = lite_network
    student, student_figures = next(iter(params.student), None), {}
    if student is not None:
        beside = arguments.models / last / STUDENT
        files[STUDENT_WEIGHTS] = beside / f"{student}.weights.h5"
        files[STUDENT_THRESHOLDS] = beside / f"{student}.thresholds.csv"
        student_figures = json.loads((beside / f"{student}.metrics.json").read_text())
    card = model_card(
        params, species, list(members.values()), read_thresholds(arguments.thresholds, list(names.species))[1],
        species_metrics, json.loads(arguments.figures.read_text()),
        read_reliability(arguments.reliability), read_recordings(arguments.splits / f"{TRAIN}.csv"),
        student_figures,
    )  # fmt: skip
    data = hash_of_data(arguments.lock, params.data.root) or ""
    with replacing(arguments.output) as folder:
        folder.mkdir()
        write_bundle(
            folder, settings, species, data, members, files, card,
            {name: model_digest(each) for name, each in features.items()}, student,
        )  # fmt: skip


if __name__ == "__main__":
    run(main)
