"""A model bundle with untrained members, which score noise anyhow, for tests of what reads bundles."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from dawnchorus.config.model import ModelSettings
from dawnchorus.config.params import Params
from dawnchorus.inference.calibration import Calibration
from dawnchorus.inference.threshold_tables import write_thresholds
from dawnchorus.inference.thresholds import WindowModel
from dawnchorus.models.building import build_models
from dawnchorus.models.bundle import THRESHOLDS, Member, Species, write_bundle
from dawnchorus.models.shapes import Shapes

SPECIES = [
    Species(species="BTNW", scientific_name="Setophaga virens", common_name="Black-throated Green Warbler"),
    Species(species="häh", scientific_name="", common_name=""),
]


def settings_of(params: Params) -> ModelSettings:
    """The settings of a model that is trained with these parameters."""
    return ModelSettings(
        spectrogram=params.spectrogram, window=params.window, image=params.image, head=params.head,
        predict=params.predict, detect=params.detect, channel=params.data.channel,
    )  # fmt: skip


def make_bundle(folder: Path, params: Params, threshold: float = 0.5) -> Path:
    """Write a bundle of two members into a new folder; the second species has no threshold."""
    work = folder.with_name(f"{folder.name}.work")
    work.mkdir()
    members = {}
    for fold in (0, 1):
        scorer, _ = build_models("small_cnn", Shapes.of(params), len(SPECIES), 0.0, fold)
        path = work / f"{fold}.weights.h5"
        scorer.save_weights(path)
        members[path] = Member(backbone="small_cnn", fold=fold, weight=0.5)
    model = WindowModel(Calibration(np.array([1.2, 1.0]), np.array([0.5, 0.0])), np.array([0.1, np.nan]))
    table = pd.DataFrame({
        "species": [each.species for each in SPECIES], "threshold": [threshold, np.nan], "prevalence": model.prevalence,
        "probability": [0.7, np.nan], "precision": [0.9, np.nan], "precision_low": [0.8, np.nan],
        "windows_above": [5, 0], "present_boxes": [12, 0], "present_recordings": [9, 0], "absent_boxes": [8, 0],
        "complete_recordings": [0, 0],
        "no_promise": ["", "no present box"],
    })  # fmt: skip
    write_thresholds(work / THRESHOLDS, model, table)
    (work / "figures.json").write_text(json.dumps({}))
    folder.mkdir()
    write_bundle(
        folder, settings_of(params), SPECIES, "", members,
        {THRESHOLDS: work / THRESHOLDS, "figures.json": work / "figures.json"}, "# A model\n", {},
    )  # fmt: skip
    return folder
