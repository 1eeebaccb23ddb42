"""How long the rest of a run takes, compared with schedules worked out by hand."""

from pathlib import Path

import pytest

from dawnchorus.workflow.terminal.durations import Durations, Work, time_left
from dawnchorus.workflow.terminal.jobs import share_of


def work(seconds: float | None, share: float, *parents: str, runs: bool = False) -> Work:
    return Work(seconds, share, frozenset(parents), runs)


@pytest.mark.parametrize(
    ("jobs", "expected"),
    [
        ({}, (0, True)),
        # Three on two cores: two at once, then the third.
        ({"a": work(10, 0.5), "b": work(20, 0.5), "c": work(30, 0.5)}, (40, True)),
        # A chain uses one core of two; what has no parents fills the other.
        ({"a": work(10, 0.5), "b": work(10, 0.5, "a"), "c": work(15, 0.5)}, (20, True)),
        # A job that needs all cores waits for the one that runs.
        ({"b": work(5, 1.0), "a": work(10, 0.5, runs=True)}, (15, True)),
        # A parent that has finished holds up nothing.
        ({"b": work(5, 1.0, "gone")}, (5, True)),
        # An unknown duration makes it a lower bound.
        ({"a": work(10, 1.0), "b": work(None, 1.0, "a"), "c": work(3, 1.0, "b")}, (13, False)),
        # Rounding of shares takes no room away.
        ({str(number): work(1, 1 / 3) for number in range(3)}, (1, True)),
    ],
)
def test_jobs_start_when_their_parents_are_done_and_there_is_room(
    jobs: dict[str, Work], expected: tuple[float, bool]
) -> None:
    assert time_left(jobs) == expected


def test_many_jobs_are_estimated_at_once() -> None:
    jobs = {f"train {number}": work(60, 1 / 8) for number in range(800)}
    jobs |= {f"predict {number}": work(30, 1 / 8, f"train {number}") for number in range(800)}
    assert time_left(jobs) == (100 * 90, True)


def test_this_run_counts_before_earlier_ones_and_the_same_kind_before_the_rule(tmp_path: Path) -> None:
    path = tmp_path / "durations.json"
    assert Durations(path).expect("train first small_cnn") is None
    earlier = Durations(path)
    for seconds in (10, 20, 300):
        earlier.add("train first small_cnn", seconds)
    now = Durations(path)
    assert now.expect("train first small_cnn") == 20
    assert now.expect("train first resnet") == 20
    assert now.expect("predict first small_cnn") is None
    now.add("train first resnet", 50)
    assert now.expect("train first resnet") == 50
    assert now.expect("train first small_cnn") == 20
    # What DVC restores is fast, in this run; it says nothing about the next one.
    now.add("train first small_cnn", 1, ran=False)
    assert now.expect("train first small_cnn") == 1
    assert Durations(path).expect("train first small_cnn") == 20
    now.add("cache_unlabelled", 2, ran=False)
    assert Durations(path).expect("cache_unlabelled") == 2


@pytest.mark.parametrize("content", ["", "[1]", '{"seconds": {"train": ["x"]}, "asked": {}}', '{"seconds": {}}'])
def test_a_damaged_file_of_durations_is_as_if_there_were_none(tmp_path: Path, content: str) -> None:
    path = tmp_path / "durations.json"
    path.write_text(content)
    durations = Durations(path)
    assert durations.expect("train") is None
    durations.asked["train"] = {"cores": 2, "gpu": 1}
    durations.add("train", 4)
    assert Durations(path).expect("train") == 4
    assert Durations(path).asked == {"train": {"cores": 2, "gpu": 1}}


@pytest.mark.parametrize(
    ("asked", "provided", "share"),
    [
        ({"cores": 1, "gpu": 0}, {"cores": 4, "gpu": 1}, 0.25),
        ({"cores": 1, "gpu": 1}, {"cores": 4, "gpu": 2}, 0.5),
        # With fewer cores than before, a job gets all that there are.
        ({"cores": 4}, {"cores": 2}, 1.0),
        ({"cores": 4}, {"nodes": 100}, 0.01),
        (None, {"cores": 2}, 1.0),
    ],
)
def test_the_scarcest_resource_of_a_job_is_its_share_of_the_machine(
    asked: dict[str, int] | None, provided: dict[str, int], share: float
) -> None:
    assert share_of(asked, provided) == share
