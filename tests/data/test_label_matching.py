"""A label goes to the one recording that its path or its file's name can mean, or stops the run."""

from pathlib import Path

import pandas as pd
import pytest

from dawnchorus.data.label_matching import RecordingIndex
from dawnchorus.errors import InputError

ROOT = Path("/data/forest")


def matched(recordings: list[str], *written: str) -> list[str]:
    index = RecordingIndex([ROOT / name for name in recordings], ROOT)
    names = pd.Series(written, range(2, 2 + len(written)), name="Begin Path")
    return [path.relative_to(ROOT).as_posix() for path in index.match_paths(ROOT / "labels.txt", names)]


@pytest.mark.parametrize(
    ("recordings", "written", "expected"),
    [
        (["a/r.wav", "b/r.wav"], r"C:\field\B\R.WAV", "b/r.wav"),
        (["a/r.wav", "b/r.flac"], "b/r.wav", "b/r.flac"),
        (["rec.1.wav", "rec.wav"], "rec.1", "rec.1.wav"),
        (["rec.1.wav", "rec.2.wav"], "rec.2", "rec.2.wav"),
        (["r.wav", "s/r.wav"], "r.wav", "r.wav"),
        (["r.wav", "s/r.wav"], "/data/forest/r.wav", "r.wav"),
        (["r.wav", "s/r.wav"], "./s/r", "s/r.wav"),
        (["a/R.wav", "a/r.wav"], "a/R.wav", "a/R.wav"),
        (["r.flac", "r.1.wav"], "/old/disk/r.wav", "r.flac"),
        (["e\u0301te\u0301.wav"], "été.wav", "e\u0301te\u0301.wav"),
    ],
)
def test_a_path_means_the_recording_that_fits_best(recordings: list[str], written: str, expected: str) -> None:
    assert matched(recordings, written) == [expected]


@pytest.mark.parametrize(
    ("recordings", "written", "reason"),
    [
        (["a/r.wav", "b/r.wav"], ["r.wav"], "line 2, column Begin Path: found 'r.wav', expected one recording, not a"),
        (["a/r.wav"], ["a/x.wav"], "line 2, column Begin Path: found 'a/x.wav', expected a recording in /data/forest"),
        # Only one of two sites was copied.
        (["b/r.wav"], ["b/r.wav", "a/r.wav"], "line 3, column Begin Path: found 'a/r.wav', expected a recording in"),
        (["b/r.wav", "a/s.wav"], ["a/r.wav"], "line 2, column Begin Path: found 'a/r.wav', expected a recording in"),
    ],
)  # fmt: skip
def test_a_path_that_means_none_or_several_is_refused(recordings: list[str], written: list[str], reason: str) -> None:
    with pytest.raises(InputError) as error:
        matched(recordings, *written)
    assert str(error.value).startswith(f"{ROOT / 'labels.txt'}: {reason}")


def test_a_folder_that_was_renamed_is_the_cause() -> None:
    with pytest.raises(InputError, match="correct its folder, which none of these is in; perhaps it was renamed"):
        matched(["a/r.wav", "b/r.wav"], "c/r.wav")
    with pytest.raises(InputError, match="write more of its folders"):
        matched(["a/r.wav", "b/r.wav"], "r.wav")


def test_a_file_name_with_an_unknown_ending_is_of_no_recording() -> None:
    index = RecordingIndex([ROOT / "plot/rec.wav", ROOT / "plot/rec.2.wav"], ROOT)
    assert index.match_name(ROOT / "rec.2.Table.1.selections.txt", ROOT) == ROOT / "plot/rec.2.wav"
    with pytest.raises(InputError, match=r"rec\.1\.txt: no recording in /data/forest has the name of this file"):
        index.match_name(ROOT / "plot/rec.1.txt", ROOT)
    both = RecordingIndex([ROOT / "a/rec.wav", ROOT / "b/rec.wav"], ROOT)
    assert both.match_name(ROOT / "b/rec.txt", ROOT) == ROOT / "b/rec.wav"
    with pytest.raises(InputError, match=r"its name is that of a/rec\.wav and b/rec\.wav; move it"):
        both.match_name(ROOT / "rec.txt", ROOT)


@pytest.mark.parametrize(
    ("recordings", "file", "expected"),
    [
        (["hill/r.wav", "lake/r.wav"], "lake/r.Table.1.selections.txt", "lake/r.wav"),
        (["train/hill/r.wav", "train/lake/r.wav"], "lake/r.txt", "train/lake/r.wav"),
        (["hill/r.wav", "lake/r.wav"], "mine/Lake/r.txt", "lake/r.wav"),
        (["r.wav", "lake/r.wav"], "r.txt", "r.wav"),
        (["2023/hill/r.wav", "2024/hill/r.wav", "2024/lake/r.wav"], "2024/hill/r.txt", "2024/hill/r.wav"),
        (["lake/r.wav", "lake/s.wav"], "r.txt", "lake/r.wav"),
    ],
)
@pytest.mark.parametrize("folder", [ROOT, Path("/home/me/tables")])
def test_a_files_folders_tell_recordings_of_one_name_apart(
    folder: Path, recordings: list[str], file: str, expected: str
) -> None:
    index = RecordingIndex([ROOT / name for name in recordings], ROOT)
    assert index.match_name(folder / file, folder) == ROOT / expected


@pytest.mark.parametrize(
    ("recordings", "file", "reason"),
    [
        (["hill/r.wav", "lake/r.wav"], "r.txt", "its name is that of hill/r.wav and lake/r.wav; move it to a folder "
         "of the same name as its recording's, such as /home/me/tables/hill"),
        # Perhaps the folder of its recording was renamed.
        (["train/r.wav", "test/r.wav"], "mine/r.txt", "no recording in a folder mine has the name of this file, only "
         "train/r.wav and test/r.wav; add the recording, or give this file's folder the name of its recording's"),
        (["2023/hill/r.wav", "2024/hill/r.wav"], "hill/r.txt", "its name is that of 2023/hill/r.wav and 2024/hill"),
        # The recording that it is about was not copied.
        (["hill/r.wav", "lake/s.wav"], "lake/r.txt", "no recording in that folder has the name of this file, only "
         "hill/r.wav; add the recording, or move this file to /home/me/tables/hill if it is about that one"),
        (["2023/hill/r.wav", "2024/hill/s.wav"], "2024/hill/r.txt", "no recording in that folder has the name"),
    ],
)  # fmt: skip
def test_a_file_that_could_be_about_another_recording_is_refused(recordings: list[str], file: str, reason: str) -> None:
    index, folder = RecordingIndex([ROOT / name for name in recordings], ROOT), Path("/home/me/tables")
    with pytest.raises(InputError) as error:
        index.match_name(folder / file, folder)
    assert str(error.value).startswith(f"{folder / file}: {reason}")
