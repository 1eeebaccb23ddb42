"""The section on how good the model is: each species, the ensemble against its members, reliability and curves."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from dawnchorus.inference.reliability_tables import ALL, PROBABILITY, SCORE, calibration_errors
from dawnchorus.reporting.report.charts import Estimate, comparison_chart, curves_chart, reliability_chart
from dawnchorus.reporting.report.data_tables import NOTHING, Cell, Column, Table, between, decimal, percent
from dawnchorus.reporting.report.species_rows import SpeciesRow, is_tested
from dawnchorus.reporting.report.tables import Experiment

ENSEMBLE, CONSTANT, RANDOM = "ensemble", "constant", "random"
NAMES = {ENSEMBLE: "ensemble", CONSTANT: "constant (baseline)", RANDOM: "random (baseline)"}
# The figures that are shown by set and key, with their titles.
FIGURES = {
    ("test", "lwlrap"): "LWLRAP, test",
    ("test", "macro_average_precision"): "average precision, test",
    ("oof", "lwlrap"): "LWLRAP, out of fold",
    ("oof", "macro_average_precision"): "average precision, out of fold",
    ("oof", "box_average_precision"): "box average precision, out of fold",
    ("oof", "box_auc"): "box AUC, out of fold",
    ("complete", "macro_average_precision"): "average precision, complete recordings",
}
# Those with a chart, all of which have intervals.
DRAWN = ("lwlrap", "box_average_precision")
CURVES = {
    "loss": "Loss of training",
    "validation_lwlrap": "LWLRAP of the fold left out",
    "validation_precision": "Precision of the fold left out",
}


def species_table(rows: Sequence[SpeciesRow], tested: bool) -> Table:
    """The table of species, with the columns that something is known about.

    Args:
        rows: the species.
        tested: whether there is ground truth of test recordings.
    """
    has_measured = any(not np.isnan(row.measured_recall[0]) for row in rows)
    where = "test" if tested else "out of fold"
    columns = [
        Column("Species", is_number=False),
        Column("Right at least", "promised precision, with 90 % confidence"),
        Column("Threshold", "lowest score of a detection"),
        Column("Labelled calls", "and recordings with them"),
        Column("Average precision", f"with its 95 % interval; {where}"),
        Column("n", "of the recordings that it is computed from, those with the species"),
        Column("Detections"),
    ]
    if tested:
        columns += [
            Column("Right in test", "of the recordings with detections, those in which it calls"),
            Column("Found in test", "of the recordings in which it calls, those with detections"),
        ]
    if has_measured:
        columns += [
            Column("Windows right", "measured precision in complete recordings, with the 95 % interval"),
            Column("Windows found", "measured recall in complete recordings, with the 95 % interval"),
        ]
    return Table("species-table", "All species", columns, [_species_cells(row, tested, has_measured) for row in rows])


def _species_cells(row: SpeciesRow, tested: bool, has_measured: bool) -> list[Cell]:
    is_known = not np.isnan(row.promise)
    note = f"{percent(row.precision)} expected" if is_known else row.no_promise
    promise = Cell(percent(row.promise), row.promise, row.promise if is_known else None, note)
    cells = [
        Cell(row.name, note=row.code if row.code != row.name else ""),
        promise,
        Cell(decimal(row.threshold, 3), row.threshold),
        Cell(str(row.present_boxes), row.present_boxes, note=f"in {row.present_recordings}"),
        Cell(decimal(row.average_precision), row.average_precision, note=between(*row.interval)),
        Cell(f"{row.present} of {row.known}", row.present),
        Cell(str(row.detections), row.detections),
    ]
    if tested:
        for fraction in (row.right, row.found):
            text = f"{fraction.part} of {fraction.whole}" if fraction and fraction.whole else NOTHING
            cells.append(Cell(text, fraction.value if fraction else np.nan))
    if has_measured:
        for value, low, high in (row.measured_precision, row.measured_recall):
            cells.append(Cell(percent(value), value, note=between(low, high)))
    return cells


def comparison_table(figures: dict[str, Any], members: Sequence[str]) -> Table | None:
    """The figures of the ensemble, its members and the baselines; None if there are no figures."""
    chosen = [(where, key) for where, key in FIGURES if key in figures.get(where, {}).get(ENSEMBLE, {})]
    if not chosen:
        return None
    columns = [Column("Scores of", is_number=False), *(Column(FIGURES[each]) for each in chosen)]
    rows = []
    for name in (ENSEMBLE, *members, CONSTANT, RANDOM):
        cells = [Cell(NAMES.get(name, name))]
        for where, key in chosen:
            each = _estimate(figures, where, key, name)
            cells.append(Cell(decimal(each.value, 3), each.value, note=between(each.low, each.high, 3)))
        rows.append(cells)
    return Table("comparison-table", "The ensemble, its members and the baselines, with 95 % intervals", columns, rows)


def comparison_charts(figures: dict[str, Any], members: Sequence[str]) -> list[Markup]:
    """A chart for each figure that has intervals."""
    charts = []
    for (where, key), title in FIGURES.items():
        found = figures.get(where, {})
        if f"{key}_low" not in found.get(ENSEMBLE, {}) or key not in DRAWN:
            continue
        names = [name for name in (ENSEMBLE, *members, CONSTANT, RANDOM) if key in found.get(name, {})]
        estimates = [_estimate(figures, where, key, name) for name in names]
        label = f"{title}: " + ", ".join(f"{each.name} {each.value:.2f}" for each in estimates)
        charts.append(comparison_chart(f"comparison-{where}-{key.replace('_', '-')}", title, label, estimates))
    return charts


def _estimate(figures: dict[str, Any], where: str, key: str, name: str) -> Estimate:
    found = figures.get(where, {}).get(name, {})
    value, low, high = (float(found.get(f"{key}{end}", "nan")) for end in ("", "_low", "_high"))
    return Estimate(NAMES.get(name, name), value, low, high, name == ENSEMBLE)


@dataclass(frozen=True)
class Basis:
    """What figures rest on: a name, and what it means."""

    name: str
    text: str


def bases(experiment: Experiment, rows: Sequence[SpeciesRow]) -> list[Basis]:
    """What the figures of this experiment, with these rows of species, rest on."""
    found, recordings, figures = [], experiment.recordings, experiment.figures
    first = ", by the models of the first round" if len(experiment.params.rounds) > 1 else ""
    if is_tested(experiment):
        text = (
            f"{len(recordings.ground_truth)} recordings that no model learned from, of which it is known which species "
            "call. The most trustworthy figures."
        )
        found.append(Basis("Test", text))
    if "oof" in figures:
        found.append(
            Basis(
                "Out of fold",
                "Annotated recordings, each scored by the models that did not learn from it. They know only what was "
                "labelled: LWLRAP counts every unlabelled species as silent and is too low; average precision and box "
                "figures use only what an expert labelled as present or absent.",
            )
        )
    if "complete" in figures:
        n_complete = figures["complete"][ENSEMBLE]["recordings"]
        text = f"{n_complete} annotated recordings in which every call is labelled, scored out of fold."
        found.append(Basis("Complete recordings", text))
    answered = [row for row in rows if row.rests_on]
    if answered:
        of_species = "; ".join(f"{row.name}: {row.rests_on}" for row in answered)
        text = (
            "Promised and expected precision, thresholds and probabilities of detections: from what reviewers answered "
            f"about a random sample of windows ({of_species})."
        )
        found.append(Basis("Answers", text))
    others = " of the other species" if answered else ""
    text = (
        f"Promised and expected precision, thresholds and probabilities{others}: estimated from the labelled calls and "
        f"absent boxes out of fold{first}, and from how often windows score high. They are about windows of "
        f"{experiment.params.window.seconds:g} s, not about whole recordings."
    )
    found.append(Basis("Labels", text))
    return found


@dataclass(frozen=True)
class Reliability:
    """How far scores and probabilities are right: a chart, its data, and the mean error of both."""

    chart: Markup
    table: Table
    score_error: float
    probability_error: float
    labels: int


def reliability(table: pd.DataFrame) -> Reliability | None:
    """Reliability over all species; None if there are no labels for it."""
    rows = table[table.species == ALL]
    if rows.empty:
        return None
    errors = calibration_errors(table)
    label = (
        f"Reliability diagram: probabilities differ from the share that was right by {errors[PROBABILITY]:.2f} on "
        f"average, scores by {errors[SCORE]:.2f}"
    )
    names = {SCORE: "score", PROBABILITY: "probability"}
    columns = [
        Column("Value", is_number=False), Column("Labels"), Column("Predicted", "mean of the bin"),
        Column("Observed", "share that was labelled present, with the 95 % interval"),
    ]  # fmt: skip
    cells = [
        [Cell(names[row.value]), Cell(f"{row.n:.0f}", row.n), Cell(decimal(row.predicted), row.predicted),
         Cell(decimal(row.observed), row.observed, note=between(row.observed_low, row.observed_high))]
        for row in rows.itertuples()
    ]  # fmt: skip
    return Reliability(
        reliability_chart("reliability", label, rows),
        Table("reliability-table", "The bins of the diagram", columns, cells),
        errors[SCORE], errors[PROBABILITY], int(rows[rows.value == SCORE].n.sum()),
    )  # fmt: skip


@dataclass(frozen=True)
class Curves:
    """The learning curves of a round."""

    round_id: str
    charts: list[Markup]


def curves(table: pd.DataFrame) -> list[Curves]:
    """Charts of the loss, and of what was measured in the fold left out, for each round."""
    found = []
    for number, (round_id, of_round) in enumerate(table.groupby("round", sort=False)):
        charts = []
        for column, title in CURVES.items():
            known = of_round[of_round[column].notna()]
            if known.empty:
                continue
            last = known[known.epoch == known.epoch.max()].groupby("member", sort=False)[column].mean()
            values = ", ".join(f"{member} {value:.2f}" for member, value in last.items())
            name = f"curve-{number}-{column.replace('_', '-')}"
            charts.append(curves_chart(name, title, f"{title}, in the last epoch: {values}", known, column))
        found.append(Curves(str(round_id), charts))
    return found
