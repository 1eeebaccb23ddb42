"""Answers of reviewers rerun what they change, and nothing else."""

from pathlib import Path

import pandas as pd
import pytest
from clone import RESULTS, Clone

from dawnchorus.review.journal import Answer
from dawnchorus.review.session import read_session


def review(clone: Clone, *words: str) -> str:
    return clone.run("env", "PYTHONPATH=src", "python", "-m", "dawnchorus.command", "review", *words)


def answer_all(clone: Clone, name: str) -> int:
    """Answer all items of a review: every third is present; returns the number of items."""
    session = read_session(str(clone.path / "review" / name))
    for number in session.items:
        said = "absent" if number % 3 else "present"
        session.answer(Answer(number, said, "Ada", "2026-05-01T08:30:00+00:00", session.items[number].species))
    return len(session.items)


@pytest.mark.slow
def test_answers_rerun_what_they_change(through_snakemake: Clone, tmp_path: Path) -> None:
    clone = through_snakemake.copy(tmp_path / "clone")
    review(clone, "start", "results", "--purpose", "measure", "--species", "s1", "-n", "12", "--name", "m")
    assert "m  measure  s1: 12 items, answered: none" in review(clone, "status")
    answer_all(clone, "m")
    assert "dawnchorus review finish m" in review(clone, "next", "results")
    review(clone, "finish", "m")
    before = (clone.path / "data/annotations.csv").read_bytes()
    clone.snakemake()
    # What measures trains no model.
    assert clone.started() == sorted(["ingest", "bundle", "calibrate", "find_detections", "report"])
    assert (clone.path / "data/annotations.csv").read_bytes() == before
    table = pd.read_csv(clone.path / "results/thresholds.csv").set_index("species")
    assert table.rests_on["s1"] == "12 answers of m"
    assert set(table.rests_on.drop("s1")) == {"annotations"}
    assert "12 answers of m" in (clone.path / "results/model/README.md").read_text()
    assert "Call density" in review(clone, "report", "m")
    # The next answers teach.
    review(clone, "start", "results", "--purpose", "improve", "--species", "s2", "-n", "3", "--name", "i")
    count = answer_all(clone, "i")
    review(clone, "finish", "i")
    assert clone.planned() == clone.stale()
    clone.run("dvc", "repro", "ingest")
    labels = pd.read_csv(clone.path / "data/annotations.csv")
    assert len(labels) == before.count(b"\n") - 1 + count
    assert "train@round0-small_cnn-0" in clone.stale()
    assert set(RESULTS) <= clone.stale()
