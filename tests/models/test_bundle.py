"""Model bundles: written, read back, copied, and damaged in every way that a file can be."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from bundles import SPECIES, make_bundle, settings_of

from dawnchorus.config.params import Params
from dawnchorus.errors import InputError
from dawnchorus.models.building import build_models
from dawnchorus.models.bundle import read_bundle
from dawnchorus.models.members import load_ensemble
from dawnchorus.models.shapes import Shapes


@pytest.fixture(scope="module")
def written(tiny: Params, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("bundle") / "model", tiny)


@pytest.fixture
def bundle(written: Path, tmp_path: Path) -> Path:
    return shutil.copytree(written, tmp_path / "copy")


def test_a_copied_bundle_scores_as_the_mean_of_its_members(bundle: Path, tiny: Params) -> None:
    found = read_bundle(bundle)
    assert found.codes == [each.species for each in SPECIES]
    assert found.info.settings == settings_of(tiny)
    shapes = Shapes.of(tiny)
    windows = np.random.default_rng(0).normal(-60, 9, (3, *shapes.window)).astype(np.float32)
    members = [build_models("small_cnn", shapes, 2, 0.0, seed)[0].predict_on_batch(windows) for seed in (0, 1)]
    assert not np.allclose(members[0], members[1])
    np.testing.assert_allclose(load_ensemble(found).predict_on_batch(windows), np.mean(members, axis=0), atol=1e-6)


@pytest.mark.parametrize("name", ["model.json", "thresholds.csv", "members/small_cnn-1.weights.h5", "README.md"])
def test_a_damaged_or_missing_file_is_named(bundle: Path, name: str) -> None:
    path = bundle / name
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2] + b"\xff" + content[len(content) // 2 + 1 :])
    with pytest.raises(InputError, match=rf"{name}: (is damaged or from another model|is not valid JSON)"):
        read_bundle(bundle)
    path.unlink()
    with pytest.raises(InputError, match=rf"{name}:? is missing"):
        read_bundle(bundle)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 4}, r"written by Dawnchorus '.*' in a newer format; update"),
        ({"species": 3}, r"species: Input should be a valid list"),
        ({"species": []}, "has no hash of any member"),
        ({"members": [{"backbone": "own", "fold": 0, "weight": 1.0}]}, "has no hash of members/own-0"),
        ({"files": {"../../secret": ""}}, r"found the file '../../secret', expected paths inside the model"),
        ({"student": "small_cnn"}, r"has no hash of student\.weights\.h5"),
        ({"extra": 1}, "extra: Extra inputs are not permitted"),
    ],
)
def test_a_foreign_description_is_refused(bundle: Path, change: dict, message: str) -> None:
    path = bundle / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(InputError, match=message):
        read_bundle(bundle)


def test_a_backbone_that_is_not_installed_is_named(bundle: Path) -> None:
    path, weights = bundle / "model.json", bundle / "members/small_cnn-0.weights.h5"
    content = json.loads(path.read_text())
    content["members"] = [{"backbone": "own", "fold": 0, "weight": 1.0}]
    content["files"]["members/own-0.weights.h5"] = content["files"]["members/small_cnn-0.weights.h5"]
    shutil.copyfile(weights, bundle / "members/own-0.weights.h5")
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match="needs the backbone own, which this installation"):
        read_bundle(bundle)


def test_another_folder_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is no model: model\.json is missing"):
        read_bundle(tmp_path)
