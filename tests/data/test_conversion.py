"""Labels in a folder are converted to another format with the remarks that reading them gives."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from dawnchorus.data.complete_list import declare_complete
from dawnchorus.data.conversion import convert
from dawnchorus.data.formats.reading import read_dataset
from dawnchorus.data.formats.writing import FORMATS
from dawnchorus.errors import InputError

HEADING = "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\tSpecies\n"


def recording(path: Path, seconds: float = 10) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(list(str(path).encode()))
    soundfile.write(path, rng.normal(0, 0.1, int(seconds * 24_000)), 24_000)
    return path


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Recordings at two sites with equal names, one truncated and one without labels, and Raven tables."""
    root = tmp_path / "own"
    for name, species in (("hill/1.WAV", "WREN"), ("dale/1.WAV", "wren"), ("dale/2.WAV", "OWL")):
        path = recording(root / name)
        path.with_suffix(".Table.1.selections.txt").write_text(
            HEADING + f"1\tWaveform 1\t1\t1.5\t2.5\t\t\t{species}\n1\tSpectrogram 1\t1\t1.5\t2.5\t500\t900\t{species}\n"
            "2\tSpectrogram 1\t1\t9\t12\t500\t900\tnocall\n"
        )
    recording(root / "dale/3.WAV")
    whole = (root / "dale/2.WAV").read_bytes()
    (root / "dale/2.WAV").write_bytes(whole[: len(whole) // 2])
    return root


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_of_raven_tables(own: Path, tmp_path: Path) -> None:
    before = contents(own)
    lines = convert(own, tmp_path / "tracks", "audacity").splitlines()
    assert contents(own) == before
    assert contents(tmp_path / "tracks") == {
        "dale/1.txt": b"1.5\t2.5\twren\n\\\t500.0\t900.0\n",
        "dale/2.txt": b"1.5\t2.5\tOWL\n\\\t500.0\t900.0\n",
        "hill/1.txt": b"1.5\t2.5\tWREN\n\\\t500.0\t900.0\n",
    }
    assert lines[:5] == [
        "read in the format raven: 3 labels of 3 species in 3 recordings",
        "9 rows in 3 label files, 3 labels of 3 species in 3 recordings; 1 training recordings have no label",
        "left out: 3 second views of a selection",
        "left out: 3 rows that say nocall",
        "species 'wren' (1 labels) and 'WREN' (1 labels) count as different species; write them alike if they are one",
    ]
    assert lines[5].startswith(f"1 recordings cannot be read, for example {own / 'dale/2.WAV'}: truncated")
    assert lines[6:] == [f"written in the format audacity: 3 files in {tmp_path / 'tracks'}"]


def test_labels_of_test_recordings_are_converted_too(own: Path, tmp_path: Path) -> None:
    (own / "train").mkdir()
    (own / "hill").rename(own / "train/hill")
    (own / "dale").rename(own / "test")
    convert(own, tmp_path / "table", "csv")
    found = pd.read_csv(tmp_path / "table/labels.csv")
    assert dict(zip(found.recording, found.species, strict=True)) == {
        "test/1.WAV": "wren", "test/2.WAV": "OWL", "train/hill/1.WAV": "WREN",
    }  # fmt: skip


def test_the_competitions_layout(tmp_path: Path) -> None:
    root = tmp_path / "rfcx"
    recording(root / "train/a.flac")
    recording(root / "test/b.flac")
    (root / "train_tp.csv").write_text("recording_id,species_id,t_min,f_min,t_max,f_max\na,3,1,100,2,900\n")
    (root / "train_fp.csv").write_text("recording_id,species_id,t_min,f_min,t_max,f_max\na,1,1,100,2,900\n")
    (root / "truth_test.csv").write_text("recording_id,s1,s3\nb,0,1\n")
    report = convert(root, tmp_path / "raven", "raven-table")
    assert "left out: 1 labels absent, which Raven has no word for" in report
    assert "left out: which species are in 1 test recordings, without times" in report
    found = pd.read_csv(tmp_path / "raven/selections.txt", sep="\t")
    # The test recording comes first: Raven opens all, in the order of their paths.
    assert list(found["Begin Time (s)"]) == [11]
    assert list(found.Species) == ["s3"]
    # And back, beside the recordings.
    convert(root, tmp_path / "back", "csv", "rfcx")
    (tmp_path / "back/labels.csv").rename(root / "labels.csv")
    for path in root.glob("t*.csv"):
        path.unlink()
    report = convert(root, tmp_path / "again", "rfcx")
    assert "left out" not in report
    for name, species in (("train_tp.csv", "s3"), ("train_fp.csv", "s1")):
        assert pd.read_csv(tmp_path / "again" / name).to_numpy().tolist() == [["a", species, 1, 100, 2, 900]]


def test_labels_are_cut_at_the_end_but_not_moved_into_a_recording(own: Path, tmp_path: Path) -> None:
    table = own / "hill/1.Table.1.selections.txt"
    table.write_text(HEADING + "1\tSpectrogram 1\t1\t9\t12\t500\t900\tWREN\n")
    report = convert(own, tmp_path / "table", "csv")
    assert (
        "1 labels end behind their recordings and are cut there; first hill/1.Table.1.selections.txt line 2" in report
    )
    found = pd.read_csv(tmp_path / "table/labels.csv")
    assert list(found[found.recording == "hill/1.WAV"].t_max) == [10]
    table.write_text(HEADING + "1\tSpectrogram 1\t1\t11\t12\t500\t900\tWREN\n")
    with pytest.raises(InputError) as error:
        convert(own, tmp_path / "other", "csv")
    assert str(error.value).startswith(
        f"{table}: line 2, column t_min: found 11, expected a time in the recording, which has 10.00 s"
    )
    table.write_text(HEADING + "1\tSpectrogram 1\t1\t1\t2\t0.5\t0.9\tWREN\n")
    with pytest.raises(InputError, match="these seem to be kHz"):
        convert(own, tmp_path / "other", "csv")
    assert not (tmp_path / "other").exists()


def test_several_formats_or_none(own: Path, tmp_path: Path) -> None:
    (own / "dale/3.txt").write_text("1\t2\tWREN\n")
    with pytest.raises(InputError) as error:
        convert(own, tmp_path / "table", "csv")
    assert str(error.value) == (
        f"{own}: contains labels of several formats: 3 files of raven, 1 files of audacity; choose one with --from"
    )
    convert(own, tmp_path / "table", "csv", "audacity")
    assert list(pd.read_csv(tmp_path / "table/labels.csv").recording) == ["dale/3.WAV"]
    with pytest.raises(InputError, match="contains no labels of the format arbimon"):
        convert(own, tmp_path / "other", "csv", "arbimon")
    for path in own.rglob("*.txt"):
        path.unlink()
    with pytest.raises(InputError, match=r"contains no labels of a known format \(.*raven, audacity, rfcx"):
        convert(own, tmp_path / "other", "csv")
    with pytest.raises(InputError, match="is missing or no folder"):
        convert(tmp_path / "none", tmp_path / "other", "csv")


def test_nothing_is_written_over_or_left_half_written(own: Path, tmp_path: Path) -> None:
    output = tmp_path / "output"
    output.write_text("mine")
    with pytest.raises(InputError, match="output: exists and is not an empty folder"):
        convert(own, output, "csv")
    output.unlink()
    output.mkdir()
    (output / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="output: exists and is not an empty folder"):
        convert(own, output, "csv")
    assert contents(output) == {"mine.txt": b"mine"}
    (output / "mine.txt").unlink()
    convert(own, output, "csv")
    assert list(contents(output)) == ["labels.csv"]
    # Raven has no word for absent labels, and there are no others.
    (own / "labels.csv").write_text("recording,species,t_min,t_max,label\nhill/1.WAV,WREN,1,2,absent\n")
    with pytest.raises(InputError) as error:
        convert(own, tmp_path / "tables", "raven", "csv")
    assert str(error.value).startswith(f"{own}: no label can be written in the format raven\n")
    assert "left out: 1 labels absent, which Raven has no word for" in str(error.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["output", "own"]


@pytest.mark.parametrize("target", FORMATS)
def test_what_was_converted_can_be_used_beside_the_recordings(own: Path, tmp_path: Path, target: str) -> None:
    convert(own, tmp_path / "written", target)
    for path in own.rglob("*.txt"):
        path.unlink()
    if target == "rfcx":
        for folder in ("dale", "hill"):
            (own / "train").mkdir(exist_ok=True)
            (own / folder).rename(own / "train" / folder)
    shutil.copytree(tmp_path / "written", own, dirs_exist_ok=True)
    found = read_dataset(own, "raven" if target == "raven-table" else target, {}, None).annotations
    expected = {"dale/1": "wren", "dale/2": "OWL", "hill/1": "WREN"}
    if target == "raven-table":
        # Nobody knows the length of a truncated recording.
        del expected["dale/2"]
    assert dict(zip(found.recording_id, found.species, strict=True)) == expected
    assert set(zip(found.t_min, found.t_max, found.label, strict=True)) == {(1.5, 2.5, "present")}
    if target != "hoplite":
        assert set(found.f_max) == {900}


def test_complete_recordings_stay_complete(own: Path, tmp_path: Path) -> None:
    for path in own.rglob("*.txt"):
        path.unlink()
    (own / "calls.csv").write_text(
        "recording,species,t_min,t_max,complete\nhill/1,WREN,1,2,yes\ndale/1,WREN,1,2,no\ndale/3,,,,yes\n"
    )
    report = convert(own, tmp_path / "tables", "raven")
    assert "complete.csv lists the 2 recordings that are annotated completely: name it in labels.complete" in report
    assert (tmp_path / "tables/complete.csv").read_text() == "recording_id,species\nhill/1,\ndale/3,\n"
    (own / "calls.csv").unlink()
    dataset = read_dataset(own, "raven", {}, None, tmp_path / "tables")
    declared = declare_complete(dataset, "complete.csv", ["train"]).complete
    assert sorted(declared.recording_id) == ["dale/3", "hill/1"]
