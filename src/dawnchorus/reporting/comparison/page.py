"""A comparison as one self-contained page."""

from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from dawnchorus.reporting.comparison import tables
from dawnchorus.reporting.comparison.differences import Comparison
from dawnchorus.reporting.comparison.experiments import BOXES, Figure

PACKAGE = "dawnchorus.reporting.comparison"
REPORT = "dawnchorus.reporting.report"
# What the average precision of a species is of.
OF = {"test": "test recordings", "oof": "training recordings, out of fold", BOXES: "boxes, out of fold"}
# Width of a drawn interval, and its distance from the edges, pixels.
WIDTH, MARGIN = 240, 8


def page(comparison: Comparison) -> str:
    """Write a comparison as HTML that needs no network."""
    environment = Environment(
        loader=PackageLoader(PACKAGE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    species = [
        {"setting": tables.title(setting), "of": OF[key], "rows": _drawn(figures)}
        for setting, each in zip(comparison.settings[1:], comparison.differences, strict=True)
        for key, figures in each.by_species.items()
        if figures
    ]
    # The colours are those of the report.
    sheets = (files(REPORT).joinpath("templates/colours.css"), files(PACKAGE).joinpath("templates/page.css"))
    style = "".join(sheet.read_text(encoding="utf-8") for sheet in sheets)
    return environment.get_template("page.html.j2").render(
        style=Markup(style),  # noqa: S704
        first=tables.title(comparison.settings[0]), warnings=comparison.warnings,
        headings=tables.headings(comparison), rows=tables.rows(comparison),
        differences=tables.difference_rows(comparison), difference_headings=tables.difference_headings(comparison),
        explanations=tables.explanations(comparison), remarks=tables.remarks(comparison), species=species,
        width=WIDTH,
    )  # fmt: skip


def _drawn(figures: dict[str, Figure]) -> list[dict[str, object]]:
    """The differences of species, the largest loss first, with the positions of value, ends and 0 in pixels."""
    ends = [abs(end) for each in figures.values() for end in (each.value, each.low, each.high) if end is not None]
    reach = max(ends) or 1.0

    def x(value: float) -> float:
        return round(WIDTH / 2 + value / reach * (WIDTH / 2 - MARGIN), 1)

    return [
        {
            "species": species, "text": tables.gain(each), "value": x(each.value), "zero": x(0),
            "low": x(each.value if each.low is None else each.low),
            "high": x(each.value if each.high is None else each.high),
            "kind": "worse" if each.high is not None and each.high < 0
            else "better" if each.low is not None and each.low > 0 else "even",
        }
        for species, each in sorted(figures.items(), key=lambda item: item[1].value)
    ]  # fmt: skip
