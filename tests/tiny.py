"""The committed experiment made small enough to run in seconds."""

from pathlib import Path
from typing import Any

from dawnchorus.config.params import Params

ROOT = Path(__file__).parent.parent

# Parameters, by section, that make the committed experiment small enough to run in seconds.
TINY: dict[str, Any] = {
    "demo": {"species": 8, "train_recordings": 16, "test_recordings": 6, "seconds": 4.0, "tp_per_species": 4,
             "fp_per_species": 2, "commonest": 0.9, "rarest": 0.25},
    "backbones": ["small_cnn"],
    "folds": [0, 1],
    "spectrogram": {"hop_length": 2048, "n_mels": 32},
    "window": {"seconds": 2.0},
    "train": {"epochs": 1},
    "predict": {"hop_seconds": 1.0},
    "ensemble": {"bootstrap_samples": 100},
    # Pictures and sounds are half of the report's time, and tests/reporting have experiments with some.
    "report": {"examples": 0},
}  # fmt: skip


def changed(params: Params, changes: dict[str, Any]) -> Params:
    """Copy parameters with changed values, given by section."""
    content = params.model_dump()
    for key, value in changes.items():
        content[key] = content[key] | value if isinstance(value, dict) else value
    return Params.model_validate(content)
