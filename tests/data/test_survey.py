"""A survey of a folder tells beforehand what the workflow would find, and how to use it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from ruamel.yaml import YAML

from dawnchorus.config.data import Data
from dawnchorus.config.params import Params
from dawnchorus.data.survey import survey
from dawnchorus.errors import InputError

HEADING = "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\tSpecies\n"


@pytest.fixture
def forest(tmp_path: Path) -> Path:
    """Twelve recordings at three sites with equal names, of which one is truncated; six have a Raven table."""
    root = tmp_path / "forest"
    rng = np.random.default_rng(0)
    for number in range(12):
        path = root / f"site{number % 3}/{number // 3}.WAV"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, rng.normal(0, 0.02, 96_000), 24_000)
        if number < 6:
            species = "OWL" if number == 4 else "WREN"
            rows = f"1\tWaveform 1\t1\t1\t2\t\t\t{species}\n1\tSpectrogram 1\t1\t1\t2\t500\t900\t{species}\n"
            path.with_suffix(".Table.1.selections.txt").write_text(HEADING + rows)
    (root / "site1/1.WAV").write_bytes((root / "site1/1.WAV").read_bytes()[:100_000])
    return root


def test_a_folder_with_raven_tables(forest: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in forest.rglob("*")}
    report = survey(forest, window_seconds=3.0, n_folds=3, workers=1)
    assert {path: path.stat().st_mtime_ns for path in forest.rglob("*")} == before
    for line in (
        "Recordings: 12 in 3 folders, 0.0 h",
        f"{forest / 'site1/1.WAV'}: truncated: the header declares 192000 bytes (4.00 s) of sound",
        "Labels: 6 files of the format raven",
        "left out: 6 second views of a selection",
        "Species: 2",
        "Present in fewer recordings than there are folds (3), so some folds cannot validate them: OWL",
    ):
        assert line in report
    counts = pd.DataFrame([line.split() for line in report.splitlines() if line.startswith(("OWL", "WREN"))]).set_index(
        0
    )
    assert list(counts.loc["WREN"]) == ["5", "0", "0", "5"]


def test_its_lines_for_the_parameters_are_valid(forest: Path, params: Params) -> None:
    report = survey(forest, window_seconds=3.0, n_folds=3, workers=1)
    lines = YAML(typ="safe").load(report.partition("Lines for params.yaml\n")[2])
    assert lines["data"] == {"root": str(forest), "format": "raven", "bad_audio": "skip"}
    assert lines["split"] == {"group": "folder"}
    assert lines["spectrogram"] == {"sample_rate": 24_000, "f_max": 12_000.0}
    Data.model_validate(params.data.model_dump() | lines["data"])


def test_lines_for_a_folder_with_an_odd_name(forest: Path) -> None:
    other = forest.rename(forest.with_name("Site #3: oak"))
    report = survey(other, window_seconds=3.0, n_folds=3, workers=1)
    lines = YAML(typ="safe").load(report.partition("Lines for params.yaml\n")[2])
    assert lines["data"]["root"] == str(other)


def test_only_recordings(forest: Path) -> None:
    for path in forest.rglob("*.txt"):
        path.unlink()
    report = survey(forest, window_seconds=3.0, n_folds=3, workers=1)
    assert (
        "Labels: no file of a known format (birdnet, raven, audacity, rfcx, kaleidoscope, aoef, arbimon, hoplite, csv)"
        in report
    )
    assert "Lines for" not in report


def test_labels_that_cannot_be_read_are_explained_beside_the_recordings(forest: Path) -> None:
    table = forest / "site0/0.Table.1.selections.txt"
    table.write_text(HEADING + "1\tSpectrogram 1\t1\tx\t2\t500\t900\tWREN\n")
    report = survey(forest, window_seconds=3.0, n_folds=3, workers=1)
    assert "Recordings: 12 in 3 folders" in report
    assert (
        f"They cannot be read as raven: {table}: line 2, column Begin Time (s): found 'x', expected a number" in report
    )


def test_frequencies_in_khz_are_explained(forest: Path) -> None:
    for path in forest.rglob("*.txt"):
        path.write_text(path.read_text().replace("\t500\t900", "\t0.5\t0.9"))
    report = survey(forest, window_seconds=3.0, n_folds=3, workers=1)
    assert "They cannot be used: " in report
    assert "these seem to be kHz" in report


def test_a_folder_without_recordings(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="contains no recordings"):
        survey(tmp_path, window_seconds=3.0, n_folds=3, workers=1)
