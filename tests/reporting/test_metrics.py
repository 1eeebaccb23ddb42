"""The figures that people read and compare; and those of the demo, where it has run."""

import json

import pytest
from tiny import ROOT

from dawnchorus.reporting.metrics import as_text, compared

FIGURES = ROOT / "results/figures.json"


def row(lwlrap: float, **others: float) -> dict[str, float]:
    return {"lwlrap": lwlrap, "lwlrap_low": lwlrap - 0.02, "lwlrap_high": lwlrap + 0.03} | others


@pytest.fixture
def metrics() -> dict:
    """The content of a figures.json."""
    boxes = {f"{name}{end}": 0.9 for name in ("box_average_precision", "box_auc") for end in ("", "_low", "_high")}
    return {
        "oof": {
            "small_cnn": row(0.789, macro_average_precision=0.885, **boxes),
            "ensemble": row(0.787, macro_average_precision=0.871, **boxes | {"box_average_precision": 0.916}),
            "constant": row(0.308, macro_average_precision=0.432),
        },
        "test": {
            "small_cnn": row(0.921, macro_average_precision=0.96, **{"macro_recall_at_0.5": 0.8}),
            "ensemble": row(0.92, macro_average_precision=0.952, **{"macro_recall_at_0.5": 0.9}),
            "constant": row(0.698, macro_average_precision=0.197),
        },
        "weights": {"small_cnn": 1.0},
        "skipped": {"recordings": 0, "tp_rows": 0, "fp_rows": 0, "copies": 0},
    }


def test_the_demos_ensemble_beats_the_constant_baseline_and_the_mean_of_its_members() -> None:
    if "root: data/demo/dataset" not in (ROOT / "params.yaml").read_text() or not FIGURES.exists():
        pytest.skip("the demo has not run here, or with other data: make demo")
    lwlrap = {name: figures["lwlrap"] for name, figures in json.loads(FIGURES.read_text())["test"].items()}
    members = [value for name, value in lwlrap.items() if name not in ("ensemble", "constant", "random")]
    assert len(members) >= 2
    assert lwlrap["ensemble"] >= 0.85
    assert lwlrap["ensemble"] >= lwlrap["constant"] + 0.08
    assert lwlrap["ensemble"] >= sum(members) / len(members)


def test_few_figures_of_the_ensemble_are_compared(metrics: dict) -> None:
    assert compared(metrics) == {"test": {"lwlrap": 0.92, "macro_ap": 0.952}, "oof": {"box_ap": 0.916}}
    # Several rounds have no figures out of fold, and most data sets no test recordings.
    rounds, untested = ({key: value for key, value in metrics.items() if key != name} for name in ("oof", "test"))
    assert compared(rounds) == {"test": {"lwlrap": 0.92, "macro_ap": 0.952}}
    assert compared(untested) == {"oof": {"lwlrap": 0.787, "macro_ap": 0.871, "box_ap": 0.916}}
    # Without FP boxes there are no box figures.
    del metrics["oof"]["ensemble"]["box_average_precision"]
    assert compared(metrics) == {"test": {"lwlrap": 0.92, "macro_ap": 0.952}}
    assert compared({"weights": {}}) == {}


def test_skipped_recordings_are_counted_below_the_table(metrics: dict) -> None:
    copies = metrics | {"skipped": metrics["skipped"] | {"copies": 4}}
    assert as_text(copies).splitlines()[-1] == (
        "4 test recordings contain the same sound as a training recording and do not count in test metrics"
    )
    some = metrics | {"skipped": metrics["skipped"] | {"recordings": 2, "tp_rows": 3, "fp_rows": 1}}
    assert as_text(some).splitlines()[:-1] == as_text(metrics).splitlines()
    assert as_text(some).endswith(
        "2 unusable recordings were skipped, with 3 TP rows and 1 FP rows; "
        "see the column `problem` in data/recordings.csv"
    )


def test_complete_recordings_and_rare_species_have_a_line_below_the_table(metrics: dict) -> None:
    found = {"recordings": 12, "macro_average_precision": 0.7, "macro_precision_at_0.5": 0.64}
    lines = as_text(metrics | {"complete": {"ensemble": found}, "rare_species": ["OWL", "LARK"]}).splitlines()
    assert lines[:-2] == as_text(metrics).splitlines()
    assert lines[-2] == (
        "ensemble out of fold in 12 completely annotated recordings, mean over species: macro AP 0.700, "
        "precision 0.640, recall - (at score 0.5)"
    )
    assert lines[-1] == (
        "present in fewer training recordings than there are folds, so some folds validate none of their calls or "
        "train on none: OWL, LARK"
    )
    many = as_text(metrics | {"rare_species": [f"s{number}" for number in range(30)]}).splitlines()[-1]
    assert many.endswith(": 30 species; see results/species_metrics.csv")


def test_a_missing_metric_is_shown_as_a_dash(metrics: dict) -> None:
    figures = ("macro_average_precision", "box_average_precision", "box_auc")
    without = metrics | {"oof": {name: {k: v for k, v in found.items() if k not in figures}
                                 for name, found in metrics["oof"].items()}}  # fmt: skip
    assert all(line.split()[-3:] == ["-", "-", "-"] for line in as_text(without).splitlines()[1:])


def test_without_out_of_fold_metrics_the_table_has_only_test_metrics(metrics: dict) -> None:
    heading, *rows = as_text({name: found for name, found in metrics.items() if name != "oof"}).splitlines()
    assert heading.split() == ["test", "LWLRAP", "(95", "%)", "macro", "AP"]
    assert [line.split()[0] for line in rows] == list(metrics["test"])
    neither = as_text({"weights": metrics["weights"], "skipped": metrics["skipped"]})
    assert neither.startswith("No metrics: no test recording has ground truth.")


def test_the_table_shows_each_submission_with_its_metrics(metrics: dict) -> None:
    heading, *rows = as_text(metrics).splitlines()
    assert "test LWLRAP" in heading
    assert "out of fold LWLRAP" in heading
    assert [line.split()[0] for line in rows] == list(metrics["test"])
    for line in rows:
        figures = metrics["test"][line.split()[0]]
        assert f"{figures['lwlrap']:.3f} ({figures['lwlrap_low']:.3f} to {figures['lwlrap_high']:.3f})" in line
        assert f"{figures['macro_average_precision']:.3f}" in line
