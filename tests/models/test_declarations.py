"""The declarations of backbones are read, and checked against the parameters, without importing Keras."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tiny import changed

from dawnchorus.config.params import Params
from dawnchorus.config.train import pretrained_source
from dawnchorus.errors import InputError
from dawnchorus.models import declarations
from dawnchorus.models.backbone import build_backbone
from dawnchorus.models.declarations import backbone_names, declaration, require_backbones


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        (
            {"backbones": ["small_cn"]},
            ["there is no backbone 'small_cn'", "small_cnn", "resnet", "a module that you add"],
        ),
        ({"backbones": ["inception"]}, ["backbones: inception", "75", "141 x 64"]),
        ({"image": {"mels": 20}}, ["backbones: small_cnn", "24", "x 20"]),
        (
            {"train": {"pretrained": "imagenet"}},
            ["train.pretrained: found imagenet for small_cnn", "{efficientnet: imagenet}", "inception, resnet only"],
        ),
        (
            {"train": {"pretrained": {"small_resnet": "inputs/{backbone}.h5"}}},
            ["train.pretrained: found inputs/small_resnet.h5 for small_resnet"],
        ),
        ({"train": {"pretrained": {"resnet50": "imagenet"}}}, ["train.pretrained: there is no backbone 'resnet50'"]),
    ],
)
def test_what_a_backbone_needs_is_checked(params: Params, changes: dict[str, Any], names: list[str]) -> None:
    with pytest.raises(InputError) as error:
        require_backbones(changed(params, changes))
    for name in names:
        assert name in str(error.value)


def test_pretrained_weights_can_differ_by_backbone(params: Params) -> None:
    mixed = {"backbones": ["small_cnn", "resnet", "inception"], "image": {"mels": 96}}
    sources = {"resnet": "imagenet", "inception": "inputs/{backbone}.h5", "efficientnet": "imagenet"}
    chosen = changed(params, mixed | {"train": {"pretrained": sources}})
    require_backbones(chosen)
    found = [pretrained_source(chosen.train.pretrained, name) for name in chosen.backbones]
    assert found == ["none", "imagenet", "inputs/inception.h5"]
    assert pretrained_source("imagenet", "resnet") == "imagenet"


def test_the_built_in_backbones_take_their_smallest_image() -> None:
    assert set(backbone_names()) >= {"small_cnn", "small_resnet", "inception", "efficientnet", "resnet"}
    for name in ("small_cnn", "small_resnet"):
        size = declaration(name).smallest_image
        assert build_backbone(name, size, size).output_shape[1] >= 1


def test_a_module_that_declares_too_little_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(declarations, "FOLDER", tmp_path)
    path = tmp_path / "mine.py"
    for source, reason in [
        ("SMALLEST_IMAGE = 8", "has no function build"),
        ("def build(frames, n_mels, frequency_channel): ...", "has no SMALLEST_IMAGE"),
        ("SMALLEST_IMAGE = 2 * 4", "as a literal number: SMALLEST_IMAGE = 24"),
        ("def build(", "line 1: is not valid Python"),
    ]:
        path.write_text(source)
        with pytest.raises(InputError, match=reason) as error:
            declaration("mine")
        assert str(path) in str(error.value)
    path.write_text("SMALLEST_IMAGE = 8\ndef build(frames, n_mels, frequency_channel): ...")
    assert declaration("mine").smallest_image == 8
    assert not declaration("mine").can_be_pretrained


def test_parameters_are_checked_without_keras() -> None:
    code = "import sys, dawnchorus.models.declarations; sys.exit('keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
