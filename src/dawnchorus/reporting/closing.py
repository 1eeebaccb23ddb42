"""The end of a run on the terminal: the figures, what they mean, and where the results are.

It imports no library for tables: a run with nothing to do would take half as long again.
"""

import csv
import json
from pathlib import Path
from typing import Any

# Those that exist are named.
RESULTS = {
    "results/model": "the model, for `dawnchorus detect`",
    "results/detections.csv": "detections in the test recordings; without any, in the annotated ones",
    "results/thresholds.csv": "the threshold of each species",
    "results/species_metrics.csv": "figures of each species",
    "results/kaggle/submission.csv": "a competition's submission",
    "results/report.html": "the report, for a browser",
}
FIGURES = {
    "lwlrap": ("LWLRAP", "how high the species that call rank in each recording; 1 is best"),
    "macro_average_precision": (
        "macro AP",
        "how high recordings with a species rank among all, mean over species; 1 is best",
    ),
    "box_average_precision": (
        "box AP",
        "how high labelled calls rank among labelled sounds that are none; 1 is best",
    ),
}
SETS = {"test": "in test recordings", "oof": "out of fold, in training recordings"}
MOST_NAMED = 5


def closing_lines(root: Path) -> list[str]:
    """The figures of the ensemble with a sentence on each, and the paths of the results that exist.

    Args:
        root: the project's folder, after a finished run.
    """
    found = {path: what for path, what in RESULTS.items() if (root / path).exists()}
    width = max(map(len, found), default=0)
    results = ["Results:", *(f"  {path:<{width}}  {what}" for path, what in found.items())] if found else []
    return [*_figures(root), *_promises(root / "results/thresholds.csv"), *results]


def _figures(root: Path) -> list[str]:
    path = root / "results/figures.json"
    try:
        metrics = json.loads(path.read_text(encoding="utf-8"))
        which = next((name for name in SETS if "ensemble" in metrics.get(name, {})), None)
    except (OSError, ValueError, AttributeError) as error:
        return [f"No figures: {path} cannot be read: {error}"]
    if which is None:
        return ["No figures: no recording has labels to compare with (docs/metrics.md)"]
    lines = [f"The ensemble {SETS[which]} (docs/metrics.md):"]
    for key, (name, meaning) in FIGURES.items():
        source = which if key in metrics[which]["ensemble"] else "oof"
        row = metrics.get(source, {}).get("ensemble", {})
        if key in row:
            where = "" if source == which else f" {SETS[source]}"
            lines += [
                f"  {name} {_with_interval(row, key)}{_of_constant(metrics[source], key)}{where}",
                f"    {meaning}",
            ]
    return lines


def _with_interval(row: dict[str, Any], key: str) -> str:
    low, high = row.get(f"{key}_low"), row.get(f"{key}_high")
    interval = "" if low is None or high is None else f" (95 %: {low:.3f} to {high:.3f})"
    return f"{row[key]:.3f}{interval}"


def _of_constant(figures: dict[str, Any], key: str) -> str:
    constant = figures.get("constant", {}).get(key)
    return "" if constant is None else f"; a constant guess has {constant:.3f}"


def _promises(path: Path) -> list[str]:
    """How many species have a threshold with a promised precision, and what to do if none has."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    without = [row["species"] for row in rows if row.get("no_promise")]
    named = ", ".join(without[:MOST_NAMED]) + (f" and {len(without) - MOST_NAMED} more" if without[MOST_NAMED:] else "")
    lacking = f"; {named} {'has' if len(without) == 1 else 'have'} none" if without else ""
    lines = [f"{len(rows) - len(without)} of {len(rows)} species have a promise of precision{lacking}"]
    if len(without) == len(rows):
        lines.append(
            "  ask people about a sample: dawnchorus review start results --purpose measure -n 30 (docs/review.md)"
        )
    return lines
