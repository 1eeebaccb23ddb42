"""Sites are found in the paths of recordings, and can be groups of folds."""

from pathlib import Path

import pandas as pd
import pytest

from dawnchorus.data.dataset import Dataset
from dawnchorus.data.sites import find_sites, group_by_site, site_groups
from dawnchorus.errors import InputError


@pytest.mark.parametrize(
    ("recording_id", "pattern", "site"),
    [
        ("hill/AM01/20240611_053000", None, "hill/AM01"),
        ("20240611_053000", None, ""),
        ("hill/AM01/20240611_053000", "^(?P<site>[^/]+)/", "hill"),
        ("hill/AM01/20240611_053000", "(?P<site>AM[0-9]+)", "AM01"),
        ("HILL_20240611_053000", "^(?P<site>[^_]+)_", "HILL"),
        ("2024/S4A07_20240611_053000", "(?P<site>[^/_]+)_", "S4A07"),
    ],
)
def test_a_site_is_the_folder_or_what_the_pattern_finds(recording_id: str, pattern: str | None, site: str) -> None:
    assert find_sites({"train": [recording_id], "test": []}, pattern) == {"train": {recording_id: site}, "test": {}}


@pytest.mark.parametrize("pattern", ["^(?P<site>[A-Z]+)_", "^(?P<site>[A-Z]*)", "^(?:(?P<site>[A-Z]+)_|[0-9])"])
def test_recordings_in_which_a_pattern_finds_no_site_are_an_error(pattern: str) -> None:
    names = {"train": ["HILL_1", "2_HILL", "LAKE_1"], "test": ["3"]}
    with pytest.raises(InputError) as error:
        find_sites(names, pattern)
    assert f"data.site_pattern: {pattern!r} finds no site in 2 of 4 recordings, first '2_HILL'" in str(error.value)


@pytest.mark.parametrize("pattern", ["(?P<site>[a-z", "([a-z]+)", "(?P<place>[a-z]+)"])
def test_a_pattern_without_a_site_is_an_error(pattern: str) -> None:
    with pytest.raises(InputError, match=r"data\.site_pattern: found .*, expected a regular expression with a group"):
        find_sites({"train": ["a/1"]}, pattern)


def without_groups(*names: str) -> Dataset:
    files = {"train": {name: Path(f"{name}.wav") for name in names}, "test": {}}
    return Dataset(Path(), files, pd.DataFrame(), [], pd.Series(dtype=str), pd.DataFrame(), {}, [])


def test_the_recordings_of_a_site_are_a_group() -> None:
    found = group_by_site(without_groups("hill/1", "Hill/2", "lake/1"), find_sites_of("hill/1", "Hill/2", "lake/1"))
    assert dict(found.groups) == {"hill/1": "hill", "Hill/2": "hill", "lake/1": "lake"}
    assert found.remarks == ["split.group site: 'hill', 'Hill' are one group"]
    assert dict(site_groups({"Hill/3": "Hill", "4": ""})) == {"Hill/3": "Hill", "4": ""}


def test_a_recording_without_a_site_has_no_group() -> None:
    with pytest.raises(InputError) as error:
        group_by_site(without_groups("hill/1", "2", "3"), find_sites_of("hill/1", "2", "3"))
    assert "2 of 3 training recordings have none, first '2': they are in no folder; let data.site_pattern" in str(
        error.value
    )


def find_sites_of(*names: str) -> dict[str, str]:
    return find_sites({"train": names}, None)["train"]
