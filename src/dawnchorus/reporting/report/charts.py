"""The charts of the report."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from dawnchorus.inference.reliability_tables import PROBABILITY, SCORE
from dawnchorus.reporting.report.svg import DASHES, HEAT, INK, LINE, MARKERS, MUTED, SERIES, drawing

# Sizes in pixels: a chart beside others, a row of names, a cell of a heat map, the longest bar below it, a letter.
WIDTH, HEIGHT, ROW, CELL, BAR, LETTER = 340, 240, 22, 24, 26, 6.2
# Longer names are cut.
MOST_LETTERS = 24
# Opacity of the strongest shade, on which text still has enough contrast.
STRONGEST = 0.65


@dataclass(frozen=True)
class Estimate:
    """A figure with its interval, NaN where there is none; the figures of the ensemble are emphasized."""

    name: str
    value: float
    low: float
    high: float
    is_emphasized: bool = False


def comparison_chart(name: str, title: str, label: str, estimates: Sequence[Estimate]) -> Markup:
    """Draw figures from 0 to 1 with their intervals, one below the other.

    Args:
        name: identifies the chart on the page.
        title: what the figures are.
        label: what the chart shows, in words.
        estimates: from top to bottom.
    """
    left = _width_of([each.name for each in estimates])
    with drawing(name, label, WIDTH, 52 + ROW * len(estimates), (left, 44, 26, 26)) as chart:
        axes = chart.axes
        for row, each in enumerate(estimates):
            colour = SERIES[0] if each.is_emphasized else MUTED
            if not np.isnan(each.low):
                axes.plot([each.low, each.high], [row, row], color=colour, linewidth=3, alpha=0.45)
            axes.plot([each.value], [row], color=colour, marker="o", markersize=7)
            weight = "bold" if each.is_emphasized else "normal"
            axes.annotate(
                f"{each.value:.2f}", (1, row), (8, 0), textcoords="offset points", va="center", fontweight=weight,
                annotation_clip=False, xycoords=("axes fraction", "data"),
            )  # fmt: skip
        axes.set(xlim=(0, 1), ylim=(len(estimates) - 0.5, -0.5), xticks=(0, 0.25, 0.5, 0.75, 1))
        axes.set_xticklabels(["0", "", "0.5", "", "1"])
        axes.set_title(title, fontweight="bold")
        axes.set_yticks(range(len(estimates)), [_cut(each.name) for each in estimates])
        axes.xaxis.grid(visible=True)
        axes.spines[["left", "bottom"]].set_visible(False)
    return chart.svg


def reliability_chart(name: str, label: str, bins: pd.DataFrame) -> Markup:
    """Draw how often a score or probability is right.

    Args:
        name: identifies the chart on the page.
        label: what the chart shows, in words.
        bins: rows of `reliability.csv`.
    """
    with drawing(name, label, WIDTH, WIDTH - 20, (46, 14, 44, 14)) as chart:
        axes = chart.axes
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=":")
        for number, (value, text) in enumerate(((PROBABILITY, "probability"), (SCORE, "score before calibration"))):
            rows = bins[bins.value == value]
            errors = [rows.observed - rows.observed_low, rows.observed_high - rows.observed]
            axes.errorbar(
                rows.predicted, rows.observed, yerr=np.maximum(errors, 0), color=SERIES[number], label=text,
                marker=MARKERS[number], markersize=5, linestyle=DASHES[number], elinewidth=1,
            )  # fmt: skip
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel="what the model said", ylabel="share that was right")
        axes.grid(visible=True)
        axes.legend(loc="upper left")
    return chart.svg


def curves_chart(name: str, title: str, label: str, curves: pd.DataFrame, column: str) -> Markup:
    """Draw a column of the learning curves: for each member the mean over folds, and the range as a band.

    Args:
        name: identifies the chart on the page.
        title: what the column is.
        label: what the chart shows, in words.
        curves: member, fold, epoch and the column.
        column: which one.
    """
    members = list(dict.fromkeys(curves.member))
    with drawing(name, label, WIDTH, HEIGHT + 16 * len(members), (42, 12, 44 + 16 * len(members), 26)) as chart:
        axes = chart.axes
        for number, member in enumerate(members):
            of_epoch = curves[curves.member == member].groupby("epoch")[column]
            epochs, colour = of_epoch.mean().index, SERIES[number % len(SERIES)]
            axes.fill_between(epochs, of_epoch.min(), of_epoch.max(), color=colour, alpha=0.18, linewidth=0)
            axes.plot(
                epochs, of_epoch.mean(), color=colour, linestyle=DASHES[number % len(DASHES)], label=_cut(member),
                marker=MARKERS[number % len(MARKERS)] if len(epochs) < 2 else None,
            )  # fmt: skip
        top = max(float(curves[column].max()) * 1.05, 1e-6) if column == "loss" else 1.0
        axes.set(ylim=(0, top), xlabel="epoch")
        axes.set_title(title, fontweight="bold")
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.grid(visible=True)
        axes.legend(loc="upper left", bbox_to_anchor=(0, -0.16), borderaxespad=0)
    return chart.svg


@dataclass(frozen=True)
class HeatMap:
    """A table of shades.

    Attributes:
        rows: names of the rows.
        columns: names of the columns.
        shades: 0 to 1; NaN where nothing is known, shape [Rows, Columns].
        texts: what is written in the cells, shape [Rows, Columns].
        bars: of each column, 0 to 1, drawn below it; none if empty, shape [Columns].
        row_title: what the rows are.
        column_title: what the columns are.
    """

    rows: Sequence[str]
    columns: Sequence[str]
    shades: NDArray[np.float64]
    texts: Sequence[Sequence[str]]
    bars: NDArray[np.float64]
    row_title: str
    column_title: str


def heat_map(name: str, label: str, found: HeatMap) -> Markup:
    """Draw a table of shades. Its columns' names are upright if they are short.

    Args:
        name: identifies the chart on the page.
        label: what the chart shows, in words.
        found: the table.
    """
    left, long = _width_of(found.rows), max((len(_cut(column)) for column in found.columns), default=0)
    is_steep = long * LETTER > CELL
    top = 26 + (int(long * LETTER * 0.75) + 8 if is_steep else 18)
    right = 12 + (int(long * LETTER * 0.7) if is_steep else 0)
    n_rows, n_columns, bottom = len(found.rows), len(found.columns), BAR + 6 if len(found.bars) else 6
    size = (left + CELL * n_columns + right, top + ROW * n_rows + bottom)
    with drawing(name, label, *size, (left, right, bottom, top)) as chart:
        axes = chart.axes
        axes.set(xlim=(0, n_columns), ylim=(n_rows, 0))
        axes.spines[:].set_visible(False)
        axes.xaxis.tick_top()
        axes.set_yticks(np.arange(n_rows) + 0.5, [_cut(each) for each in found.rows])
        axes.set_xticks(np.arange(n_columns) + 0.5, [_cut(each) for each in found.columns])
        if is_steep:
            axes.tick_params(axis="x", rotation=50)
            for text in axes.get_xticklabels():
                text.set(ha="left", rotation_mode="anchor")
        for edge in range(n_rows + 1):
            axes.axhline(edge, color=LINE, linewidth=0.6)
        _draw_cells(axes, found)
        _note(axes, found.row_title, (0, 1), (-3.5, 5), "right")
        _note(axes, found.column_title, (0, 1), (0, top - 14), "left")
        if len(found.bars):
            _note(axes, "recorded", (0, 0), (-3.5, -16), "right")
            for column, share in enumerate(found.bars):
                place = (column + 0.15, n_rows + 0.1)
                bar = Rectangle(place, 0.7, share * BAR / ROW, linewidth=0, facecolor=MUTED, alpha=0.6, clip_on=False)
                axes.add_patch(bar)
    return chart.svg


def _draw_cells(axes: Axes, found: HeatMap) -> None:
    for row, column in np.ndindex(found.shades.shape):
        shade = float(found.shades[row, column])
        is_known = not np.isnan(shade)
        alpha = round(STRONGEST * shade, 3) if is_known else 0.35
        if alpha > 0:
            colour = HEAT if is_known else LINE
            axes.add_patch(
                Rectangle((column + 0.03, row + 0.04), 0.94, 0.92, linewidth=0, facecolor=colour, alpha=alpha)
            )
        if found.texts[row][column]:
            text = found.texts[row][column]
            axes.text(column + 0.5, row + 0.5, text, color=INK, ha="center", va="center", fontsize=10)


def _note(axes: Axes, text: str, corner: tuple[float, float], offset: tuple[float, float], side: str) -> None:
    """Write a text at a corner of the axes, so many pixels aside."""
    axes.annotate(
        text, corner, offset, color=MUTED, ha=side, va="bottom", xycoords="axes fraction", textcoords="offset points",
        annotation_clip=False,
    )  # fmt: skip


def _cut(name: str) -> str:
    """A name with its middle left out if it is long: both ends may tell it from others."""
    kept = MOST_LETTERS // 2
    return name if len(name) <= MOST_LETTERS else f"{name[:kept]}…{name[len(name) - kept + 1 :]}"


def _width_of(names: Sequence[str]) -> int:
    """Room for names at the left of a chart, pixels."""
    return int(max(58, max((len(_cut(name)) for name in names), default=0) * LETTER + 16))
