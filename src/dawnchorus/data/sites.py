"""Sites: where each recording is from, as its folder or a part of its path tells."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import PurePosixPath

import pandas as pd

from dawnchorus.config.data import SITE, compile_site_pattern
from dawnchorus.data.dataset import Dataset
from dawnchorus.data.groups import merged_spellings, spelling_remarks
from dawnchorus.errors import InputError


def find_sites(
    recordings: Mapping[str, Iterable[str]], pattern: str | None, setting: str = "data.site_pattern"
) -> dict[str, dict[str, str]]:
    """Find the site of each recording.

    Args:
        recordings: the recording_ids of each split.
        pattern: a regular expression with the group `site`; None for the folder that a recording is in.
        setting: where the pattern is from, for messages.

    Returns:
        The site by split and recording_id; empty for a recording that is in no folder.

    Raises:
        InputError: the pattern is invalid, or finds no site in a recording_id.
    """
    if pattern is None:
        return {split: {name: _folder(name) for name in names} for split, names in recordings.items()}
    try:
        compiled = compile_site_pattern(pattern)
    except ValueError as error:
        raise InputError(f"{setting}: {error}") from error
    sites = {
        split: {name: found[SITE] or "" if (found := compiled.search(name)) else "" for name in names}
        for split, names in recordings.items()
    }
    without = [name for by_id in sites.values() for name, site in by_id.items() if not site]
    if without:
        n_recordings = sum(len(by_id) for by_id in sites.values())
        raise InputError(
            f"{setting}: {pattern!r} finds no site in {len(without)} of {n_recordings} recordings, first "
            f"{without[0]!r}; expected one in each such name, the path below the folder of recordings without the "
            "suffix; correct the pattern"
        )
    return sites


def group_by_site(dataset: Dataset, sites: Mapping[str, str]) -> Dataset:
    """Make the recordings of one site a group.

    Args:
        dataset: a data set.
        sites: the site of each training recording, by recording_id.

    Returns:
        The data set, with a remark about each site that is spelled in several ways.

    Raises:
        InputError: a recording has no site.
    """
    without = [name for name, site in sites.items() if not site]
    if without:
        raise InputError(
            f"split.group in params.yaml is {SITE}, but {len(without)} of {len(sites)} training recordings have none, "
            f"first {without[0]!r}: they are in no folder; let data.site_pattern find the site in their names, or set "
            "split.group to null"
        )
    remarks = spelling_remarks(SITE, merged_spellings(sites.values()))
    return replace(dataset, groups=site_groups(sites), remarks=[*dataset.remarks, *remarks])


def site_groups(sites: Mapping[str, str]) -> pd.Series:
    """The group of each recording, by recording_id: its site, of which spellings are merged."""
    spelling = merged_spellings(sites.values())
    return pd.Series({name: spelling[site] for name, site in sites.items()}, dtype=str)


def _folder(recording_id: str) -> str:
    folder = PurePosixPath(recording_id).parent.as_posix()
    return "" if folder == "." else folder
