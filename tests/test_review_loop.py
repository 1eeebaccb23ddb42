"""The simulated reviewer of benchmarks/review_loop.py: what it knows, how it errs, and that it answers a server."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tiny import ROOT

sys.path.append(str(ROOT / "benchmarks"))
sys.path.append(str(ROOT / "tests/review"))

from review_loop import thinned
from reviews import journal, make_review
from simulated_reviewer import NAME, Reviewer, Truth, answer_review


def calls(*stretches: tuple[float, float], species: str = "wren") -> pd.DataFrame:
    t_min, t_max = zip(*stretches, strict=True)
    return pd.DataFrame({"recording_id": "site/a", "species": species, "t_min": t_min, "t_max": t_max})


@pytest.mark.parametrize(
    ("stretches", "expected"),
    [
        ([(1.0, 3.0)], True),  # half of the call is in the window from 2 to 4 s
        ([(0.9, 2.9)], False),
        ([(0.0, 3.0)], True),  # of a longer call, half a window
        ([(0.0, 2.9)], False),
        ([(1.0, 2.9), (3.1, 5.0)], False),  # a bit of two calls is half of none
        ([(3.9, 4.1)], True),
    ],
)
def test_a_window_has_a_species_if_it_has_half_of_a_call(stretches: list[tuple[float, float]], expected: bool) -> None:
    truth = Truth(calls(*stretches))
    window = np.array([2.0]), np.array([4.0])
    assert truth.is_present("site/a", "wren", *window).tolist() == [expected]
    assert not truth.is_present("site/a", "robin", *window)[0]
    assert not truth.is_present("site/b", "wren", *window)[0]


def test_it_errs_as_often_as_it_should_and_each_time_alike() -> None:
    items = [
        {"item": number, "recording_id": "site/a", "species": "wren", "start_s": 2.0, "end_s": 4.0}
        for number in range(1, 1001)
    ]
    truth = Truth(calls((2.5, 3.5)))
    assert {Reviewer(truth, 0.0, 1).answer("one", item) for item in items} == {"present"}
    answers = [Reviewer(truth, 0.1, 1).answer("one", item) for item in items]
    assert 70 < answers.count("absent") < 130
    assert answers == [Reviewer(truth, 0.1, 1).answer("one", item) for item in items]


def test_it_answers_all_items_of_a_served_review_once(tmp_path: Path) -> None:
    session = make_review(tmp_path, 8)
    reviewer = Reviewer(Truth(calls((3.0, 4.0))), 0.0, 1)
    assert answer_review(tmp_path, "one", reviewer) == answer_review(tmp_path, "one", reviewer)
    found = journal(tmp_path)
    assert [answer["item"] for answer in found] == list(session.items)
    assert {answer["reviewer"] for answer in found} == {NAME}
    # The items of wrens that start at 3 s, and at 2 s, have the call.
    present = [one.item for one in session.items.values() if one.species == "wren" and one.start_s <= 3]
    assert [answer["item"] for answer in found if answer["answer"] == "present"] == present


def test_boxes_are_thinned_to_a_number_for_each_species() -> None:
    boxes = pd.DataFrame({"species_id": [0] * 9 + [1] * 2, "t_min": range(11)})
    kept = thinned(boxes, 5, np.random.default_rng(0))
    assert kept.species_id.tolist() == [0] * 5 + [1] * 2
    assert kept.t_min.is_monotonic_increasing
    assert not kept.equals(thinned(boxes, 5, np.random.default_rng(1)))
