"""The `dawnchorus` command that the environment installs."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import soundfile
from bundles import make_bundle

from dawnchorus.config.params import Params


def dawnchorus(*options: str) -> "subprocess.CompletedProcess[str]":
    program = Path(sys.executable).parent / "dawnchorus"
    return subprocess.run([str(program), *options], capture_output=True, text=True)


def test_inspect_reports_a_folder(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "A.wav", np.random.default_rng(0).normal(0, 0.1, 48_000), 24_000)
    (tmp_path / "A.txt").write_text("0.5\t1.0\tWREN\n")
    done = dawnchorus("inspect", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "Recordings: 1 at 1 site, 0 min" in done.stdout
    assert "Labels: 1 files of the format audacity" in done.stdout
    assert f"  root: {tmp_path}\n  format: audacity\n" in done.stdout


def test_a_missing_folder_is_named_without_a_traceback(tmp_path: Path) -> None:
    done = dawnchorus("inspect", str(tmp_path / "none"))
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {tmp_path / 'none'}: is missing")
    assert "Traceback" not in done.stderr


def test_convert_writes_labels_in_another_format(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "A.wav", np.random.default_rng(0).normal(0, 0.1, 48_000), 24_000)
    (tmp_path / "A.txt").write_text("0.5\t1.0\tWREN\n")
    done = dawnchorus("convert", str(tmp_path), str(tmp_path / "tables"), "--to", "raven")
    assert done.returncode == 0, done.stderr
    assert f"written in the format raven: 1 files in {tmp_path / 'tables'}" in done.stdout
    assert (tmp_path / "tables/A.Table.1.selections.txt").read_text().endswith("\tWREN\n")
    done = dawnchorus("convert", str(tmp_path), str(tmp_path / "tables"), "--to", "raven")
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {tmp_path / 'tables'}: exists and is not an empty folder")


def test_export_names_the_extras_that_it_needs(tiny: Params, tmp_path: Path) -> None:
    make_bundle(tmp_path / "model", tiny)
    code = "import sys; sys.modules['tensorflow'] = None; from dawnchorus.command import main; main()"
    options = ["export", "model", "--to", "litert", "--output", "model.tflite"]
    done = subprocess.run([sys.executable, "-c", code, *options], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert re.match(r"error: tensorflow\S* is not installed: `dawnchorus export` needs the extras", done.stderr)
    assert "Traceback" not in done.stderr


def test_columns_of_a_spreadsheet_are_named(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "A.wav", np.random.default_rng(0).normal(0, 0.1, 48_000), 24_000)
    (tmp_path / "calls.csv").write_text("File,Start,End,Code\nA.wav,0.5,1,WREN\n")
    columns = ["--columns", "recording=File", "species=Code", "t_min=Start", "t_max=End"]
    done = dawnchorus("convert", str(tmp_path), str(tmp_path / "tables"), "--to", "audacity", *columns)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "tables/A.txt").read_text() == "0.5\t1.0\tWREN\n"
    done = dawnchorus("inspect", str(tmp_path), *columns)
    assert "    recording: File\n    species: Code\n" in done.stdout
    done = dawnchorus("inspect", str(tmp_path), "--columns", "species:Code")
    assert "found 'species:Code', expected COLUMN=NAME, with one of annotator, complete" in done.stderr
