"""Names in the user's tables find their recordings, or the message gives the reason."""

import re
import unicodedata
from pathlib import Path

import pandas as pd
import pytest

from dawnchorus.data.recording_names import match_recordings
from dawnchorus.data.recordings import list_recordings
from dawnchorus.errors import InputError

COMPOSED, DECOMPOSED = (unicodedata.normalize(form, "\u00e9t\u00e9") for form in ("NFC", "NFD"))


def match(root: Path, files: list[str], names: list[str]) -> tuple[list[str], list[str]]:
    """Make empty files below a folder and match names in a table about train/, from its line 2 on."""
    for name in ["train/some.wav", "test/other.wav", *files]:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    found = {split: list_recordings(root / split)[0] for split in ("train", "test")}
    table = pd.Series(names, range(2, len(names) + 2))
    matched, remarks = match_recordings(root / "train_tp.csv", table, found, "train", root)
    assert list(matched.index) == list(table.index)
    return list(matched), remarks


@pytest.mark.parametrize(
    ("file", "name", "why"),
    [
        ("a.wav", "a.wav", "without the suffix"),
        ("a.WAV", "a.wav", "without the suffix"),
        ("a.wav", "a.WAV", "without the suffix"),
        # Converted, as the message about this format asks for.
        ("a.flac", "a.m4a", "without the suffix"),
        ("20240611.053000.wav", "20240611.053000.wav", "without the suffix"),
        (f"{DECOMPOSED}.wav", COMPOSED, "which is the same in another Unicode form"),
        (f"{COMPOSED}.wav", DECOMPOSED, "which is the same in another Unicode form"),
        (f"{DECOMPOSED}.wav", f"{COMPOSED}.wav", "without the suffix"),
        ("site1/a.wav", "site1\\a.wav", "the only recording with such a name"),
        ("site1/a.wav", "site1\\a", "the only recording with such a name"),
        ("a.wav", " a ", "the only recording with such a name"),
        ("site1/a.wav", "./site1/a", "the only recording with such a name"),
        ("site1/a.wav", "train/site1/a.wav", "the only recording with such a name"),
    ],
)
def test_a_name_that_can_mean_one_recording_only_means_it(tmp_path: Path, file: str, name: str, why: str) -> None:
    recording_id = file.rpartition(".")[0]
    names, remarks = match(tmp_path, [f"train/{file}", "train/b.wav"], ["b", name, "b", name])
    assert names == ["b", recording_id, "b", recording_id]
    assert remarks == [f"train_tp.csv line 3: {name!r} is read as {recording_id!r}, {why} (1 more rows like this)"]


def test_a_recording_of_exactly_that_name_comes_first(tmp_path: Path) -> None:
    names, remarks = match(tmp_path, ["train/a.wav.wav", "train/a.wav"], ["a.wav", "a"])
    assert (names, remarks) == (["a.wav", "a"], [])


@pytest.mark.parametrize(
    ("files", "name", "reason"),
    [
        ([], "a", "correct or remove the row"),
        (["train/A.wav"], "a", "upper and lower case differ; write 'A'"),
        (["train/Site1/a.wav"], "site1/a.wav", "upper and lower case differ; write 'Site1/a'"),
        (["train/site1/a.wav"], "a", "a recording of that name lies in another folder; write 'site1/a'"),
        (["train/x/a.wav", "train/y/a.wav"], "a.wav", "lies in another folder; write 'x/a' or 'y/a'"),
        (["train/a.wav"], "site1/a", "a recording of that name lies in another folder; write 'a'"),
        ([f"train/{DECOMPOSED}.wav", f"train/{COMPOSED}.wav"], f"{COMPOSED}.wav", "several recordings may be meant"),
        (["train/0012.wav"], "12", "leading zeros are missing or too many; write '0012'"),
        (["train/a.wav"], "C:\\field\\a.wav", "lies in another folder; write 'a'"),
        (["train/a.m4a"], "a", "train/a.m4a is in a format that is not read; convert to FLAC: ffmpeg -i "),
        (["train/my site/a.WMA"], "my site/a.WMA", "/train/my site/a.flac'"),
        (["train/a.txt"], "a", "train/a.txt has none of the suffixes .flac, .wav"),
        (["train/a"], "a", "train/a has none of the suffixes"),
        (["test/a.wav"], "a", "/test, and this table is about train/"),
    ],
)
def test_the_message_gives_the_reason(tmp_path: Path, files: list[str], name: str, reason: str) -> None:
    with pytest.raises(InputError, match=re.escape(reason)) as error:
        match(tmp_path, files, ["some", name, name])
    place = f"{tmp_path}/train_tp.csv: line 3, column recording_id: found {name!r}"
    expected = f"a recording that has a file in {tmp_path}/train (1 more rows like this)"
    assert str(error.value).startswith(f"{place}, expected {expected}; ")
    assert ("remove the row" in str(error.value)) == (not files)
    # Few rows with files are rather missing recordings.
    assert "2 of 3 rows have no file, so first make sure that all recordings are there" in str(error.value)


def test_a_single_row_among_many_says_nothing_about_the_recordings(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"correct or remove the row$"):
        match(tmp_path, ["train/a.wav", "train/b.wav"], ["a", "b", "c"])


def test_a_folder_on_a_disk_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "train/site1").symlink_to("/mnt/card/site1")
    with pytest.raises(InputError, match="train/site1 is a link to /mnt/card/site1, which does not exist"):
        match(tmp_path, [], ["site1/a"])
