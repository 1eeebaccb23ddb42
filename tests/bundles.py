"""A model bundle with untrained members, which score noise anyhow, for tests of what reads bundles."""

import hashlib
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import keras
import numpy as np
import pandas as pd

from dawnchorus.config.features import Embedding
from dawnchorus.config.model import ModelSettings
from dawnchorus.config.params import Params
from dawnchorus.export.networks import write_lite_network
from dawnchorus.features.embedders import model_digest
from dawnchorus.inference.calibration import Calibration
from dawnchorus.inference.threshold_tables import write_thresholds
from dawnchorus.inference.thresholds import WindowModel
from dawnchorus.models.building import build_models
from dawnchorus.models.bundle import STUDENT_THRESHOLDS, STUDENT_WEIGHTS, THRESHOLDS, Member, Species, write_bundle
from dawnchorus.models.linear_head import LinearHead, write_head
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


def make_bundle(
    folder: Path,
    params: Params,
    threshold: float = 0.5,
    species: Sequence[Species] = SPECIES,
    backbone: str = "small_cnn",
    student: str | None = None,
    has_lite_files: bool = True,
) -> Path:
    """Write a bundle of two members into a new folder; only the first species has a threshold and a probability."""
    work = folder.with_name(f"{folder.name}.work")
    work.mkdir()
    members = {}
    for fold in (0, 1):
        path = work / f"{fold}.weights.h5"
        _network(backbone, settings_of(params), len(species), fold).save_weights(path)
        members[path] = Member(backbone=backbone, fold=fold, weight=0.5)
    unknown = len(species) - 1
    model = WindowModel(
        Calibration(np.array([1.2, *[1.0] * unknown]), np.array([0.5, *[0.0] * unknown])),
        np.array([0.1, *[np.nan] * unknown]),
    )

    def write(path: Path, threshold: float) -> None:
        known = {"threshold": threshold, "probability": 0.7, "precision": 0.9, "precision_low": 0.8}
        counts = {"windows_above": 5, "present_boxes": 12, "present_recordings": 9, "absent_boxes": 8}
        table = pd.DataFrame({
            "species": [each.species for each in species], "prevalence": model.prevalence,
            **{name: [value, *[np.nan] * unknown] for name, value in known.items()},
            **{name: [value, *[0] * unknown] for name, value in counts.items()},
            "complete_recordings": 0, "no_promise": ["", *["no present box"] * unknown],
        })  # fmt: skip
        write_thresholds(path, model, table)

    write(work / THRESHOLDS, threshold)
    (work / "figures.json").write_text(json.dumps({}))
    files = {THRESHOLDS: work / THRESHOLDS, "figures.json": work / "figures.json"}
    if has_lite_files:
        for name, content in _lite_networks(backbone, settings_of(params).model_dump_json(), len(species)).items():
            files[name] = work / Path(name).name
            files[name].write_bytes(content)
    if student is not None:
        _network(student, settings_of(params), len(species), 2).save_weights(work / STUDENT_WEIGHTS)
        write(work / STUDENT_THRESHOLDS, threshold / 2)
        files |= {name: work / name for name in (STUDENT_WEIGHTS, STUDENT_THRESHOLDS)}
    folder.mkdir()
    write_bundle(folder, settings_of(params), species, "", members, files, "# A model\n", {}, student)
    return folder


def forget_file(folder: Path, name: str) -> None:
    """Remove a file from a bundle that may be without it."""
    path = folder / "model.json"
    content = json.loads(path.read_text())
    del content["files"][name]
    path.write_text(json.dumps(content))
    (folder / name).unlink()


def add_heads(folder: Path, settings: Embedding, n_channels: int, scale: float = 9) -> list[LinearHead]:
    """Add two heads on an embedding to a bundle of `make_bundle`, so that each member has a quarter of the weight."""
    rng = np.random.default_rng(1)
    path = folder / "model.json"
    content = json.loads(path.read_text())
    n_species = len(content["species"])
    heads = [
        LinearHead(rng.normal(0, scale, (n_channels, n_species)).astype(np.float32), np.zeros(n_species, np.float32))
        for _ in range(2)
    ]
    name = "birdnet" if settings.model == "birdnet" else "tiny"
    for member in content["members"]:
        member["weight"] = 0.25
    content["settings"]["features"] = {name: settings.model_dump()}
    content["embeddings"] = {name: model_digest(settings)}
    for fold, head in enumerate(heads):
        member = Member(backbone=name, fold=fold, weight=0.25, is_head=True)
        write_head(folder / member.file, head)
        content["members"].append(member.model_dump())
        content["files"][member.file] = hashlib.sha256((folder / member.file).read_bytes()).hexdigest()
    path.write_text(json.dumps(content))
    return heads


@cache
def _lite_networks(backbone: str, settings: str, n_species: int) -> dict[str, bytes]:
    """The LiteRT files of the two members by their names in a bundle; a conversion takes longer than most tests."""
    found = {}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "network.tflite"
        for fold in (0, 1):
            network = _network(backbone, ModelSettings.model_validate_json(settings), n_species, fold)
            write_lite_network(network, f"{backbone}-{fold}", path)
            found[Member(backbone=backbone, fold=fold, weight=0.5).lite_file] = path.read_bytes()
    return found


def _network(backbone: str, settings: ModelSettings, n_species: int, seed: int) -> keras.Model:
    """An untrained network."""
    return build_models(
        backbone, Shapes.of(settings), n_species, 0.0, seed, settings.image.frequency_channel, settings.head.pooling,
        settings.head.frame_weight > 0,
    )[0]  # fmt: skip
