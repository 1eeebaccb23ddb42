"""A survey of a folder tells beforehand what the workflow would find, and how to use it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from ruamel.yaml import YAML
from tiny import changed

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


def report_on(
    root: Path, labels: Path | None = None, site_pattern: str | None = None, n_folds: int = 3, **columns: str
) -> str:
    return survey(root, labels, site_pattern, window_seconds=3.0, n_folds=n_folds, workers=1, columns=columns)


def lines_of(report: str) -> dict[str, Any]:
    """The parameters that a report proposes."""
    return YAML(typ="safe").load(report.partition("Lines for params.yaml\n")[2].partition("\n\n")[0])


def row_of(report: str, first: str) -> list[str]:
    """The numbers in the row of a table that begins with a cell."""
    (line,) = (line for line in report.splitlines() if line.startswith(f"{first} "))
    return line.removeprefix(first).split()


def test_a_folder_with_raven_tables(forest: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in forest.rglob("*")}
    report = report_on(forest)
    assert {path: path.stat().st_mtime_ns for path in forest.rglob("*")} == before
    for line in (
        "Recordings: 12 at 3 sites, 1 min",
        "Unusable recordings: 1.",
        f"{forest / 'site1/1.WAV'} (1 labels): truncated: the header declares 192000 bytes (4.00 s) of sound",
        "Labels: 6 files of the format raven",
        "left out: 6 second views of a selection",
        "no recording is annotated completely (labels.complete in params.yaml), and no label says that a species",
        "Species: 2",
        "Present in fewer recordings than there are folds (3), so some folds cannot train on or validate OWL.",
    ):
        assert line in report
    # Four recordings of 4 s, of which one has only 2.1 s.
    assert [row_of(report, f"site{number}") for number in range(3)] == [
        ["4", "0.0", "0", "24000", "1"], ["4", "0.0", "1", "24000", "1"], ["4", "0.0", "0", "24000", "1"]
    ]  # fmt: skip
    # The label of the truncated recording does not count.
    assert row_of(report, "WREN") == ["5", "5", "3"]
    assert row_of(report, "OWL") == ["0", "0", "0"]


def test_labels_in_another_folder(forest: Path, params: Params) -> None:
    tables = forest.with_name("tables")
    for path in forest.rglob("*.txt"):
        (tables / path.parent.name).mkdir(parents=True, exist_ok=True)
        path.rename(tables / path.parent.name / path.name)
    assert "If the labels are in another folder, add --labels FOLDER." in report_on(forest)
    report = report_on(forest, tables)
    assert row_of(report, "WREN") == ["5", "5", "3"]
    lines = lines_of(report)
    assert lines["data"] == {"root": str(forest), "labels": str(tables), "format": "raven", "bad_audio": "skip"}
    Data.model_validate(params.data.model_dump() | lines["data"])
    with pytest.raises(InputError, match=r"--labels: found .*, which is or lies in data\.root"):
        report_on(forest, forest / "site0")
    with pytest.raises(InputError, match=r"--labels: found '.*none', but there is no such folder"):
        report_on(forest, forest.with_name("none"))


def test_a_single_fold_is_refused(forest: Path) -> None:
    with pytest.raises(InputError, match="--folds: found 1, expected 2 or more"):
        report_on(forest, n_folds=1)


def test_other_text_files_are_explained(forest: Path) -> None:
    for path in forest.rglob("*.txt"):
        path.unlink()
    (forest / "calls.csv").write_text("File;Start;End;Code\nsite0/0.WAV;1;2;WREN\n")
    assert (
        f"1 files *.csv are not in the format csv; first {forest}/calls.csv: line 1: has no column recording, species, "
        "t_min, t_max; found File;Start;End;Code"
    ) in report_on(forest)


def test_a_spreadsheet_with_names_of_its_own(forest: Path, params: Params) -> None:
    for path in forest.rglob("*.txt"):
        path.unlink()
    (forest / "calls.csv").write_text("File;Start;End;Code\nsite0/0.WAV;1,5;2;WREN\nsite2/0.WAV;1;2;OWL\n")
    assert "such as --columns recording=File species=Code" in report_on(forest)
    report = report_on(forest, recording="File", species="Code", t_min="Start", t_max="End")
    assert "2 rows in 1 label files, 2 labels of 2 species in 2 recordings" in report
    data = lines_of(report)["data"]
    assert data["columns"] == {"recording": "File", "species": "Code", "t_min": "Start", "t_max": "End"}
    assert changed(params, {"data": params.data.model_dump() | data}).data.format == "csv"


def test_sites_in_the_names_of_recordings(forest: Path, params: Params) -> None:
    for path in sorted(forest.rglob("*.*")):
        path.rename(forest / f"HILL{path.parent.name[-1]}_{path.name}")
    assert row_of(report_on(forest), "(no folder)")[0] == "12"
    assert "group" not in str(lines_of(report_on(forest)))
    report = report_on(forest, None, "^(?P<site>[A-Z]+[0-9])_", n_folds=2)
    assert row_of(report, "HILL1")[0] == "4"
    assert "Recordings: 12 at 3 sites" in report
    lines = lines_of(report)
    assert lines["data"]["site_pattern"] == "^(?P<site>[A-Z]+[0-9])_"
    assert (lines["split"], lines["folds"]) == ({"group": "site"}, [0, 1])
    changed(params, lines)
    with pytest.raises(InputError, match=r"finds no site in 12 of 12 recordings, first 'HILL0_0'"):
        report_on(forest, None, "^(?P<site>LAKE[0-9])_")


def test_a_species_at_one_site_is_named(forest: Path) -> None:
    for path in forest.glob("site0/*.txt"):
        path.write_text(path.read_text().replace("WREN", "LARK"))
    report = report_on(forest, n_folds=2)
    assert "Present at one site alone" in report
    assert "validates LARK." in report
    # Folds of sites are proposed only if they let most species be validated.
    assert lines_of(report)["split"] == {"group": "site"}
    for path in forest.glob("site2/*.txt"):
        path.write_text(path.read_text().replace("WREN", "ROBIN"))
    report = report_on(forest, n_folds=2)
    assert "validates LARK, ROBIN." in report
    assert "split" not in lines_of(report)


def test_the_bands_reach_the_highest_label(forest: Path) -> None:
    for path in forest.rglob("*.WAV"):
        soundfile.write(path, np.random.default_rng(1).normal(0, 0.02, 384_000), 96_000)
    path = forest / "site0/0.Table.1.selections.txt"
    path.write_text(path.read_text().replace("\t900", "\t31200.5"))
    assert lines_of(report_on(forest))["spectrogram"] == {"sample_rate": 96_000, "f_max": 31_500.0}


def test_its_lines_for_the_parameters_are_valid(forest: Path, params: Params) -> None:
    report = report_on(forest)
    lines = lines_of(report)
    assert lines["data"] == {"root": str(forest), "format": "raven", "bad_audio": "skip"}
    assert lines["split"] == {"group": "site"}
    assert lines["spectrogram"] == {"sample_rate": 24_000, "f_max": 12_000.0}
    changed(params, lines)


def test_birdnet_is_proposed_where_labels_are_few(forest: Path, params: Params) -> None:
    text = report_on(forest).partition("make env BIRDNET=1, and also set\n")[2].partition("\n\n")[0]
    proposed = YAML(typ="safe").load(text)
    assert changed(params, lines_of(report_on(forest)) | proposed).members == ["birdnet"]
    preset = YAML(typ="safe").load(Path(__file__).parents[2].joinpath("presets/birdnet.yaml").read_text())
    assert proposed == preset
    path = forest / "site0/0.Table.1.selections.txt"
    rows = [f"{number}\tWaveform 1\t1\t{number / 30}\t2\t500\t900\t{name}\n" for number in range(1, 52)
            for name in ("WREN", "OWL")]  # fmt: skip
    path.write_text(HEADING + "".join(rows))
    assert "BIRDNET" not in report_on(forest)


def test_lines_for_a_folder_with_an_odd_name(forest: Path) -> None:
    other = forest.rename(forest.with_name("Site #3: oak"))
    report = report_on(other)
    lines = lines_of(report)
    assert lines["data"]["root"] == str(other)


def test_only_recordings(forest: Path) -> None:
    for path in forest.rglob("*.txt"):
        path.unlink()
    report = report_on(forest)
    assert (
        "Labels: no file of a known format (birdnet, raven, audacity, rfcx, kaleidoscope, aoef, arbimon, hoplite, csv)"
        in report
    )
    assert "Lines for" not in report


def test_labels_that_cannot_be_read_are_explained_beside_the_recordings(forest: Path) -> None:
    table = forest / "site0/0.Table.1.selections.txt"
    table.write_text(HEADING + "1\tSpectrogram 1\t1\tx\t2\t500\t900\tWREN\n")
    report = report_on(forest)
    assert "Recordings: 12 at 3 sites" in report
    assert (
        f"They cannot be read as raven: {table}: line 2, column Begin Time (s): found 'x', expected a number" in report
    )


def test_frequencies_in_khz_are_explained(forest: Path) -> None:
    for path in forest.rglob("*.txt"):
        path.write_text(path.read_text().replace("\t500\t900", "\t0.5\t0.9"))
    report = report_on(forest)
    assert "These labels cannot be used yet: " in report
    assert "these seem to be kHz" in report


def test_a_folder_without_recordings(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="contains no recordings"):
        report_on(tmp_path)


def test_a_workbook_is_named_with_what_to_do(forest: Path) -> None:
    for path in forest.rglob("*.txt"):
        path.unlink()
    (forest / "~$labels.xlsx").write_bytes(b"a lock")
    assert "xlsx" not in report_on(forest)
    (forest / "labels.xlsx").write_bytes(b"PK\x03\x04")
    assert (
        f"1 files *.xlsx are not in the format csv; first {forest / 'labels.xlsx'}: is a workbook, which is not read; "
        "save its sheet as CSV UTF-8 beside it"
    ) in report_on(forest)
