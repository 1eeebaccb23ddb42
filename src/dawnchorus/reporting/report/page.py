"""The page: all sections of an experiment, in a self-contained HTML file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from dawnchorus.config.params import Params
from dawnchorus.inference.thresholds import EVERYWHERE
from dawnchorus.reporting.model_card import LIMITS
from dawnchorus.reporting.report.data_tables import decimal, percent
from dawnchorus.reporting.report.facts import changed_settings, facts
from dawnchorus.reporting.report.findings import activity_views, confusion_views
from dawnchorus.reporting.report.quality import (
    bases,
    comparison_charts,
    comparison_table,
    curves,
    reliability,
    species_table,
)
from dawnchorus.reporting.report.remarks import remarks
from dawnchorus.reporting.report.species_rows import SpeciesRow, is_tested, species_rows
from dawnchorus.reporting.report.tables import Experiment
from dawnchorus.wording import counted

PACKAGE = "dawnchorus.reporting.report"
# Lists of the summary show at most so many species.
MOST_SHOWN = 12


def sections(experiment: Experiment, defaults: Params) -> dict[str, Any]:
    """What the templates show of an experiment, without the examples.

    Args:
        experiment: parameters, tables and scores.
        defaults: the parameters that others are compared with.
    """
    params, rows = experiment.params, species_rows(experiment)
    tested, n_recordings = is_tested(experiment), len(experiment.all_recordings)
    confusion = confusion_views(experiment)
    imperfect = [row for row in rows if row.average_precision < 1]
    return {
        "title": f"{counted(len(rows), 'species', 'species')} in {counted(n_recordings, 'recording')}",
        "data": params.data.root,
        "target": params.detect.precision,
        "window": params.window.seconds,
        "tested": tested,
        "rows": rows,
        "trusted": sorted((row for row in rows if row.is_promised), key=lambda row: (-row.promise, row.code)),
        "wrong": [
            f"{row.name} ({row.right.whole - row.right.part})"
            for row in rows
            if row.is_promised and row.right is not None and row.right.part < row.right.whole
        ],
        "untrusted": untrusted(rows, params.detect.precision),
        "hardest": min(imperfect, key=lambda row: row.average_precision, default=None),
        "facts": facts(experiment),
        "settings": changed_settings(params, defaults),
        "limits": LIMITS,
        "remarks": remarks(experiment, rows),
        "species_table": species_table(rows, tested),
        "bases": bases(experiment, rows),
        "comparison": comparison_table(experiment.figures, params.members),
        "comparison_charts": comparison_charts(experiment.figures, params.members),
        "reliability": reliability(experiment.reliability),
        "curves": curves(experiment.curves),
        "n_folds": len(params.folds),
        "confusion": confusion,
        "confused": next((view.pairs for view in confusion if view.pairs), []),
        "activity": activity_views(experiment),
    }


@dataclass(frozen=True)
class Untrusted:
    """Species without a promise, and why in plain words."""

    names: list[str]
    reason: str


def untrusted(rows: Sequence[SpeciesRow], target: float) -> list[Untrusted]:
    """The species without a promise, by reason."""
    reasons: dict[str, list[str]] = {}
    for row in rows:
        if not row.is_promised:
            reasons.setdefault(plain_reason(row, target), []).append(row.name)
    return [Untrusted(names, reason) for reason, names in reasons.items()]


def plain_reason(row: SpeciesRow, target: float) -> str:
    """Why nothing is promised for a species, for people who have not read how thresholds are chosen."""
    if row.no_promise == "no window reaches it":
        return f"no sound scores so high that {percent(target)} of such sounds would be right"
    if row.no_promise == "no present box":
        return "it has no labelled call"
    if row.no_promise == EVERYWHERE:
        return "more than half of all sounds score like its labelled calls, so its score tells nothing yet"
    if "box" in row.no_promise:
        return f"too few labels: {row.no_promise}"
    if "reach" in row.no_promise:
        return f"so few sounds score so high that nobody can tell whether {percent(target)} of them are right"
    return row.no_promise


def render(content: Mapping[str, Any]) -> str:
    """Fill the page's templates.

    Args:
        content: the result of `sections`, and `examples`.

    Returns:
        HTML with all styles, scripts and pictures in it.
    """
    environment = Environment(
        loader=PackageLoader(PACKAGE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals |= {"asset": _asset, "counted": counted, "most_shown": MOST_SHOWN}
    environment.filters |= {"percent": percent, "decimal": decimal, "decimal3": partial(decimal, digits=3)}
    return environment.get_template("page.html.j2").render(content)


def _asset(name: str) -> Markup:
    """The text of a style sheet or script of the package, to be put into the page as it is."""
    return Markup(files(PACKAGE).joinpath("templates", name).read_text(encoding="utf-8"))  # noqa: S704
