"""Whole outputs are not removed: where DVC's cache has lost its copy of them, and where their stage is frozen."""

from pathlib import Path

import pytest
from clone import RESULTS, Clone

pytestmark = pytest.mark.slow

VERIFY = ("env", "PYTHONPATH=src", "python", "workflow/scripts/verify.py")
SHOW = (*VERIFY[:-1], "workflow/scripts/show_metrics.py", "--figures", "results/figures.json",
        "--reliability", "results/reliability.csv")  # fmt: skip
TRAIN = {f"train@round0-small_cnn-{fold}" for fold in (0, 1)}
PREDICT = {f"predict@round0-small_cnn-{fold}" for fold in (0, 1)}


@pytest.fixture
def clone(through_snakemake: Clone, tmp_path: Path) -> Clone:
    """A copy of the finished clone that a test may change."""
    return through_snakemake.copy(tmp_path / "clone")


def assert_refused_until_verified(clone: Clone) -> None:
    """Check that Snakemake removes nothing while outputs are not in the cache, and that `make verify` copies them."""
    before = {path: path.stat().st_mtime_ns for path in (clone.path / "results").rglob("*") if path.is_file()}
    for option in ("--dry-run", "--keep-going"):
        refused = clone.snakemake(option, fails=True)
        assert "DVC's cache has no copy of intact outputs, for example " in refused
        assert "and a run would remove them: run `make verify` first, which copies them into the cache" in refused
        assert "Traceback" not in refused
    assert "run `make verify` first" in clone.run(*SHOW, fails=True)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    verified = clone.run(*VERIFY)
    assert "copied to DVC's cache, which did not have them: " in verified
    assert "undamaged" in verified


def test_outputs_are_copied_to_a_cache_that_lost_them(clone: Clone, tmp_path: Path) -> None:
    clone.run("dvc", "cache", "dir", "--local", "../cache")
    (clone.path / ".dvc/cache").rename(tmp_path / "cache")
    clone.assert_nothing_to_do()
    other = Clone(tmp_path / "other")
    other.path.mkdir()
    other.run("git", "init", "--quiet")
    other.run("dvc", "init", "--quiet")
    other.run("dvc", "cache", "dir", "--local", "../cache")
    # As docs/sharing.md says, this keeps what the other project needs.
    other.run("dvc", "gc", "--workspace", "--force", "--projects", str(clone.path))
    clone.assert_nothing_to_do()
    other.run("dvc", "gc", "--workspace", "--force")
    assert_refused_until_verified(clone)
    clone.assert_neither_engine_has_anything_to_do()

    # A run whose outputs DVC did not copy, with another run after it.
    clone.edit_params("ensemble", {"bootstrap_samples": 150})
    clone.run("dvc", "repro", "--no-commit")
    assert clone.started() == ["bundle", "check_params", "ensemble", "report"]
    clone.edit_params("ensemble", {"bootstrap_samples": 200})
    assert_refused_until_verified(clone)
    clone.snakemake()
    clone.started()
    for samples in (150, 100):
        clone.edit_params("ensemble", {"bootstrap_samples": samples})
        clone.run("dvc", "repro")
        assert clone.started() == ["check_params"]


def assert_nothing_to_do(clone: Clone) -> None:
    """Check that neither engine starts a command where a stage is frozen, which DVC says each time."""
    clone.assert_nothing_to_do()
    said = clone.run("dvc", "repro")
    assert "'split_folds' is frozen" in said
    assert "Running stage" not in said


def test_a_frozen_stage_keeps_its_outputs(clone: Clone, through_dvc: Clone, tmp_path: Path) -> None:
    outputs = ("data/folds.csv", "data/splits/train.csv", "data/fold_report.csv")
    for engine in (clone, through_dvc.copy(tmp_path / "dvc")):
        before = {name: (engine.path / name).read_bytes() for name in outputs}
        engine.run("dvc", "freeze", "split_folds")
        # A change above it, and one of its own parameters, which also decides whether scores out of fold are honest.
        with (engine.path / "workflow/scripts/ingest.py").open("a") as file:
            file.write("\n# changed\n")
        engine.edit_params("split", {"method": "notebook"})
        engine.started()
        if engine is clone:
            assert engine.planned() == {"check_params", "ingest", *TRAIN, *PREDICT, *RESULTS}
            engine.snakemake()
        else:
            engine.run("dvc", "repro")
        assert engine.started() == ["bundle", "calibrate", "check_params", "ingest", "report"]
        assert {name: (engine.path / name).read_bytes() for name in outputs} == before
        engine.assert_nothing_to_do()

    # DVC takes note of changes to its outputs, instead of making them again.
    changed = clone.path / "data/fold_report.csv"
    changed.write_text(before["data/fold_report.csv"].decode() + "\n")
    assert "split_folds" in clone.planned()
    clone.snakemake()
    assert clone.started() == []
    assert changed.read_bytes() == before["data/fold_report.csv"] + b"\n"
    assert_nothing_to_do(clone)

    # It does not restore them.
    changed.unlink()
    refused = clone.snakemake(fails=True)
    assert "data/fold_report.csv is missing, and split_folds, which makes it, is frozen: `dvc checkout" in refused
    assert "missing" in clone.run("dvc", "repro", fails=True)
    assert (clone.path / "data/folds.csv").exists()
    clone.run("dvc", "checkout", "data/fold_report.csv")
    clone.assert_nothing_to_do()
