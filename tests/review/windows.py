"""Scored windows of invented recordings, for tests of what chooses among them."""

from pathlib import Path

import numpy as np
import pandas as pd
from bundles import settings_of

from dawnchorus.config.params import Params
from dawnchorus.inference.calibration import Calibration
from dawnchorus.inference.detections import COLUMNS
from dawnchorus.inference.thresholds import WindowModel
from dawnchorus.models.bundle import Bundle, ModelInfo, Species
from dawnchorus.review.scores import ScoredWindows

CODES = ["OWL", "LARK"]
SECONDS, PER_RECORDING = 3.0, 20


def scored_windows(params: Params, n_recordings: int = 40, seed: int = 0) -> ScoredWindows:
    """Windows of recordings at two sites, half of them test recordings; OWL is detected in the best ten windows."""
    rng = np.random.default_rng(seed)
    sites = [f"site{number % 2}" for number in range(n_recordings)]
    names = [f"{site}/{number:03}" for number, site in enumerate(sites)]
    splits = ["train" if number < n_recordings // 2 else "test" for number in range(n_recordings)]
    recordings = pd.DataFrame(
        {
            "recording_id": names,
            "file": [f"data/own/{split}/{name}.wav" for split, name in zip(splits, names, strict=True)],
            "split": splits,
            "site": sites,
            "start": [f"2026-05-{1 + number % 3:02}T06:00:00+00:00" for number in range(n_recordings)],
            "seconds": SECONDS * PER_RECORDING - 0.5,
        }
    )
    recording = np.repeat(np.arange(n_recordings), PER_RECORDING)
    starts = np.tile(np.arange(PER_RECORDING) * SECONDS, n_recordings)
    scores = rng.random((len(recording), 2)).astype(np.float32)
    best = np.argsort(-scores[:, 0])[:10]
    detections = pd.DataFrame(
        {
            "recording": np.array(names)[recording[best]],
            "site": np.array(sites)[recording[best]],
            "channel": "mean",
            "start_s": starts[best],
            "end_s": starts[best] + SECONDS,
            "clock_time": "",
            "species": "OWL",
            "scientific_name": "",
            "common_name": "",
            "score": scores[best, 0],
            "probability": "0.9",
            "threshold": "0.9",
            "file": recordings.file.to_numpy()[recording[best]],
        }
    )[COLUMNS]
    species = [Species(species=code, scientific_name="", common_name="") for code in CODES]
    info = ModelInfo(
        format=2,
        dawnchorus="1",
        keras="3",
        data="",
        settings=settings_of(params),
        species=species,
        members=[],
        files={},
    )
    return ScoredWindows(
        bundle=Bundle(Path("results/model"), info),
        model=WindowModel(Calibration(np.ones(2), np.zeros(2)), np.array([0.5, np.nan])),
        prior=WindowModel(Calibration(np.ones(2), np.zeros(2)), np.array([0.5, np.nan])),
        thresholds=np.array([0.9, np.nan]),
        window_seconds=SECONDS,
        data_root=Path("data/own"),
        recordings=recordings,
        recording=recording,
        channel=np.zeros(len(recording), int),
        starts=starts,
        scores=scores,
        disagreement=np.zeros_like(scores),
        is_measured=np.array([split == "test" for split in splits])[recording],
        detections=detections,
    )
