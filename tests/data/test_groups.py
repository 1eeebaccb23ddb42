"""Groups that are spelled in several ways are one."""

import pytest

from dawnchorus.data.groups import merged_spellings


@pytest.mark.parametrize(
    "spellings",
    [
        ["1", "1.0", "01", "1.", "1,0", "+1", " 1 ", "1e0", "1.00", "0.1e1"],
        ["Hill", "hill", "HILL", "Hill ", " hill", "\u00a0Hill", "\ufeffHill", "Hi\u200bll"],
        ["upper  hill", "Upper Hill", "upper\thill"],
        ["\u00c9t\u00e9", "E\u0301te\u0301", "\u00e9t\u00e9"],
        ["Stra\u00dfe", "STRASSE"],
        ["12345678901234567890123.0", "12345678901234567890123"],
    ],
)
def test_spellings_of_one_group_become_the_first(spellings: list[str]) -> None:
    assert set(merged_spellings(spellings).values()) == {" ".join(spellings[0].split())}


def test_other_groups_stay_apart() -> None:
    names = ["1", "2", "10", "1.5", "1a", "a1", "-1", "hill", "hill 2", "nan", "inf", "", "1_0", "2024-06-11",
             "12345678901234567890123", "12345678901234567890124"]  # fmt: skip
    assert merged_spellings(names) == {name: name for name in names}
