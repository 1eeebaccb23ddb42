"""Sums over processes."""

import multiprocessing
import time

from dawnchorus.inference.tally import Tally


def test_recordings_that_were_not_started_count_by_their_size() -> None:
    tally = Tally(multiprocessing.get_context("spawn"))
    assert (tally.scored(), tally.total(500), tally.elapsed()) == (0, 0, 0)
    tally.start(60.0, 100)
    # An unreadable one has a size and no sound.
    tally.start(0.0, 20)
    tally.add(15.0)
    assert (tally.scored(), tally.total(480)) == (15, 240)
    tally.start(3600.0, 360)
    assert tally.total(480) == 3660


def test_time_counts_from_the_first_process_that_is_ready() -> None:
    tally = Tally(multiprocessing.get_context("spawn"))
    tally.get_ready()
    time.sleep(0.05)
    before = tally.elapsed()
    tally.get_ready()
    assert before >= 0.05
    assert tally.elapsed() >= before
