"""Charts as SVG that takes its colours and font from the page's style sheet, so that they fit light, dark and print."""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from io import StringIO
from typing import Any

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Stand-ins that Matplotlib writes, by the name of the style sheet's colour. The series are of Okabe and Ito's palette.
COLOURS = {
    "ink": "#f00001", "muted": "#f00002", "line": "#f00003", "heat": "#f00004",
    "series-1": "#f00011", "series-2": "#f00012", "series-3": "#f00013", "series-4": "#f00014", "series-5": "#f00015",
}  # fmt: skip
INK, MUTED, LINE, HEAT = (COLOURS[name] for name in ("ink", "muted", "line", "heat"))
SERIES = [COLOURS[f"series-{number}"] for number in range(1, 6)]
# Lines differ by more than their colour.
DASHES = ["-", "--", ":", "-.", (0, (5, 1, 1, 1, 1, 1))]
MARKERS = ["o", "s", "^", "D", "v"]
# With this, a unit of the picture is a pixel.
PIXELS_PER_INCH = 72
FONT_SIZE = 11
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none", "font.size": FONT_SIZE, "axes.titlesize": FONT_SIZE, "axes.labelsize": FONT_SIZE,
    "xtick.labelsize": FONT_SIZE, "ytick.labelsize": FONT_SIZE, "legend.fontsize": FONT_SIZE,
    "text.color": INK, "axes.labelcolor": MUTED, "xtick.color": MUTED, "ytick.color": MUTED, "axes.edgecolor": LINE,
    "xtick.labelcolor": INK, "ytick.labelcolor": INK, "grid.color": LINE, "axes.spines.top": False,
    "axes.spines.right": False, "axes.facecolor": "none", "figure.facecolor": "none", "legend.frameon": False,
    "axes.titlelocation": "left", "axes.axisbelow": True, "lines.linewidth": 1.6, "xtick.major.size": 0,
    "ytick.major.size": 0, "text.parse_math": False,
}  # fmt: skip


class Chart:
    """A chart that is being drawn: `axes` to draw on, then `svg` once `drawing` is left."""

    def __init__(self, axes: Axes) -> None:
        self.axes = axes
        self.svg = Markup("")


@contextmanager
def drawing(name: str, label: str, width: int, height: int, margins: tuple[int, int, int, int]) -> Iterator[Chart]:
    """Yield a chart with empty axes, and set its `svg` at the end.

    Args:
        name: identifies the chart on the page.
        label: what the chart shows, for people who do not see it.
        width: pixels.
        height: pixels.
        margins: around the axes: left, right, bottom and top, pixels.
    """
    with mpl.rc_context({**STYLE, "svg.hashsalt": name}):
        figure = Figure(figsize=(width / PIXELS_PER_INCH, height / PIXELS_PER_INCH), dpi=PIXELS_PER_INCH)
        left, right, bottom, top = margins
        chart = Chart(
            figure.add_axes(
                (left / width, bottom / height, (width - left - right) / width, (height - bottom - top) / height)
            )
        )
        yield chart
        text = StringIO()
        with warnings.catch_warnings():
            # The page's font has the letters that Matplotlib's lacks.
            warnings.filterwarnings("ignore", "Glyph")
            figure.savefig(text, format="svg", metadata={"Date": None})
        chart.svg = themed(text.getvalue(), name, label, width)


def themed(text: str, name: str, label: str, width: int) -> Markup:
    """Convert an SVG file of Matplotlib's to a picture within a page, with the page's colours and font.

    Args:
        text: the content of the file.
        name: identifies the chart on the page; its ids begin with it.
        label: what the chart shows.
        width: natural width, pixels.
    """
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->|<style[^>]*>.*?</style>", "", text, flags=re.DOTALL)
    box = re.findall(r'viewBox="[^"]*"', text)[0]
    # What species are called stands between tags, and stays as it is.
    text = re.sub(r"<[^>]+>", lambda found: _themed_tag(found[0], name), text)
    head = f'<svg class="chart" {box} style="--natural: {width}px" role="img" aria-label="{escape(label)}">'
    text = head + text[text.index(">") + 1 :]
    # Matplotlib has escaped the texts.
    return Markup(re.sub(r"\s*\n\s*", "\n", text).strip())  # noqa: S704


def _themed_tag(tag: str, name: str) -> str:
    # Names of groups occur in every chart. Other ids are hashes of what is used repeatedly.
    tag = re.sub(r'<g id="[^"]*"', "<g", tag)
    tag = re.sub(r' id="', rf' id="{name}-', tag)
    tag = re.sub(r'(href="#|url\(#)', rf"\g<1>{name}-", tag)
    for colour, stand_in in COLOURS.items():
        tag = tag.replace(stand_in, f"var(--{colour})")
    tag = re.sub(r"font: ((?:bold|[5-9]00) )?([\d.]+)px [^;\"]*", _font, tag)
    return re.sub(r"(\d+\.\d{2})\d+", r"\1", tag)


def _font(found: re.Match[str]) -> str:
    weight = "font-weight: 650; " if found[1] else ""
    return f"{weight}font-size: {found[2]}px"
