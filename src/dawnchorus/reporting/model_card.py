"""The model card: what a trained ensemble is, how good it is, and what it must not be used for."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from dawnchorus.config.features import BIRDNET
from dawnchorus.config.names import STUDENT
from dawnchorus.config.params import Params
from dawnchorus.features.embedders import BIRDNET_LICENCE
from dawnchorus.inference.answer_thresholds import ANNOTATIONS
from dawnchorus.inference.reliability_tables import calibration_lines
from dawnchorus.models.bundle import Member, Species

LIMITS = (
    "A threshold holds for recordings like those that it was chosen on. Other places, seasons and recorders have other "
    "sounds; check some detections of each species there.",
    "A species that calls more rarely than in those recordings has a lower precision at the same threshold.",
    "A recording without a detection may still have the species.",
    "The models know the listed species only. Others may raise their scores.",
)
LICENCE = (
    "Dawnchorus is published under the Apache License 2.0. The weights are derived from the recordings and labels that "
    "the model was trained on, and may be bound by their terms."
)


def model_card(
    params: Params,
    species: Sequence[Species],
    members: Sequence[Member],
    thresholds: pd.DataFrame,
    species_metrics: pd.DataFrame,
    metrics: Mapping[str, Any],
    reliability: pd.DataFrame,
    recordings: pd.DataFrame,
    student_figures: Mapping[str, Any],
) -> str:
    """Write a model card in Markdown.

    Args:
        params: parameters of the experiment.
        species: in the order of scores.
        members: of the ensemble.
        thresholds: table from `threshold_tables.read_thresholds`.
        species_metrics: table from `species_table`.
        metrics: the content of `results/figures.json`.
        reliability: table from `reliability_tables.read_reliability`.
        recordings: annotated recordings, as from `recordings.read_recordings`.
        student_figures: figures on test recordings, of "ensemble" and "student"; empty if there is no student, or no
            ground truth.
    """
    hours = recordings.seconds[recordings.usable].sum() / 3600
    kinds = ", ".join(dict.fromkeys(f"heads on {each.backbone}" if each.is_head else each.backbone for each in members))
    settings = params.spectrogram
    rows = thresholds.merge(species_metrics[["species", "average_precision"]], on="species", how="left")
    names = {each.species: each.scientific_name or each.common_name for each in species}
    # Only networks read the spectrogram.
    band = f" at {settings.sample_rate} Hz, {settings.f_min:g} to {settings.f_max:g} Hz" if params.backbones else ""
    mean = "weighted mean" if len({each.weight for each in members}) > 1 else "mean"
    models = "the models of one fold" + (", of the first round" if len(params.rounds) > 1 else "")
    lines = [
        "# A model that finds species in sound recordings",
        "",
        f"It was trained with Dawnchorus on {int(recordings.usable.sum())} annotated recordings ({hours:.1f} h). It is "
        f"the {mean} of {len(members)} models ({kinds}), and finds {len(species)} species in windows of "
        f"{params.window.seconds:g} s{band}.",
        "",
        "    dawnchorus detect <this folder> <recordings> --output <folder>",
        "",
        "## Species",
        "",
        "Of the windows that score at least the threshold, the fraction `precision` should have the species; it is at "
        "least `at least` with 90 % confidence. A window that scores exactly the threshold has it with `probability`. "
        "All are estimates from labels in recordings that the models which scored them were not trained on.",
        "",
        "| species | name | threshold | precision | at least | probability | average precision | rests on "
        "| no promise |",
        "|---|---|---|---|---|---|---|---|---|",
        *(
            f"| {row.species} | {names[row.species]} | {_number(row.threshold)} | {_number(row.precision)} "
            f"| {_number(row.precision_low)} | {_number(row.probability)} | {_number(row.average_precision)} "
            f"| {_evidence(row)} | {row.no_promise} |"
            for row in rows.itertuples()
        ),
        "",
        *_densities(thresholds),
        *_measured(thresholds, models),
        "## Figures of the ensemble",
        "",
        *_figures(metrics, reliability, models),
        "",
        *_student(params, student_figures),
        "## Limits",
        "",
        *(f"- {limit}" for limit in LIMITS),
        "",
        "## Licence",
        "",
        LICENCE,
    ]
    if uses_birdnet(params):
        learned = ", and networks learned from their scores" if len(params.rounds) > 1 or params.student else ""
        made = f"Heads in `members/` are made with it{learned}; it is not part of this folder."
        lines += ["", f"{BIRDNET_LICENCE} {made}"]
    return "\n".join(lines) + "\n"


def uses_birdnet(params: Params) -> bool:
    """Whether heads on BirdNET's embeddings are part of the ensemble, so that its licence counts."""
    return any(params.features[name].model == BIRDNET for name in params.embeddings)


def _evidence(row: Any) -> str:
    """What a row of the table of thresholds rests on."""
    if row.rests_on != ANNOTATIONS:
        return f"{row.rests_on}, {row.present_answers:.0f} of them present, to a random sample of windows"
    return (
        f"{row.present_boxes:.0f} present boxes in {row.present_recordings:.0f} recordings, {row.absent_boxes:.0f} "
        f"absent boxes, {row.complete_recordings:.0f} completely annotated recordings"
    )


def _densities(thresholds: pd.DataFrame) -> list[str]:
    """A section on call density, from the answers of reviewers; empty if there are none."""
    known = thresholds[thresholds.density.notna()]
    if known.empty:
        return []
    return [
        "## Call density",
        "",
        "The share of windows with the species in the recordings that reviewers measured, with 90 % intervals.",
        "",
        "| species | density | rests on |",
        "|---|---|---|",
        *(
            f"| {row.species} | {row.density:.3f} ({row.density_low:.3f} to {row.density_high:.3f}) | {row.rests_on} |"
            for row in known.itertuples()
        ),
        "",
    ]


def _student(params: Params, figures: Mapping[str, Any]) -> list[str]:
    """A section on the student; empty if there is none."""
    if not params.student:
        return []
    lines = [
        "## Student",
        "",
        f"`student.weights.h5` is one network ({params.student[0]}) that learned from the ensemble and the "
        "annotations, for small computers: `dawnchorus export <this folder> --members student`. Its own thresholds "
        "give as many windows of the test recordings as those of the ensemble; the precision is that of the "
        "ensemble's.",
        "",
    ]
    if figures:
        lines += [
            f"- test recordings: {key.replace('_', ' ')}: {figures[STUDENT][key]}; of the ensemble: {value}"
            for key, value in figures["ensemble"].items()
            if not key.endswith(("_low", "_high"))
        ]
        lines.append("")
    return lines


def _measured(thresholds: pd.DataFrame, models: str) -> list[str]:
    """A section on precision and recall in completely annotated recordings; empty if there are none."""
    known = thresholds[thresholds.measured_recall.notna()]
    if known.empty:
        return []
    return [
        "## Completely annotated recordings",
        "",
        "Precision and recall of windows, with 95 % intervals, at thresholds that were chosen on other recordings. The "
        f"windows are scored by {models}, which were not trained on them.",
        "",
        "| species | precision | recall |",
        "|---|---|---|",
        *(
            f"| {row.species} "
            f"| {_interval(row.measured_precision, row.measured_precision_low, row.measured_precision_high)} "
            f"| {_interval(row.measured_recall, row.measured_recall_low, row.measured_recall_high)} |"
            for row in known.itertuples()
        ),
        "",
    ]


def _interval(value: float, low: float, high: float) -> str:
    return "" if pd.isna(value) else f"{value:.2f} ({low:.2f} to {high:.2f})"


def _number(value: float) -> str:
    return "" if pd.isna(value) else f"{value:.3g}"


def _figures(metrics: Mapping[str, Any], reliability: pd.DataFrame, models: str) -> list[str]:
    named = {
        "oof": "out of fold",
        "complete": "completely annotated recordings, out of fold",
        "test": "test recordings",
    }
    lines = [
        f"- {where}: {key.replace('_', ' ')}: {value}"
        for part, where in named.items()
        for key, value in metrics.get(part, {}).get("ensemble", {}).items()
        if not key.endswith(("_low", "_high"))
    ]
    lines += [f"- {models}: {line}" for line in calibration_lines(reliability)]
    return lines or ["There are none: no test recording has ground truth, and out-of-fold figures would not be honest."]
