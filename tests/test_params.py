"""params.yaml: what is refused, and that file, schema and registry agree."""

from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
from tiny import ROOT

from dawnchorus.backbones import BACKBONES
from dawnchorus.errors import InputError
from dawnchorus.params import BackboneName, Params, json_schema, load_params

Edit = Callable[[str, str], Path]


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("  epochs: 20", "  epoch: 20", ["train.epoch: unknown key", "20", "epochs, batch_size"]),
        ("  epochs: 20", "  epochs: many", ["train.epochs", "'many'", "integer"]),
        ("  epochs: 20", "  epochs: '20'", ["train.epochs", "'20'", "integer"]),
        ("  epochs: 20", "  epochs: 0", ["train.epochs", "found 0", "greater than or equal to 1"]),
        ("  learning_rate: 0.003", "  learning_rate: .nan", ["train.learning_rate", "nan", "finite"]),
        ("  warmup_learning_rate: 0.00001", "  warmup_learning_rate: 1.0", ["train:", "1.0", "0.003"]),
        ("- small_cnn", "- small_cn", ["backbones.0", "'small_cn'", "'small_cnn'", "'resnet'"]),
        ("- small_resnet", "- small_cnn", ["backbones", "once"]),
        ("folds: [0, 1, 2]", "folds: 3", ["folds", "found 3", "list"]),
        ("folds: [0, 1, 2]", "folds: [1, 2, 3]", ["folds", "[1, 2, 3]", "0, 1, 2"]),
        ("f_max: 12000.0", "f_max: 30000.0", ["spectrogram", "30000.0", "24000.0"]),
        ("hop_seconds: 1.5", "hop_seconds: 4.5", ["infer.hop_seconds (4.5)", "window.seconds (3.0)"]),
        ("window:\n", "windows:\n", ["window: is missing", "windows: unknown key"]),
        ("- small_resnet", "- inception", ["inception", "75"]),
        ("seed: 1 # of folds", "seed: [1 # of folds", ["is not valid YAML"]),
    ],
)
def test_names_key_value_and_what_is_allowed(edited: Edit, old: str, new: str, names: list[str]) -> None:
    path = edited(old, new)
    with pytest.raises(InputError) as error:
        load_params(path)
    for name in [str(path), *names]:
        assert name in str(error.value)


def test_small_numbers_may_be_written_as_dvc_writes_them(edited: Edit) -> None:
    path = edited("warmup_learning_rate: 0.00001", "warmup_learning_rate: 1e-05")
    assert load_params(path).train.warmup_learning_rate == 0.00001


def test_every_key_of_the_committed_file_has_a_comment() -> None:
    for line in (ROOT / "params.yaml").read_text().splitlines():
        key_with_value = ": " in line.split("#")[0].rstrip() and not line.startswith("#")
        if key_with_value:
            assert "#" in line, line


def test_the_committed_schema_is_generated_from_the_model() -> None:
    assert (ROOT / "workflow/schemas/params.schema.json").read_text() == json_schema()


def test_the_registry_has_the_backbones_that_params_may_name() -> None:
    assert tuple(BACKBONES) == get_args(BackboneName)


def test_every_parameter_says_what_it_means() -> None:
    for section in Params.model_fields.values():
        fields = getattr(section.annotation, "model_fields", None)
        for name, field in (fields or {}).items():
            assert field.description, name
