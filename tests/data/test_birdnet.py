"""BirdNET's detections are a program's labels; segments that somebody has reviewed are present or absent."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from dawnchorus.data.dataset import Dataset
from dawnchorus.data.formats.reading import list_label_files, read_dataset
from dawnchorus.data.survey import survey
from dawnchorus.errors import InputError

BOX = ["recording_id", "species", "t_min", "t_max", "f_min", "f_max", "label"]
CSV = "Start (s),End (s),Scientific name,Common name,Confidence,File\n"
FOR_R = (
    "filepath,start,end,scientific_name,common_name,confidence,lat,lon,week,overlap,sensitivity,min_conf,species_list,"
    "model\n"
)
LIBRARY = "input,start_time,end_time,species_name,confidence\n"
FOR_RAVEN = (
    "Selection\tBegin Time (s)\tEnd Time (s)\tCommon Name\tScientific Name\tSpecies Code\tConfidence\tView\tChannel\t"
    "File Offset (s)\tLow Freq (Hz)\tHigh Freq (Hz)\tBegin Path\n"
)


def sound(path: Path, seconds: int = 10) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(list(path.name.encode()))
    soundfile.write(path, rng.normal(0, 0.1, seconds * 8000), 8000)


def read(root: Path, content: str = "", name: str = "BirdNET_CombinedTable.csv", **columns: str) -> Dataset:
    for recording in ("A", "B"):
        sound(root / f"hill/{recording}.wav")
    if content:
        (root / name).write_text(content)
    return read_dataset(root, "birdnet", columns, None)


def boxes(found: Dataset) -> list[list[object]]:
    table = found.annotations[BOX]
    return table.astype(object).where(table.notna(), None).to_numpy().tolist()


BLACKBIRD = ["hill/A", "Turdus merula", 0, 3, None, None, "present"]


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (CSV + "0.0,3.0,Turdus merula,Eurasian Blackbird,0.8123,/x/hill/A.wav\n", "BirdNET_CombinedTable.csv"),
        (CSV.replace(",File", "") + "0.0,3.0,Turdus merula,Eurasian Blackbird,0.8123\n", "A.BirdNET.results.csv"),
        (CSV.replace("\n", ",lat,model\n") + '0,3,Turdus merula,"Blackbird, Eurasian",0.8123,A.wav,,x\n', "a.csv"),
        (
            FOR_R + "C:\\hill\\A.WAV,0.0,3.0,Turdus merula,Eurasian Blackbird,0.8123,-1,-1,-1,0,1,0.1,,m.tflite\n",
            "r.csv",
        ),
        (LIBRARY + "/x/hill/A.flac,0.0,3.0,Turdus merula_Eurasian Blackbird,0.8123\n", "library.csv"),
    ],
)
def test_tables_of_detections(tmp_path: Path, content: str, name: str) -> None:
    found = read(tmp_path, content, name)
    assert boxes(found) == [BLACKBIRD]
    assert list(found.annotations.annotator) == ["BirdNET"]
    remark = "all 1 labels are a program's, of confidence 0.8123 to 0.8123, and nobody has verified them"
    assert any(one.startswith(remark) for one in found.remarks)


def test_its_selection_tables(tmp_path: Path) -> None:
    # The times of the second recording are behind those of the first, which is 10 s long.
    rows = (
        "1\t0.0\t3.0\tEurasian Blackbird\tTurdus merula\teurbla\t0.8\tSpectrogram 1\t1\t0.0\t0\t4000\t/x/hill/A.wav\n"
        "2\t13.0\t16.0\tEurasian Wren\tTroglodytes troglodytes\twinwre4\t0.3\tSpectrogram 1\t1\t3.0\t0\t4000\tB.wav\n"
    )
    found = read(tmp_path, FOR_RAVEN + rows, "BirdNET_SelectionTable.txt")
    assert boxes(found) == [
        ["hill/A", "Turdus merula", 0, 3, 0, 4000, "present"],
        ["hill/B", "Troglodytes troglodytes", 3, 6, 0, 4000, "present"],
    ]
    assert any(one.startswith("all 2 labels are a program's, of confidence 0.3 to 0.8") for one in found.remarks)
    # People who correct such tables in Raven name the format raven.
    assert read_dataset(tmp_path, "raven", {}, None).species == ["eurbla", "winwre4"]
    report = survey(tmp_path, 3.0, 3, 1)
    assert "  format: birdnet" in report
    assert "They can also be read as raven: 2 labels, 0 of them absent" in report


def test_another_column_with_the_species(tmp_path: Path) -> None:
    row = "0.0,3.0,Turdus merula,Eurasian Blackbird,0.8123,A.wav\n"
    assert read(tmp_path, CSV + row, species="Common name").species == ["Eurasian Blackbird"]


def test_nocall_rows_and_empty_tables(tmp_path: Path) -> None:
    rows = "0.0,3.0,nocall,nocall,1.0,A.wav\n0.0,3.0,Turdus merula,Eurasian Blackbird,0.8,A.wav\n"
    found = read(tmp_path, CSV + rows)
    assert boxes(found) == [BLACKBIRD]
    assert "left out: 1 rows that say nocall" in found.remarks
    with pytest.raises(InputError, match="no label that can be used: they have no rows"):
        read(tmp_path, CSV)
    with pytest.raises(
        InputError, match=r"contains no labels of the format birdnet.*expected the heading of a table of B"
    ):
        read(tmp_path, "File,Score\n")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("0,x,T,B,0.8,A.wav", "line 2, column End (s): found 'x', expected a number"),
        ("3,0,T,B,0.8,A.wav", "line 2, column End (s): found 0, expected a time after the row's Start (s)"),
        ("0,3,T,B,high,A.wav", "line 2, column Confidence: found 'high', expected a number"),
        ("0,3,T,B,0.8,C.wav", "line 2, column File: found 'C.wav', expected a recording in"),
        ("0,3,T,B,0.8,", "line 2, column File: found '', expected a recording"),
    ],
)
def test_faults_name_file_row_and_column(tmp_path: Path, row: str, reason: str) -> None:
    with pytest.raises(InputError) as error:
        read(tmp_path, f"{CSV}{row}\n")
    assert str(error.value).startswith(f"{tmp_path / 'BirdNET_CombinedTable.csv'}: {reason}")


@pytest.fixture
def reviewed(tmp_path: Path) -> Path:
    """A folder whose segments somebody has reviewed in part. BirdNET-Analyzer names them so."""
    for species, verdict, recording, begin, end in (
        ("Eurasian Wren", "Positive", "A", 0.0, 3.0),
        ("Eurasian Wren", "NEGATIVE", "A", 6.0, 9.0),
        ("Eurasian Wren", "", "B", 1.5, 4.5),
        ("Blackbird", "positive", "B", 3.0, 6.0),
    ):
        name = f"{0.8351:.3f}_{1}_{recording}_{begin:.2f}s_{end:.2f}s.wav"
        sound(tmp_path / "segments" / species / verdict / name, 3)
    return tmp_path


def test_reviewed_segments(reviewed: Path) -> None:
    found = read(reviewed)
    assert sorted(boxes(found)) == [
        ["hill/A", "Eurasian Wren", 0, 3, None, None, "present"],
        ["hill/A", "Eurasian Wren", 6, 9, None, None, "absent"],
        ["hill/B", "Blackbird", 3, 6, None, None, "present"],
    ]
    assert set(found.annotations.annotator) == {""}
    assert "0.835_1_A_0.00s_3.00s.wav" in set(found.annotations.line)
    # The clips are no recordings.
    assert list(found.files["train"]) == ["hill/A", "hill/B"]
    assert "left out: 1 segments that nobody has reviewed" in found.remarks


def test_segments_of_older_versions_do_not_tell_their_times(reviewed: Path) -> None:
    for name in ("positive/0.921_A_7.wav", "0.900_8_B.wav"):
        sound(reviewed / "segments/Blackbird" / name, 3)
    found = read(reviewed)
    assert list(found.files["train"]) == ["hill/A", "hill/B"]
    assert len(found.annotations) == 3
    assert "left out: 2 segments that nobody has reviewed" in found.remarks
    assert "left out: 1 segments whose names do not tell their times" in found.remarks


def test_segments_without_their_recordings(reviewed: Path) -> None:
    with pytest.raises(
        InputError, match=r"contains no recordings; .*; 4 clips are no recordings: add those that they were"
    ):
        read_dataset(reviewed, "birdnet", {}, None)


def test_detections_beside_reviewed_segments_are_left_out(reviewed: Path) -> None:
    rows = "6.0,9.0,Troglodytes troglodytes,Eurasian Wren,0.8351,A.wav\n0,3,Strix aluco,Tawny Owl,0.2,A.wav\n"
    found = read(reviewed, CSV + rows)
    assert found.species == ["Blackbird", "Eurasian Wren"]
    reason = "labels of a program, which nobody has verified, beside labels that somebody has"
    assert f"left out: 2 {reason}" in found.remarks


def test_segments_beside_the_folders_of_splits(reviewed: Path) -> None:
    for recording in ("A", "B"):
        sound(reviewed / f"train/{recording}.wav")
    found = read_dataset(reviewed, "birdnet", {}, None)
    assert list(found.files["train"]) == ["A", "B"]
    assert not any("outside train and test" in one for one in found.remarks)


def test_other_sounds_in_the_folders_of_a_review_are_named(reviewed: Path) -> None:
    sound(reviewed / "segments/Blackbird/positive/mine.wav", 3)
    _, reasons = list_label_files(reviewed, "birdnet", {})
    assert reasons == [
        f"{reviewed / 'segments/Blackbird/positive/mine.wav'}: expected the name of a segment, such as "
        "0.835_1_A_3.00s_6.00s.wav",
    ]


def test_segments_in_no_folder_of_a_species(reviewed: Path) -> None:
    sound(reviewed / "0.500_1_A_0.00s_3.00s.wav", 3)
    found = read(reviewed)
    assert list(found.files["train"]) == ["hill/A", "hill/B"]
    assert "left out: 2 segments that nobody has reviewed" in found.remarks
    sound(reviewed / "Positive/0.500_1_A_0.00s_3.00s.wav", 3)
    with pytest.raises(InputError) as error:
        read(reviewed)
    where = reviewed / "<species>" / "Positive"
    reason = f"is in no folder named after a species; move it to {where}"
    assert str(error.value) == f"{reviewed / 'Positive'}: {reason}"


def test_a_segment_of_a_recording_that_is_missing_or_ambiguous(reviewed: Path) -> None:
    path = reviewed / "segments/Blackbird/positive/0.900_2_20240611_053000_3.00s_6.00s.wav"
    sound(path, 3)
    where = f"{path.parent}: {path.name}, column recording: found '20240611_053000', expected "
    with pytest.raises(InputError) as error:
        read(reviewed)
    assert str(error.value).startswith(f"{where}a recording in {reviewed}")
    for site in ("hill", "dale"):
        sound(reviewed / site / "20240611_053000.wav")
    with pytest.raises(InputError) as error:
        read(reviewed)
    assert str(error.value).startswith(f"{where}one recording, not dale/20240611_053000.wav and hill/")
    assert "give each recording a name of its own" in str(error.value)


def test_inspect_finds_reviewed_segments(reviewed: Path) -> None:
    for recording in ("A", "B"):
        sound(reviewed / f"hill/{recording}.wav")
    report = survey(reviewed, 3.0, 2, 1)
    assert "Recordings: 2 in 1 folders" in report
    assert "  format: birdnet" in report
