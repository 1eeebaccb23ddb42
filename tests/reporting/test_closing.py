"""A run ends with the figures, what they mean, and the paths of the results that there are."""

import json
from pathlib import Path

import pytest

from dawnchorus.reporting.closing import closing_lines

ROW = {"lwlrap": 0.9204, "lwlrap_low": 0.8963, "lwlrap_high": 0.9453, "macro_average_precision": 0.9517}
CONSTANT = {"lwlrap": 0.698, "macro_average_precision": 0.197}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "results/model").mkdir(parents=True)
    return tmp_path


def write(root: Path, **metrics: dict) -> None:
    (root / "results/figures.json").write_text(json.dumps(metrics))


def test_test_figures_come_before_those_out_of_fold(root: Path) -> None:
    boxes = {"box_average_precision": 0.91, "box_average_precision_low": 0.88, "box_average_precision_high": 0.95}
    write(root, oof={"ensemble": {**ROW, "lwlrap": 0.5, **boxes}}, test={"ensemble": ROW, "constant": CONSTANT})
    lines = closing_lines(root)
    assert lines[0] == "The ensemble in test recordings (docs/metrics.md):"
    assert lines[1] == "  LWLRAP 0.920 (95 %: 0.896 to 0.945); a constant guess has 0.698"
    assert lines[2].startswith("    how high")
    assert lines[3] == "  macro AP 0.952; a constant guess has 0.197"
    assert lines[5] == "  box AP 0.910 (95 %: 0.880 to 0.950) out of fold, in training recordings"


def test_without_test_truth_figures_are_out_of_fold(root: Path) -> None:
    write(root, oof={"ensemble": ROW, "constant": CONSTANT})
    assert closing_lines(root)[0] == "The ensemble out of fold, in training recordings (docs/metrics.md):"


def test_only_paths_that_exist_are_named(root: Path) -> None:
    write(root, skipped={})
    (root / "results/thresholds.csv").write_text("species,no_promise\na,\nb,no window reaches it\nc,\n")
    assert closing_lines(root) == [
        "No figures: no recording has labels to compare with (docs/metrics.md)",
        "2 of 3 species have a promise of precision; b has none",
        "Results:",
        "  results/model           the model, for `dawnchorus detect`",
        "  results/thresholds.csv  the threshold of each species",
    ]


def test_figures_that_cannot_be_read_are_no_traceback(root: Path) -> None:
    (root / "results/figures.json").write_text("{")
    first, *_ = closing_lines(root)
    assert first.startswith(f"No figures: {root}/results/figures.json cannot be read: ")


def test_without_any_promise_the_next_step_is_named(root: Path) -> None:
    write(root, oof={"ensemble": ROW})
    (root / "results/thresholds.csv").write_text("species,no_promise\na,no present box\nb,no window reaches it\n")
    lines = closing_lines(root)
    assert "0 of 2 species have a promise of precision; a, b have none" in lines
    assert any("dawnchorus review start results --purpose measure -n 30" in line for line in lines)
