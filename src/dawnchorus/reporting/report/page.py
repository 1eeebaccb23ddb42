"""The page: fills the templates with the sections."""

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

PACKAGE = "dawnchorus.reporting.report"


def render(sections: Mapping[str, Any]) -> str:
    """Fill the page with its sections.

    Args:
        sections: what each section shows, by the name that the templates use.

    Returns:
        HTML with all styles, scripts and pictures in it.
    """
    environment = Environment(
        loader=PackageLoader(PACKAGE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals["asset"] = _asset
    return environment.get_template("page.html.j2").render(sections)


def _asset(name: str) -> Markup:
    """The text of a style sheet or script of the package, to be put into the page as it is."""
    return Markup(files(PACKAGE).joinpath("templates", name).read_text(encoding="utf-8"))  # noqa: S704
