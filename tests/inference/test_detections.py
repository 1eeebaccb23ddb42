"""Detections of a recording, and which species are absent from it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dawnchorus.inference.calibration import Calibration
from dawnchorus.inference.detections import Detector
from dawnchorus.inference.journal import Scored
from dawnchorus.inference.thresholds import WindowModel
from dawnchorus.models.bundle import Species

SECONDS = 3.0


def detector(precision: float = 0.9) -> Detector:
    """A detector of a species whose score is its probability, and of one of which nothing is known."""
    species = [Species(species=code, scientific_name="", common_name="") for code in ("OWL", "LARK")]
    model = WindowModel(Calibration(np.ones(2), np.zeros(2)), np.array([0.5, np.nan]))
    return Detector(species, model, np.array([0.95, np.nan]), precision, SECONDS, 0.0, 0.0)


def presence(probability: float, seconds: float, hop: float = SECONDS, channels: int = 1) -> pd.DataFrame:
    """What is said of a recording whose windows all have one probability."""
    starts = np.tile(np.arange(0, max(seconds - SECONDS, 0) + 0.01, hop), channels)
    channel = np.repeat(np.arange(channels) + (channels > 1), len(starts) // channels)
    scored = Scored(seconds, 48_000, channels, "", channel, starts, np.full((len(starts), 2), probability, np.float32))
    found = detector().detections("a", "hill", Path("a.wav"), scored)
    return detector().presence("a", "hill", scored, found).set_index("species")


def test_the_probability_is_that_of_the_highest_window() -> None:
    found = presence(0.25, 60.0)
    assert pytest.approx(0.25) == found.probability.OWL
    assert found.score.OWL == 0.25
    assert found.site.tolist() == ["hill", "hill"]


@pytest.mark.parametrize(
    ("probability", "seconds", "expected"),
    [
        (0.09, 3.0, "absent"),
        (0.11, 3.0, "unsure"),
        # In two windows, 1 - 0.94 ** 2 = 0.116; in one of the same probability, 0.06.
        (0.06, 6.0, "unsure"),
        (0.06, 3.0, "absent"),
        # A recording that is shorter than a window is one.
        (0.06, 1.0, "absent"),
        # In a day, a species with little in each window is nearly sure to call.
        (0.005, 60.0, "absent"),
        (0.005, 86_400.0, "unsure"),
        (0.97, 60.0, "present"),
    ],
)
def test_absent_means_in_the_whole_recording(probability: float, seconds: float, expected: str) -> None:
    found = presence(probability, seconds)
    assert expected == found.presence.OWL
    assert found.presence.LARK == "unsure"


def test_windows_that_overlap_and_channels_do_not_count_several_times() -> None:
    # 20 windows of 3 s: 1 - 0.995 ** 20 = 0.095.
    assert presence(0.005, 60.0, hop=0.5).presence.OWL == "absent"
    assert presence(0.005, 60.0, channels=4).presence.OWL == "absent"
