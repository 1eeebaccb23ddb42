"""Files appear whole or not at all; progress is readable in a log."""

import errno
import os
from pathlib import Path

import pytest

from dawnchorus.cli import run
from dawnchorus.errors import InputError
from dawnchorus.files import replacing
from dawnchorus.progress import HoursProgress, Progress, hours_line, progress_line, track
from dawnchorus.seeding import generator


def test_a_file_that_could_not_be_finished_leaves_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "folder" / "table.csv"
    with replacing(target) as path:
        path.write_text("old")

    def fail() -> None:
        with replacing(target) as path:
            path.write_text("ne")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert target.read_text() == "old"
    assert [file.name for file in target.parent.iterdir()] == ["table.csv"]


def test_an_error_without_a_place_gets_one(tmp_path: Path) -> None:
    def fill() -> None:
        with replacing(tmp_path / "table.csv"):
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(SystemExit, match=r"error: .*/table\.csv: No space left on device; check disk space"):
        run(fill)


def test_a_folder_is_replaced_whole(tmp_path: Path) -> None:
    target = tmp_path / "folder"
    for names in (["a", "b"], ["c"]):
        with replacing(target) as path:
            path.mkdir()
            for name in names:
                (path / name).touch()
    assert [file.name for file in target.iterdir()] == ["c"]


def test_a_file_never_replaces_a_folder(tmp_path: Path) -> None:
    (tmp_path / "recordings").mkdir()
    (tmp_path / "recordings/a.wav").touch()
    with pytest.raises(InputError, match=r"recordings: is a folder"), replacing(tmp_path / "recordings") as path:
        path.write_text("table")
    assert [file.relative_to(tmp_path).as_posix() for file in tmp_path.rglob("*")] == ["recordings", "recordings/a.wav"]


def test_names_may_be_as_long_as_the_file_system_allows(tmp_path: Path) -> None:
    temporaries = set()
    for name in ("x" * 245 + "a.flac.npy", "x" * 244 + "ab.flac.npy", "é" * 125 + "x.npy"):
        with replacing(tmp_path / name) as path:
            assert len(os.fsencode(path.name)) <= 255
            assert path.parent == tmp_path
            assert path.name.startswith(".writing.")
            assert path.suffix == ".npy"
            path.write_text(name)
            temporaries.add(path)
        assert (tmp_path / name).read_text() == name
    assert len(temporaries) == len(list(tmp_path.iterdir())) == 3


def test_a_log_gets_plain_lines_with_what_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(track(iter("abc"), 3, "recordings cached")) == ["a", "b", "c"]
    assert capsys.readouterr().err == "3 of 3 recordings cached, took 0 s\n"
    assert progress_line(40, 160, "recordings cached", seconds=5.0) == "40 of 160 recordings cached, 15 s left"


def test_a_terminal_gets_a_bar(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    progress = Progress(2, "epochs")
    for _ in range(2):
        progress.step("loss 0.5")
    shown = capsys.readouterr().err
    assert "epochs: 100%" in shown
    assert "2/2" in shown
    assert "loss 0.5" in shown


def test_a_long_recording_shows_hours_speed_and_time_left_while_it_is_under_way(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # 6 of 24 h in 216 s are 100 times real time; 18 h take 648 s more.
    line = "0 of 1 recordings scored, 6.0 of 24.0 h, 100 times real time, 11 min left"
    assert hours_line(0, 1, "recordings scored", 6.0, 24.0, 216.0) == line
    monkeypatch.setattr("dawnchorus.progress.SECONDS_BETWEEN_LINES", 0.0)
    HoursProgress(1, "recordings scored").show(0, 6.0, 24.0, 216.0)
    assert capsys.readouterr().err == f"{line}\n"
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    progress = HoursProgress(1, "recordings scored")
    progress.show(0, 6.0, 24.0, 216.0)
    assert f" 25%|█████               | {line}" in capsys.readouterr().err
    progress.show(1, 24.0, 24.0, 864.0)
    assert "100%" in (shown := capsys.readouterr().err)
    assert shown.endswith("1 of 1 recordings scored, 24.0 of 24.0 h, 100 times real time, took 14 min\n")


def test_draws_depend_on_what_they_are_for_and_on_nothing_else() -> None:
    assert generator(1, "crop", "a", 0).random() == generator(1, "crop", "a", 0).random()
    draws = {generator(*keys).random() for keys in [(1, "crop", 0), (2, "crop", 0), (1, "order", 0), (1, "crop", 1)]}
    assert len(draws) == 4
