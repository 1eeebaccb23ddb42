"""params.yaml: invalid values are refused, and the file and the committed schema match the model."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from tiny import ROOT, changed

from dawnchorus.config.loading import load_params
from dawnchorus.config.params import Params
from dawnchorus.config.presets import load_preset
from dawnchorus.errors import InputError

Edit = Callable[[str, object], Path]
FIRST = {"id": "first", "pseudo_labels": "none", "weight": 0.0}
SECOND = {"id": "second", "pseudo_labels": "first", "weight": 0.3}
PARAMS = ROOT / "params.yaml"


@pytest.mark.parametrize(
    ("key", "value", "names"),
    [
        ("train.epoch", 20, ["train.epoch: unknown key", "20", "epochs, fp_fraction"]),
        ("train.epochs", "many", ["train.epochs", "'many'", "integer"]),
        ("train.epochs", "20", ["train.epochs", "'20'", "integer"]),
        ("train.epochs", 0, ["train.epochs", "found 0", "greater than or equal to 1"]),
        ("train.epochs", ..., ["train.epochs: is missing", "passes over all annotations"]),
        ("train.learning_rate", float("nan"), ["train.learning_rate", "nan", "finite"]),
        ("train.mixup_alpha", float("inf"), ["train.mixup_alpha", "inf", "finite"]),
        ("train.warmup_learning_rate", 1.0, ["train:", "warmup_learning_rate (1.0)", "learning_rate"]),
        ("demo.confusable_pairs", 8, ["demo", "confusable_pairs (8)", "half of species (14)"]),
        ("demo.common_species", 15, ["demo", "common_species (15)", "species (14)"]),
        ("demo.clips", "clips", ["demo.clips", "'clips'", "null or a folder in the project's folder inputs/"]),
        ("demo.clips", "inputs/../clips", ["demo.clips", "'inputs/../clips'", "such as inputs/clips"]),
        ("demo.clips", "", ["demo.clips", "''", "at least 1 character"]),
        ("demo.rarest", 0.0, ["demo.rarest", "found 0.0", "greater than 0"]),
        ("backbones", ["Small CNN"], ["backbones.0", "'Small CNN'", "pattern"]),
        ("backbones", ["small_cnn", "small_cnn"], ["backbones", "once"]),
        ("backbones", "small_cnn", ["backbones", "'small_cnn'", "list"]),
        ("ensemble.weights", "best", ["ensemble.weights", "'best'", "'equal' or 'out_of_fold'"]),
        ("data.bad_audio", "ignore", ["data.bad_audio", "'ignore'", "'stop' or 'skip'"]),
        ("split.method", "random", ["split.method", "'random'", "'stratified' or 'notebook'"]),
        ("augment.choices", ["time_mask"], ["augment.choices.0", "'time_mask'", "'time_masks'"]),
        ("augment.choices", ["contrast", "contrast"], ["augment", "once"]),
        ("augment.contrast_low", 2.0, ["augment", "contrast_low (2.0)", "contrast_high"]),
        ("labels.complete", "../complete.csv", ["labels.complete", "'../complete.csv'", "null, all, or the path of a"]),
        ("labels.complete", "/data/complete.csv", ["labels.complete", "such as complete.csv"]),
        ("labels.complete", True, ["labels.complete", "True"]),
        ("labels.complete", "", ["labels.complete", "''"]),
        ("train.background_fraction", -0.5, ["train.background_fraction", "-0.5"]),
        ("head.pooling", "mean", ["head.pooling", "'mean'", "'attention' or 'log_mean_exp'"]),
        ("train.checkpoint", "best", ["train.checkpoint", "'best'", "'last', 'validation_lwlrap'"]),
        ("folds", 3, ["folds", "found 3", "list"]),
        ("folds", [1, 2, 3], ["folds", "[1, 2, 3]", "0, 1, 2"]),
        ("spectrogram.f_max", 30000.0, ["spectrogram", "30000.0", "sample_rate / 2"]),
        ("predict.hop_seconds", 99.0, ["predict.hop_seconds (99.0)", "window.seconds"]),
        ("rounds", "first", ["rounds", "'first'", "list", "each {id, pseudo_labels, weight}"]),
        ("rounds", [], ["rounds", "at least 1 item"]),
        ("rounds", [{"id": "first", "weight": 0.0}], ["rounds.0.pseudo_labels: is missing", "none for no round"]),
        ("rounds", [FIRST | {"id": "a b"}], ["rounds.0.id", "'a b'", "letters, digits and _"]),
        ("rounds", [FIRST | {"id": "none"}], ["rounds.0.id", "'none'", "not none"]),
        (
            "rounds",
            [FIRST | {"teacher": 1}],
            ["rounds.0.teacher: unknown key", "expected one of id, pseudo_labels"],
        ),
        ("rounds", [FIRST | {"weight": 1.5}], ["rounds.0.weight", "found 1.5", "less than or equal to 1"]),
        ("train.pretrained", "weights.h5", ["train.pretrained: found 'weights.h5'", "in the project's folder inputs/"]),
        ("train.pretrained", "inputs/../weights.h5", ["train.pretrained: found 'inputs/../weights.h5'", "imagenet"]),
        ("train.pretrained", "inputs", ["train.pretrained: found 'inputs'", "inputs/{backbone}.weights.h5"]),
        ("train.pretrained", {"resnet": "/inputs/w.h5"}, ["train.pretrained: found", "/inputs/w.h5", "inputs/"]),
        ("train.pretrained", {"resnet": None}, ["train.pretrained: found", "None", "{resnet: imagenet}"]),
        ("train.pretrained", 3, ["train.pretrained: found 3", "none, imagenet"]),
        ("ensemble.prior", "data/prior.csv", ["ensemble.prior: found 'data/prior.csv'", "inputs/prevalence.csv"]),
        ("window", ..., ["window: is missing"]),
        ("windows", {"seconds": 3.0}, ["windows: unknown key", "window, image"]),
        ("embeddings", ["perch"], ["embeddings: perch has no settings under features", "birdnet"]),
        (
            "features",
            {"perch": {"model": "inputs/perch", "sample_rate": 32000, "seconds": 5.0}},
            ["features.perch.output: is missing", "name of the output with the vectors"],
        ),
    ],
)
def test_names_key_value_and_what_is_allowed(edited: Edit, key: str, value: object, names: list[str]) -> None:
    path = edited(key, value)
    with pytest.raises(InputError) as error:
        load_params(path)
    for name in [str(path), *names]:
        assert name in str(error.value)


def test_what_depends_on_several_sections(params: Params) -> None:
    large: dict[str, Any] = {"backbones": ["resnet", "efficientnet"], "train": {"pretrained": "inputs/all.h5"}}
    cases: list[tuple[dict[str, Any], str]] = [
        (large, r"one file for 2 backbones; write \{backbone\}"),
        ({"augment": {"choices": ["time_masks"], "time_mask_frames": 141}}, r"time_mask_frames \(141\).*\(141\)"),
        ({"augment": {"choices": ["frequency_masks"], "frequency_mask_mels": 64}}, r"frequency_mask_mels \(64\)"),
        ({"split": {"method": "notebook", "group": "site"}}, r"group \('site'\) must be null"),
        ({"student": ["small_cnn", "resnet"]}, "at most 1 item"),
        ({"student": ["small_cnn"], "train": {"checkpoint": "validation_lwlrap"}}, r"student \(small_cnn\) needs"),
        ({"student": ["small_cnn"], "split": {"method": "notebook"}}, r"student \(small_cnn\) needs train.checkpoint"),
        ({"student": ["small_cnn"], "train": {"cutmix_probability": 0.5}}, r"cutmix_probability \(0.5\) must be 0"),
        ({"embeddings": ["student"]}, "student is no name for a member"),
    ]
    two, aside = [FIRST, SECOND], FIRST | {"id": "aside"}
    cases += [
        ({"rounds": [FIRST, FIRST]}, "the id first appears twice"),
        (
            {"rounds": [SECOND, FIRST]},
            "second takes its pseudo-labels from 'first', which is not an earlier round",
        ),
        ({"rounds": [SECOND | {"pseudo_labels": "second"}]}, "from 'second', which is not an earlier round"),
        ({"rounds": [FIRST, aside]}, "nothing uses first; remove it, or let a later round take its pseudo-labels"),
        ({"rounds": [FIRST, aside, SECOND]}, "nothing uses aside"),
        (
            {"rounds": [FIRST | {"weight": 0.3}]},
            r"weight of first is 0\.3; expected 0 without pseudo-labels",
        ),
        ({"rounds": [FIRST, SECOND | {"weight": 0.0}]}, r"weight of second is 0\.0; expected above 0"),
        ({"rounds": two, "train": {"checkpoint": "validation_lwlrap"}}, r"checkpoint \(validation_lwlrap\) must"),
        ({"rounds": two, "split": {"method": "notebook"}}, r"method \(notebook\) must be stratified"),
        (
            {"rounds": two, "train": {"cutmix_probability": 0.5}},
            r"cutmix_probability \(0\.5\) must be 0 where models learn from pseudo-labels",
        ),
    ]
    for changes, reason in cases:
        with pytest.raises(ValidationError, match=reason):
            changed(params, changes)
    changed(params, large | {"train": {"pretrained": "inputs/{backbone}.h5"}})
    changed(params, large | {"train": {"pretrained": {"resnet": "inputs/all.h5"}}})
    changed(params, {"rounds": [*two, SECOND | {"id": "third", "pseudo_labels": "second"}]})


def test_the_notebooks_preset_has_the_notebooks_settings() -> None:
    """The rows of the table of the notebook's parts in docs/notebook.md, in order."""
    preset = load_preset(ROOT / "presets", "notebook")
    assert preset.spectrogram.model_dump() == {
        "sample_rate": 48_000, "n_fft": 2048, "hop_length": 512, "n_mels": 384, "f_min": 50, "f_max": 24_000,
    }  # fmt: skip
    assert (preset.window.seconds, preset.predict.hop_seconds) == (10, 10)
    assert preset.train.begin_within * preset.window.seconds == 7.5
    assert (preset.labels.min_overlap, preset.labels.weak_negative_weight, preset.train.fp_fraction) == (0, 1, 0)
    assert (preset.image.mels, preset.image.frames, preset.image.frequency_channel) == (384 / 2, 384, False)
    assert preset.augment.model_dump() == {
        "choices": [], "most": 2, "time_dropout_cuts": 3, "time_dropout_width": 0.1, "frequency_masks": 2,
        "frequency_mask_mels": 80, "time_masks": 1, "time_mask_frames": 40, "brightness": 0.2, "contrast_low": 0.1,
        "contrast_high": 0.3,
    }  # fmt: skip
    assert preset.head.model_dump() == {"pooling": "attention", "frame_weight": 0}
    assert preset.folds == [0, 1, 2, 3, 4]
    assert preset.backbones == ["inception", "efficientnet", "resnet"]
    train = preset.train
    assert (train.pretrained, train.dropout, train.label_smoothing, train.mixup_alpha) == ("imagenet", 0.25, 0.2, 0.1)
    assert train.cutmix_probability == 0
    assert (train.epochs, train.batch_size, train.warmup_fraction) == (30, 8, 0.1)
    assert (train.warmup_learning_rate, train.learning_rate) == (1e-5, 1.5e-3)
    assert train.checkpoint == "last"


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
    # Sections need no comment: the comments of their keys explain them.
    explained_by_their_keys = {"data:", "split:", "spectrogram:", "features:", "window:", "image:", "labels:", "train:",
                               "predict:", "ensemble:"}  # fmt: skip
    for line in PARAMS.read_text().splitlines():
        is_key = re.match(r"\s*\w+:", line)
        if is_key and line not in explained_by_their_keys:
            assert "#" in line, line


def test_every_parameter_says_what_it_means() -> None:
    for section in Params.model_fields.values():
        fields = getattr(section.annotation, "model_fields", None)
        for name, field in (fields or {}).items():
            assert field.description, name


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("seed: !!int x", "ValueError"),
        ("seed: !!bool x", "KeyError"),
        ("seed: 2001-99-99", "month must be"),
        ("seed: " + "1" * 5000, "5000 digits"),
        ("seed: 0x" + "f" * 5000, "an integer of 20000 bits"),
        ("a: " + "[" * 20_000, "nested more than 32 levels"),
        ("a0: &a0 {x: 1}\n" + "".join(f"a{row}: &a{row} {{<<: [{f'*a{row - 1}, ' * 9}]}}\n" for row in range(1, 20)),
         "more than 10000 values"),
    ],
)  # fmt: skip
def test_yaml_that_python_cannot_hold_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=reason) as error:
        load_params(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("spectrogram.sample_rate", 10**400),
        ("spectrogram.n_mels", 10**12),
        ("window.seconds", 1e308),
        ("train.epochs", 10**400),
        ("demo.train_recordings", 10**30),
        ("folds", [0, 10**30]),
    ],
)
def test_numbers_that_overflow_are_refused(edited: Edit, key: str, value: object) -> None:
    with pytest.raises(InputError, match="expected less than or equal to"):
        load_params(edited(key, value))


@pytest.mark.parametrize("root", ["$(touch here)", "`touch here`", 'a" ; touch here ; "', "a\\", "a\nb"])
def test_a_folder_that_a_shell_would_read_as_a_command_is_refused(edited: Edit, root: str) -> None:
    for key in ("data.root", "data.labels"):
        with pytest.raises(InputError, match=rf"{key}: found .*, expected a path without"):
            load_params(edited(key, root))


@pytest.mark.parametrize(
    ("key", "folder", "reason"),
    [
        ("data.labels", "data/demo/dataset", "is or lies in data.root, where label files are read anyway"),
        ("data.labels", "data/own/../demo/dataset/train/", "is or lies in data.root"),
        ("data.labels", "data/demo", "contains data.root; name a folder with label files only"),
        ("data.labels", "..", "contains this project and its results"),
        ("data.root", ".", "contains this project and its results"),
    ],
)
def test_folders_that_overlap_are_refused(edited: Edit, key: str, folder: str, reason: str) -> None:
    with pytest.raises(InputError, match=rf"{key}: found {re.escape(repr(folder))}, which {reason}"):
        load_params(edited(key, folder))


@pytest.mark.parametrize("pattern", ["(?P<site>[a-z", "(?P<place>[a-z]+)", ""])
def test_a_pattern_that_cannot_find_a_site_is_refused(edited: Edit, pattern: str) -> None:
    with pytest.raises(InputError, match=r"data\.site_pattern: found .*, expected a regular expression with a group"):
        load_params(edited("data.site_pattern", pattern))
