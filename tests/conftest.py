"""What many tests share: the committed parameters, and a tiny experiment."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

# Tests run the modules in their own process; without this they would each take all cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from dawnchorus.params import Params, load_params

ROOT = Path(__file__).parent.parent

# Sections and values that make the committed experiment small enough to run in seconds.
TINY: dict[str, Any] = {
    "demo": {"species": 8, "train_recordings": 16, "test_recordings": 6, "seconds": 4.0, "tp_per_species": 4,
             "fp_per_species": 2, "commonest": 0.9, "rarest": 0.25},
    "backbones": ["small_cnn"],
    "folds": [0, 1],
    "spectrogram": {"hop_length": 2048, "n_mels": 32},
    "window": {"seconds": 2.0},
    "train": {"epochs": 1},
    "infer": {"hop_seconds": 1.0},
    "ensemble": {"bootstrap_samples": 100},
}  # fmt: skip


def changed(params: Params, changes: dict[str, Any]) -> Params:
    """The parameters with some sections' values changed."""
    content = params.model_dump()
    for key, value in changes.items():
        content[key] = content[key] | value if isinstance(value, dict) else value
    return Params.model_validate(content)


@pytest.fixture(scope="session")
def params() -> Params:
    """The committed parameters."""
    return load_params(ROOT / "params.yaml")


@pytest.fixture(scope="session")
def tiny(params: Params) -> Params:
    """The tiny experiment's parameters."""
    return changed(params, TINY)


@pytest.fixture
def edited(tmp_path: Path) -> Callable[[str, str], Path]:
    """A function that writes the committed params.yaml with one piece of text replaced."""

    def edit(old: str, new: str) -> Path:
        text = (ROOT / "params.yaml").read_text()
        assert old in text
        path = tmp_path / "params.yaml"
        path.write_text(text.replace(old, new))
        return path

    return edit
