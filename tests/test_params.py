"""params.yaml: what is refused, and that file, schema and registry agree."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
from tiny import ROOT

from dawnchorus.backbones import BACKBONES
from dawnchorus.errors import InputError
from dawnchorus.params import BackboneName, Params, json_schema, load_params

Edit = Callable[[str, object], Path]
PARAMS = ROOT / "params.yaml"


@pytest.mark.parametrize(
    ("key", "value", "names"),
    [
        ("train.epoch", 20, ["train.epoch: unknown key", "20", "epochs, batch_size"]),
        ("train.epochs", "many", ["train.epochs", "'many'", "integer"]),
        ("train.epochs", "20", ["train.epochs", "'20'", "integer"]),
        ("train.epochs", 0, ["train.epochs", "found 0", "greater than or equal to 1"]),
        ("train.epochs", ..., ["train.epochs: is missing", "passes over all annotations"]),
        ("train.learning_rate", float("nan"), ["train.learning_rate", "nan", "finite"]),
        ("train.mixup_alpha", float("inf"), ["train.mixup_alpha", "inf", "finite"]),
        ("train.warmup_learning_rate", 1.0, ["train:", "warmup_learning_rate (1.0)", "learning_rate"]),
        ("demo.rarest", 0.0, ["demo.rarest", "found 0.0", "greater than 0"]),
        ("backbones", ["small_cn"], ["backbones.0", "'small_cn'", "'small_cnn'", "'resnet'"]),
        ("backbones", ["small_cnn", "small_cnn"], ["backbones", "once"]),
        ("backbones", "small_cnn", ["backbones", "'small_cnn'", "list"]),
        ("backbones", ["inception"], ["inception", "75"]),
        ("folds", 3, ["folds", "found 3", "list"]),
        ("folds", [1, 2, 3], ["folds", "[1, 2, 3]", "0, 1, 2"]),
        ("spectrogram.f_max", 30000.0, ["spectrogram", "30000.0", "sample_rate / 2"]),
        ("infer.hop_seconds", 99.0, ["infer.hop_seconds (99.0)", "window.seconds"]),
        ("window", ..., ["window: is missing"]),
        ("windows", {"seconds": 3.0}, ["windows: unknown key", "window, labels"]),
    ],
)
def test_names_key_value_and_what_is_allowed(edited: Edit, key: str, value: object, names: list[str]) -> None:
    path = edited(key, value)
    with pytest.raises(InputError) as error:
        load_params(path)
    for name in [str(path), *names]:
        assert name in str(error.value)


def test_a_file_that_is_no_yaml_or_no_sections_is_named(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    for text, reason in [("seed: [1", "is not valid YAML"), ("- 1", "expected sections"), (None, "cannot be read")]:
        path.unlink(missing_ok=True)
        if text:
            path.write_text(text)
        with pytest.raises(InputError, match=reason):
            load_params(path)


def test_small_numbers_may_be_written_as_dvc_writes_them(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(re.sub(r"warmup_learning_rate: \S+", "warmup_learning_rate: 1e-05", PARAMS.read_text()))
    assert load_params(path).train.warmup_learning_rate == 0.00001


def test_every_key_has_a_comment() -> None:
    # A list's key or a section's may stand alone on its line; `data:` and the like are explained by their keys.
    explained_by_their_keys = {"data:", "spectrogram:", "window:", "labels:", "train:", "infer:", "ensemble:"}
    for line in PARAMS.read_text().splitlines():
        is_key = re.match(r"\s*\w+:", line)
        if is_key and line not in explained_by_their_keys:
            assert "#" in line, line


def test_the_committed_schema_is_generated_from_the_model() -> None:
    written = (ROOT / "workflow/schemas/params.schema.json").read_text()
    assert written == json_schema(), "write what json_schema() gives to workflow/schemas/params.schema.json"


def test_the_registry_has_the_backbones_that_params_may_name() -> None:
    assert tuple(BACKBONES) == get_args(BackboneName)


def test_every_parameter_says_what_it_means() -> None:
    for section in Params.model_fields.values():
        fields = getattr(section.annotation, "model_fields", None)
        for name, field in (fields or {}).items():
            assert field.description, name
