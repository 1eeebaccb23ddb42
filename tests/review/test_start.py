"""`dawnchorus review start` draws items once, from the windows that its purpose is about."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from windows import CODES, PER_RECORDING, SECONDS, scored_windows

from dawnchorus.config.params import Params
from dawnchorus.errors import InputError
from dawnchorus.review.items import Item, Purpose
from dawnchorus.review.scores import ScoredWindows
from dawnchorus.review.session import read_session, review_lines
from dawnchorus.review.start import start_review

NOW = datetime(2026, 5, 1, 8, 30, tzinfo=UTC)


@pytest.fixture
def scored(params: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ScoredWindows:
    monkeypatch.chdir(tmp_path)
    return scored_windows(params)


def start(
    scored: ScoredWindows, purpose: Purpose, n: int = 12, species: tuple[str, ...] = (), seed: int = 1
) -> list[Item]:
    """Start a review named after its purpose and seed; returns its items."""
    start_review(scored, Path("results"), purpose, species, n, f"{purpose}-{seed}-{n}", seed, NOW)
    return list(read_session(f"{purpose}-{seed}-{n}").items.values())


def test_a_measure_sample_is_of_the_recordings_that_thresholds_are_for(scored: ScoredWindows) -> None:
    items = start(scored, "measure")
    assert Counter(item.species for item in items) == {"OWL": 12, "LARK": 12}
    assert {item.split for item in items} == {"test"}
    assert [item.item for item in items] == list(range(1, 25))
    for code in CODES:
        weights = [1 / (item.inclusion_probability or 0) for item in items if item.species == code]
        assert sum(weights) == pytest.approx(20 * PER_RECORDING)
    first = items[0]
    assert (first.file, first.purpose) == (f"data/own/test/{first.recording_id}.wav", "measure")
    assert first.probability == pytest.approx(first.score)
    assert first.threshold == 0.9
    assert items[-1].probability is None
    assert items[-1].threshold is None
    begin = datetime.fromisoformat(first.clock_time)
    assert (begin.hour, begin.minute * 60 + begin.second) == (6, first.start_s)
    # Items in order of score would tell what to expect.
    owl = [item.score for item in items if item.species == "OWL"]
    assert owl not in (sorted(owl), sorted(owl)[::-1])


def test_the_same_seed_draws_the_same_items_and_another_one_others(scored: ScoredWindows) -> None:
    first = start(scored, "measure")
    Path("review/measure-1-12").rename("elsewhere")
    assert start(scored, "measure") == first
    # So does the same seed once there is a sample.
    Path("review/measure-1-12").rename("review/before")
    assert start(scored, "measure") != first
    Path("review").rename("others")
    assert start(scored, "measure", seed=2) != first


def test_a_sample_of_one_species_is_that_of_all(scored: ScoredWindows) -> None:
    every = start(scored, "measure")
    Path("review/measure-1-12").rename("elsewhere")
    alone = start(scored, "measure", species=("LARK",))
    assert [item.score for item in alone] == [item.score for item in every if item.species == "LARK"]


def test_improve_asks_about_training_windows_that_nobody_has_labelled(scored: ScoredWindows) -> None:
    Path("data").mkdir()
    train = scored.recordings[scored.recordings.split == "train"]
    labelled = pd.DataFrame({"recording_id": train.recording_id, "species": "OWL", "t_min": 0, "t_max": 54})
    labelled.assign(f_min="", f_max="", label="present").to_csv("data/annotations.csv", index=False)
    items = start(scored, "improve", n=8)
    assert {item.split for item in items} == {"train"}
    assert {item.inclusion_probability for item in items} == {None}
    assert min(item.start_s for item in items if item.species == "OWL") >= 54
    owl = [item for item in items if item.species == "OWL"]
    assert len({item.recording_id for item in owl}) == 8
    assert {item.site for item in owl} == {"site0", "site1"}
    # The next review asks about others.
    more = start(scored, "improve", n=9)
    shown = {(item.species, item.recording_id, item.start_s) for item in items}
    assert not shown & {(item.species, item.recording_id, item.start_s) for item in more}


def test_improve_asks_about_probable_calls_and_about_what_members_disagree_on(scored: ScoredWindows) -> None:
    scored.recordings["site"] = ""
    split = np.zeros_like(scored.scores)
    rows = np.flatnonzero(~scored.is_measured)[[5, 77, 300]]
    split[rows] = 3.0
    scored.scores[rows] = 0.5
    items = start(replace(scored, disagreement=split), "improve", n=6, species=("OWL",))
    assert {(item.recording_id, item.start_s) for item in items[1::2]} == {
        (scored.recordings.recording_id[scored.recording[row]], scored.starts[row]) for row in rows
    }
    assert min(item.score for item in items[::2]) > np.quantile(scored.scores[~scored.is_measured, 0], 0.95)


def test_confirm_asks_about_the_best_detections(scored: ScoredWindows) -> None:
    items = start(scored, "confirm", n=4)
    assert {item.species for item in items} == {"OWL"}
    best = scored.detections.score.max()
    assert items[0].score == pytest.approx(best, abs=1e-6)
    # Four places are the first ones of all ten detections, which the next review does not repeat.
    others = start(scored, "confirm", n=10)
    assert len(others) == 6
    places = {(item.site, item.clock_time[:10]) for item in items}
    assert len(places) == min(4, len(places | {(item.site, item.clock_time[:10]) for item in others}))


def test_without_windows_only_detections_can_be_reviewed(scored: ScoredWindows) -> None:
    empty = replace(
        scored, recording=scored.recording[:0], channel=scored.channel[:0], starts=scored.starts[:0],
        scores=scored.scores[:0], disagreement=scored.disagreement[:0], is_measured=scored.is_measured[:0],
    )  # fmt: skip
    with pytest.raises(InputError, match=r"windows/, are not there any more, .*--purpose confirm"):
        start(empty, "measure")
    items = start(empty, "confirm", n=4)
    assert len(items) == 4
    assert items[0].end_s - items[0].start_s == SECONDS


def test_what_cannot_be_drawn_is_named(scored: ScoredWindows) -> None:
    start(scored, "measure")
    for species, name, message in [
        (["WREN"], None, "--species: found 'WREN', expected some of OWL, LARK"),
        ([], "../x", "--name: found '../x', expected letters"),
        ([], "measure-1-12", "--name: there is a review review/measure-1-12"),
    ]:
        with pytest.raises(InputError, match=message):
            start_review(scored, Path("results"), "measure", species, 5, name, 1, NOW)
    with pytest.raises(InputError, match="results: has no detections that nobody has confirmed of LARK"):
        start_review(scored, Path("results"), "confirm", ["LARK"], 5, None, 1, NOW)
    assert not list(Path("review").glob("confirm*"))


def test_reviews_are_named_after_purpose_and_date_and_listed(scored: ScoredWindows) -> None:
    for _ in range(2):
        lines = start_review(scored, Path("results"), "measure", ["OWL"], 5, None, 1, NOW)
    assert lines[-1] == "Answer them with: dawnchorus review serve measure-2026-05-01-2"
    assert review_lines()[0] == "measure-2026-05-01  measure  OWL: 5 items, answered: none"


def test_a_recording_with_fewer_windows_than_asked_for_gives_all(scored: ScoredWindows) -> None:
    lines = start_review(scored, Path("results"), "measure", ["OWL"], 500, None, 1, NOW)
    assert lines[0] == "OWL: 400 items, because there are no more windows"
