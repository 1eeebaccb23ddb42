"""Words and numbers in messages."""

import pytest

from dawnchorus.wording import counted, score_text


def test_one_thing_and_several() -> None:
    assert [counted(number, "box", "boxes") for number in (0, 1, 2)] == ["0 boxes", "1 box", "2 boxes"]
    assert counted(3, "label") == "3 labels"


@pytest.mark.parametrize(
    ("score", "text"),
    [
        (0, "0"), (0.000012345, "1.23e-05"), (0.5, "0.5"), (0.84219, "0.842"), (0.9996, "0.9996"), (0.99998, "0.99998"),
        (1 - 2**-53, "0.9999999999999999"), (1.0, "1"),
    ],
)  # fmt: skip
def test_a_score_below_1_is_never_shown_as_1(score: float, text: str) -> None:
    assert score_text(score) == text
    assert (float(text) < 1) == (score < 1)
