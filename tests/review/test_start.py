"""`dawnchorus review start` draws items once, from the windows that its purpose is about."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

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


def test_recordings_of_other_sites_with_equal_names_are_others(scored: ScoredWindows) -> None:
    """Recorders on one schedule: after a review of a folder, that of another has all of its windows still."""
    own = ["20240611_053000", "20240611_063000"]
    recordings = scored.recordings.iloc[:2].assign(recording_id=own, split="", site="")
    few = scored.recording < 2

    def folder(site: str) -> ScoredWindows:
        files = [f"/mnt/{site}/{name}.wav" for name in own]
        return replace(
            scored, recordings=recordings.assign(file=files), recording=scored.recording[few],
            channel=scored.channel[few], starts=scored.starts[few], scores=scored.scores[few],
            disagreement=scored.disagreement[few], is_measured=scored.is_measured[few],
            detections=scored.detections.iloc[:1].assign(file=files[0], start_s=0.0, end_s=SECONDS),
        )  # fmt: skip

    for purpose, n in (("confirm", 1), ("improve", 2 * PER_RECORDING - 1)):
        for number, site in enumerate(("A", "B")):
            items = start(folder(site), cast(Purpose, purpose), n=n, species=("OWL",), seed=number)
            assert len(items) == n
            assert {item.file.split("/")[2] for item in items} == {site}
    # Nothing is left of either.
    for purpose in ("improve", "confirm"):
        with pytest.raises(InputError, match=r"has no (windows|detections)"):
            start(folder("B"), cast(Purpose, purpose), species=("OWL",), seed=5)


def test_a_labelled_recording_that_was_moved_or_has_a_namesake_in_the_test_set(scored: ScoredWindows) -> None:
    # The labels of data/annotations.csv are about training recordings.
    Path("data").mkdir()
    best = scored.detections.sort_values("score", ascending=False).iloc[[0]]
    row = scored.recordings.index[scored.recordings.file == best.file.iloc[0]][0]
    label = {"species": "OWL", "t_min": 0, "t_max": 60, "f_min": "", "f_max": "", "label": "present"}
    pd.DataFrame([{"recording_id": scored.recordings.recording_id[row]} | label]).to_csv(
        "data/annotations.csv", index=False
    )
    one = replace(scored, detections=best)
    scored.recordings.loc[row, "split"] = "test"
    assert len(start(one, "confirm", n=1)) == 1
    scored.recordings.loc[row, "split"] = "train"
    with pytest.raises(InputError, match="has no detections that nobody has confirmed"):
        start(one, "confirm", n=2)


def test_where_all_windows_are_labelled_other_species_are_asked_about(scored: ScoredWindows) -> None:
    Path("data").mkdir()
    train = scored.recordings[scored.recordings.split == "train"]
    labelled = pd.DataFrame({"recording_id": train.recording_id, "species": "OWL", "t_min": 0, "t_max": 60})
    labelled.assign(f_min="", f_max="", label="absent").to_csv("data/annotations.csv", index=False)
    assert {item.species for item in start(scored, "improve", n=3)} == {"LARK"}
    with pytest.raises(InputError, match="has no windows, outside the test recordings, that nobody has labelled"):
        start(scored, "improve", n=2, species=("OWL",))


def test_each_channel_is_asked_about_by_itself(scored: ScoredWindows) -> None:
    channel = np.where(np.arange(len(scored.starts)) % 2, 2, 1)
    starts = scored.starts - scored.starts % (2 * SECONDS)
    detection = scored.detections.iloc[[0, 0]].assign(channel=["1", "2"])
    file = scored.recordings.file[0]
    detections = detection.assign(file=file, start_s=0.0, end_s=SECONDS)
    both = replace(scored, channel=channel, starts=starts, detections=detections)
    items = start(both, "confirm", n=2, species=("OWL",))
    assert {(item.channel, item.start_s) for item in items} == {("1", 0.0), ("2", 0.0)}
    expected = {float(score) for score in scored.scores[:2, 0]}
    assert {round(item.score, 6) for item in items} == {round(score, 6) for score in expected}
