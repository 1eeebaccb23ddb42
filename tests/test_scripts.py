"""The scripts on bad data: one clear error, exit code 1, nothing half-written, no traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile
from tiny import ROOT

HEADING = "recording_id,species_id,songtype_id,t_min,f_min,t_max,f_max\n"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A small, valid data set with three annotated recordings."""
    folder = tmp_path / "data"
    for split, names in (("train", "abc"), ("test", "t")):
        (folder / split).mkdir(parents=True)
        for name in names:
            soundfile.write(folder / split / f"{name}.wav", [0.0] * 4800, 48_000)
    (folder / "sample_submission.csv").write_text("recording_id,s0,s1\nt,0.5,0.5\n")
    (folder / "train_tp.csv").write_text(HEADING + "".join(f"{name},1,1,0.5,100,2,200\n" for name in "abc"))
    (folder / "train_fp.csv").write_text(HEADING + "a,0,1,0.5,100,2,200\n")
    return folder


def run_script(name: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, f"workflow/scripts/{name}.py", "--params", "params.yaml", *options],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": "src"}, capture_output=True, text=True,
    )  # fmt: skip


def split_folds(data: Path) -> subprocess.CompletedProcess[str]:
    outputs = data.parent / "outputs"
    return run_script(
        "split_folds", "--data", str(data), "--folds", str(outputs / "folds.csv"), "--species",
        str(outputs / "species.csv"),
    )  # fmt: skip


def test_valid_data_is_split(data: Path) -> None:
    done = split_folds(data)
    assert done.returncode == 0, done.stderr
    assert (data.parent / "outputs/folds.csv").read_text().startswith("recording_id,fold\na,")


@pytest.mark.parametrize(
    ("table", "text", "names"),
    [
        ("train_tp.csv", "recording_id,species_id,t_min,f_min,f_max\na,1,0,1,2\n", ["no column t_max", "first line"]),
        (
            "train_tp.csv",
            HEADING + "a,1,1,0,1,2,3\nz,1,1,0,1,2,3\n",
            ["line 3", "'z'", "a file in", "correct or remove"],
        ),
        ("train_fp.csv", HEADING + "a,1,1,5,1,2,3\n", ["line 2", "t_max", "after the row's t_min"]),
        ("train_fp.csv", HEADING + "a,2,1,0,1,2,3\n", ["line 2", "species_id", "found 2", "0 to 1"]),
        ("train_tp.csv", "", ["is empty"]),
        ("train_tp.csv", HEADING, ["no rows"]),
        ("train_tp.csv", HEADING + "a,1,1,0,1,2,3\n", ["fold 1 would have no TP rows", "shorten `folds`"]),
    ],
)
def test_bad_tables_give_one_error(data: Path, table: str, text: str, names: list[str]) -> None:
    (data / table).write_text(text)
    done = split_folds(data)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.splitlines()) == 1
    for name in names:
        assert name in done.stderr
    assert not (data.parent / "outputs").exists()


def test_a_broken_recording_is_named_and_leaves_no_folder(data: Path) -> None:
    (data / "train/b.wav").write_bytes(b"RIFF....")
    output = data.parent / "spectrograms"
    done = run_script("cache_spectrograms", "--recordings", str(data / "train"), "--output", str(output))
    assert done.returncode == 1
    assert "b.wav: cannot be decoded" in done.stderr
    assert "Traceback" not in done.stderr
    assert not output.exists()
    assert not list(data.parent.rglob(".writing*"))


def test_a_folder_that_cannot_be_written_is_named(data: Path) -> None:
    blocked = data.parent / "outputs"
    blocked.write_text("a file where a folder should be")
    done = split_folds(data)
    assert done.returncode == 1
    assert "error: " in done.stderr
    assert str(blocked) in done.stderr
    assert "Traceback" not in done.stderr
