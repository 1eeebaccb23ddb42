"""What the model card says of thresholds and probabilities."""

import json
import re

import numpy as np
import pandas as pd
from tiny import ROOT, changed

from dawnchorus.config.params import Params
from dawnchorus.inference.reliability_tables import COLUMNS
from dawnchorus.inference.thresholds import LABELS, MEASURED
from dawnchorus.models.bundle import Member, Species
from dawnchorus.reporting.model_card import model_card

SPECIES = [Species(species=code, scientific_name="", common_name="") for code in ("OWL", "LARK")]


NETWORK = Member(backbone="small_cnn", fold=0, weight=1.0)


def card(
    params: Params,
    measured: list[float],
    reliability: pd.DataFrame,
    member: Member = NETWORK,
    answered: bool = False,
    student: dict[str, dict[str, float]] | None = None,
) -> str:
    thresholds = pd.DataFrame({
        "species": ["OWL", "LARK"], "threshold": [0.75, np.nan], "probability": [0.625, np.nan],
        "precision": [0.9, np.nan], "precision_low": [0.8, np.nan], "no_promise": ["", "no present box"],
    })  # fmt: skip
    thresholds[LABELS] = 7
    thresholds[MEASURED] = [measured, [np.nan] * 6]
    thresholds = thresholds.assign(present_answers=0, rests_on="annotations", density=np.nan)
    if answered:
        thresholds.loc[0, ["present_answers", "rests_on"]] = 12, "30 answers of m"
        thresholds.loc[0, ["density", "density_low", "density_high"]] = 0.05, 0.04, 0.07
    recordings = pd.DataFrame({"seconds": [60.0], "usable": [True]})
    species_metrics = pd.DataFrame({"species": ["OWL", "LARK"], "average_precision": [0.5, 0.5]})
    return model_card(
        params, SPECIES, [member], thresholds, species_metrics, {}, reliability, recordings, student or {}
    )


def test_both_precisions_are_shown_and_what_was_measured(tiny: Params) -> None:
    bins = [("", value, 1, 40, 0.5, observed, 0.0, 1.0) for value, observed in (("score", 0.25), ("probability", 0.4))]
    reliability = pd.DataFrame(bins, columns=COLUMNS)
    text = card(tiny, [0.95, 0.9, 0.975, 0.6, 0.5, 0.7], reliability)
    assert "| OWL |  | 0.75 | 0.9 | 0.8 | 0.625 | 0.5 |" in text
    assert "| OWL | 0.95 (0.90 to 0.97) | 0.60 (0.50 to 0.70) |" in text
    assert "| LARK | " not in text[text.index("## Completely annotated recordings") :]
    line = "expected calibration error over 40 labels out of fold: 0.250 for scores, 0.100 for probabilities"
    assert f"- the models of one fold: {line}" in text
    rounds = {"rounds": [{"id": "first", "pseudo_labels": "none", "weight": 0.0},
                         {"id": "second", "pseudo_labels": "first", "weight": 0.3}]}  # fmt: skip
    again = card(changed(tiny, rounds), [0.95, 0.9, 0.975, 0.6, 0.5, 0.7], reliability)
    assert f"- the models of one fold, of the first round: {line}" in again


def test_without_complete_recordings_and_honest_scores_neither_is_shown(tiny: Params) -> None:
    text = card(tiny, [np.nan] * 6, pd.DataFrame(columns=COLUMNS))
    assert "Completely annotated recordings" not in text
    assert "calibration error" not in text
    assert "There are none: no test recording has ground truth" in text


def test_it_says_which_answers_figures_rest_on(tiny: Params) -> None:
    text = card(tiny, [np.nan] * 6, pd.DataFrame(columns=COLUMNS), answered=True)
    assert "| 30 answers of m, 12 of them present, to a random sample of windows |  |" in text
    assert "| 7 present boxes in 7 recordings, 7 absent boxes, 7 completely annotated recordings | no present" in text
    assert "| OWL | 0.050 (0.040 to 0.070) | 30 answers of m |" in text
    assert "Call density" not in card(tiny, [np.nan] * 6, pd.DataFrame(columns=COLUMNS))


def test_heads_alone_are_named_with_the_licence_and_without_a_band(tiny: Params) -> None:
    nothing = pd.DataFrame(columns=COLUMNS)
    band = f"at {tiny.spectrogram.sample_rate} Hz"
    assert band in card(tiny, [np.nan] * 6, nothing)
    birdnet = {"model": "birdnet", "sample_rate": 48_000, "seconds": 3.0, "output": "embeddings"}
    params = changed(tiny, {"backbones": [], "embeddings": ["birdnet"], "features": {"birdnet": birdnet}})
    text = card(params, [np.nan] * 6, nothing, Member(backbone="birdnet", fold=0, weight=1.0, is_head=True))
    assert "1 models (heads on birdnet)" in text
    assert band not in text
    assert "network" not in text
    assert "CC BY-NC-SA 4.0" in text
    assert "learned from their scores" not in text
    again = {"id": "second", "pseudo_labels": "first", "weight": 0.3}
    rounds = [*(each.model_dump() for each in params.rounds), again]
    both = changed(params, {"backbones": ["small_cnn"], "rounds": rounds})
    assert "and networks learned from their scores; it is not part" in card(both, [np.nan] * 6, nothing)


def test_the_plot_of_reliability_shows_columns_that_the_table_has() -> None:
    template = (ROOT / ".dvc/plots/reliability.json").read_text()
    json.loads(template)
    fields = set(re.findall(r'"field": "(\w+)"', template)) | set(re.findall(r"datum\.(\w+)", template))
    # DVC adds the revision.
    assert fields <= {*COLUMNS, "rev"}


def test_a_student_stands_next_to_its_ensemble(tiny: Params) -> None:
    nothing = pd.DataFrame(columns=COLUMNS)
    assert "Student" not in card(tiny, [np.nan] * 6, nothing)
    figures = {"ensemble": {"lwlrap": 0.9, "lwlrap_low": 0.8}, "student": {"lwlrap": 0.85, "lwlrap_low": 0.75}}
    text = card(changed(tiny, {"student": ["small_resnet"]}), [np.nan] * 6, nothing, student=figures)
    assert "one network (small_resnet)" in text
    assert "- test recordings: lwlrap: 0.85; of the ensemble: 0.9\n" in text
    assert "low" not in text[text.index("## Student") : text.index("## Limits")]
