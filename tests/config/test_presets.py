"""Presets: overrides of the defaults, and switching params.yaml to a preset."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from tiny import ROOT

from dawnchorus.config.loading import load_params
from dawnchorus.config.presets import load_preset, preset_content, preset_names, preset_text, switch_to_preset
from dawnchorus.errors import InputError
from dawnchorus.models.declarations import require_backbones

PRESETS = ROOT / "presets"
OVERRIDES = sorted(set(preset_names(PRESETS)) - {"default"})


def values(content: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """The values of a parameter file by dotted key."""
    found: dict[str, Any] = {}
    for key, value in content.items():
        found |= values(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return found


def read(path: Path) -> dict[str, Any]:
    return values(YAML(typ="safe").load(path))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A params.yaml with the defaults."""
    path = tmp_path / "params.yaml"
    path.write_text(preset_text(PRESETS, "default"))
    return path


def test_params_yaml_starts_as_the_defaults() -> None:
    assert (ROOT / "params.yaml").read_text() == (PRESETS / "default.yaml").read_text()
    assert preset_text(PRESETS, "default") == (PRESETS / "default.yaml").read_text()


@pytest.mark.parametrize("name", OVERRIDES)
def test_a_preset_is_a_valid_experiment_and_holds_only_what_differs_from_the_defaults(name: str) -> None:
    params = load_preset(PRESETS, name)
    require_backbones(params)
    assert params.data.root == (
        load_params(PRESETS / "default.yaml").data.root if name in ("animals", "benchmark", "birdnet") else "data/rfcx"
    )
    defaults, overrides = read(PRESETS / "default.yaml"), read(PRESETS / f"{name}.yaml")
    assert [key for key, value in overrides.items() if defaults[key] == value] == []
    assert values(params.model_dump()) == defaults | overrides


@pytest.mark.parametrize("name", OVERRIDES)
def test_a_preset_keeps_the_comments_and_the_order_of_the_defaults(name: str) -> None:
    def skeleton(text: str) -> list[str]:
        """Each line without its value."""
        lines = [line.partition("#") for line in text.splitlines()]
        return [f"{before.split(':')[0]} {mark}{comment}".rstrip() for before, mark, comment in lines]

    assert skeleton(preset_text(PRESETS, name)) == skeleton(preset_text(PRESETS, "default"))


def test_a_preset_after_another_is_no_mixture_and_says_what_changes(path: Path) -> None:
    first = switch_to_preset(path, PRESETS, "notebook")
    assert "train.label_smoothing: 0.0 -> 0.2" in first.changes
    assert "image.frames: null -> 384" in first.changes
    second = switch_to_preset(path, PRESETS, "rfcx")
    assert path.read_text() == preset_text(PRESETS, "rfcx")
    assert load_params(path) == load_preset(PRESETS, "rfcx")
    # Values that only the notebook preset changes are back at the defaults.
    assert "train.label_smoothing: 0.2 -> 0.0" in second.changes
    assert "image.frames: 384 -> null" in second.changes
    assert 'augment.choices: [] -> ["time_masks", "frequency_masks"]' in second.changes
    notebook, rfcx = (values(preset_content(PRESETS, name)) for name in ("notebook", "rfcx"))
    assert len(second.changes) == sum(notebook[key] != rfcx[key] for key in rfcx)
    assert switch_to_preset(path, PRESETS, "rfcx").changes == []
    # There were no edits of the user's own, so there is no backup.
    assert [file.name for file in path.parent.iterdir()] == ["params.yaml"]


def test_own_edits_are_listed_and_kept_in_a_copy(path: Path) -> None:
    for number, epochs in enumerate((7, 8), start=1):
        edited = path.read_text().replace("epochs: 20", f"epochs: {epochs} # as our students do")
        path.write_text(edited)
        switch = switch_to_preset(path, PRESETS, "benchmark")
        assert f"train.epochs: {epochs} -> 30" in switch.changes
        assert switch.backup == path.with_name(f"params.backup-{number}.yaml")
        assert switch.backup.read_text() == edited
        assert switch_to_preset(path, PRESETS, "default").backup is None


def test_a_key_that_is_not_known_any_more_and_a_missing_file(path: Path) -> None:
    path.write_text("seed: 1\nold: {key: 2}\n")
    changes = switch_to_preset(path, PRESETS, "default").changes
    assert "old.key: 2 -> removed" in changes
    assert "train.epochs: missing -> 20" in changes
    assert not any(line.startswith("seed") for line in changes)
    path.unlink()
    assert switch_to_preset(path, PRESETS, "default").backup is None
    assert path.read_text() == preset_text(PRESETS, "default")


def test_what_is_no_preset_is_refused_and_changes_nothing(path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "presets"
    folder.mkdir()
    for name, text in [("default", path.read_text()), ("mine", "train: {epoch: 3}\n"), ("list", "- 1\n")]:
        (folder / f"{name}.yaml").write_text(text)
    before = path.read_text()
    for name, reason in [
        ("other", r"there is no preset 'other'; expected one of default, list, mine"),
        ("", r"there is no preset ''"),
        ("mine", r"presets/mine\.yaml: train\.epoch: unknown key with value 3; expected one of pretrained, epochs"),
        ("list", r"presets/list\.yaml: found list, expected sections"),
    ]:
        with pytest.raises(InputError, match=reason):
            switch_to_preset(path, folder, name)
    assert path.read_text() == before
    path.write_text("seed: [1")
    with pytest.raises(InputError, match=r"params\.yaml: is not valid YAML"):
        switch_to_preset(path, folder, "default")


def test_the_script_prints_what_changes(path: Path) -> None:
    path.write_text(path.read_text().replace("epochs: 20", "epochs: 21"))
    done = subprocess.run(
        [sys.executable, "workflow/scripts/preset.py", "--presets", "presets", "--params", str(path), "--name", "rfcx"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert "train.epochs: 21 -> 30" in lines
    assert lines[-2] == f"{path} had your own settings or comments, now saved in {path.parent}/params.backup-1.yaml."
    assert lines[-1] == f"{path} now has the preset rfcx; number of changed values: {len(lines) - 2}."
