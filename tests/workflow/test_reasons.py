"""Each job's reason is DVC's own, in words."""

from pathlib import Path

import pytest
from clone import Clone

from dawnchorus.workflow.reasons import after, reason


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ([{"changed deps": {"data/folds.csv": "modified"}}], "data/folds.csv changed"),
        ([{"changed deps": {"params.yaml": {"train.epochs": "modified"}}}], "train.epochs changed"),
        ([{"changed deps": {"params.yaml": {"seed": "new"}}}], "seed in params.yaml is new"),
        (
            [{"changed deps": {"src/dawnchorus/models/backbones/small_cnn.py": "modified"}}],
            "models/backbones/small_cnn.py changed",
        ),
        ([{"changed deps": {"a": "modified", "b": "deleted", "c": "modified"}}], "a changed, b is missing and 1 more"),
        (["changed command"], "its command changed"),
        ([{"changed outs": {"a": "deleted", "b": "not in cache"}}], "its results are missing"),
        ([{"changed outs": {"a": "modified"}}], "a differs from dvc.lock"),
        # Of outputs nothing is told where inputs have changed.
        ([{"changed deps": {"a": "modified"}}, {"changed outs": {"b": "deleted"}}], "a changed"),
        # Another stage makes these before.
        ([{"changed deps": {"made/in/it": "deleted", "made/by": "deleted"}}], ""),
    ],
)
def test_dvcs_status_in_words(status: list, words: str) -> None:
    assert reason(status, ["made/in", "made/by/one"]) == words


def test_a_stage_below_names_those_above() -> None:
    assert after(["train@a-1", "train@a-0", "data/demo/dvc.yaml:synthesize"]) == "after synthesize, train"


@pytest.mark.slow
def test_a_dry_run_tells_why_each_job_runs(through_snakemake: Clone, tmp_path: Path) -> None:
    clone = through_snakemake.copy(tmp_path / "clone")
    clone.edit_params("train", {"epochs": 2})
    clone.edit_params("ensemble", {"bootstrap_samples": 150})
    (clone.path / "results/thresholds.csv").unlink()
    lines = clone.snakemake("--dry-run").splitlines()
    start = next(row for row, line in enumerate(lines) if line.endswith("jobs would run:"))
    told = dict(line.split(": ", 1) for line in lines[start + 1 :])
    assert told == {
        "check_params": "train in params.yaml changed, ensemble in params.yaml changed",
        **{f"train small_cnn fold {fold}": "train.epochs changed" for fold in (0, 1)},
        **{f"predict small_cnn fold {fold}": "after train" for fold in (0, 1)},
        "calibrate": "its results are missing",
        "ensemble": "ensemble in params.yaml changed",
        "bundle": "after calibrate, ensemble and 2 more",
        "find_detections": "after calibrate, predict",
        # It lists the settings that differ from the defaults.
        "report": "train in params.yaml changed, ensemble in params.yaml changed",
    }
    # Each job tells it in its log, too.
    assert (clone.path / "logs/ensemble.log").read_text().startswith("reason: never run\n")
