"""Prefetching: the same items in the same order, and no thread that outlives them."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import count, islice

import pytest

from dawnchorus.training.prefetching import in_background


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("batches")]


def test_items_keep_their_order() -> None:
    assert list(in_background(iter(range(100)))) == list(range(100))
    assert list(in_background(iter([]))) == []
    assert list(in_background(iter([None, 0, []]))) == [None, 0, []]
    assert threads() == []


def test_a_limited_number_of_items_is_prepared_in_advance() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for number in count():
            made.append(number)
            yield number

    with closing(in_background(items(), ahead=3)) as background:
        assert next(background) == 0
        deadline = time.monotonic() + 10
        while len(made) < 4 and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.2)
        assert made == [0, 1, 2, 3]  # the one in use, and three ahead
        assert threads()


def test_an_error_is_raised_at_the_position_of_its_item() -> None:
    def items() -> Iterator[int]:
        yield from range(5)
        raise ValueError("a damaged spectrogram")

    background = in_background(items())
    assert list(islice(background, 5)) == list(range(5))
    with pytest.raises(ValueError, match="a damaged spectrogram"):
        next(background)
    assert threads() == []


def test_closing_the_generator_ends_the_thread() -> None:
    with closing(in_background(count())) as background:
        assert list(islice(background, 3)) == [0, 1, 2]
        assert threads()
    assert threads() == []
