"""Raven's selection tables are read as Raven reads them."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from dawnchorus.data.dataset import Dataset
from dawnchorus.data.formats.reading import read_dataset
from dawnchorus.errors import InputError

HEADING = "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\t"
BOX = ["recording_id", "species", "t_min", "t_max", "f_min", "f_max", "label"]


def recording(path: Path, seconds: float = 10) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(list(path.name.encode()))
    soundfile.write(path, rng.normal(0, 0.1, int(seconds * 8000)), 8000)
    return path


def write(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return path


def read(root: Path, group: str | None = None, species_column: str | None = None) -> Dataset:
    columns = {} if species_column is None else {"species": species_column}
    return read_dataset(root, "raven", columns, group)


def boxes(root: Path, species_column: str | None = None) -> list[list[object]]:
    found = read(root, species_column=species_column).annotations
    return found[BOX].astype(object).where(found[BOX].notna(), None).to_numpy().tolist()


@pytest.mark.parametrize(
    "name",
    [
        "A.Table.1.selections.txt", "A.selections.txt", "A.txt", "a.TXT", "A.BirdNET.selection.table.txt",
        "A.WAV.Table.2.selections.txt",
    ],
)  # fmt: skip
def test_a_table_of_one_recording_has_its_name(tmp_path: Path, name: str) -> None:
    recording(tmp_path / "site/A.WAV")
    recording(tmp_path / "site/A.B.WAV")
    write(tmp_path / "site" / name, HEADING + "Species", "1\tSpectrogram 1\t1\t1.25\t2.5\t1000.5\t2000\tWREN")
    assert boxes(tmp_path) == [["site/A", "WREN", 1.25, 2.5, 1000.5, 2000, "present"]]


@pytest.mark.parametrize("separator", [",", ";"])
def test_a_table_that_another_program_saved_with_commas(tmp_path: Path, separator: str) -> None:
    recording(tmp_path / "A.wav")
    table = pd.read_csv(
        io.StringIO(HEADING + "Species\n1\tSpectrogram 1\t1\t1.25\t2.5\t1000.5\t2000\tWREN, winter\n"), sep="\t"
    )
    table.to_csv(tmp_path / "A.Table.1.selections.csv", sep=separator)
    write(tmp_path / "weather.csv", "day,rain", "1,0")
    assert boxes(tmp_path) == [["A", "WREN, winter", 1.25, 2.5, 1000.5, 2000, "present"]]
    assert "1 other files are no labels of the format raven; first" in read(tmp_path).remarks[0]
    # The original beside it has the same labels.
    table.to_csv(tmp_path / "A.Table.1.selections.txt", sep="\t", index=False)
    assert len(boxes(tmp_path)) == 1


def test_two_views_of_a_selection_are_one_annotation(tmp_path: Path) -> None:
    recording(tmp_path / "A.wav")
    write(
        tmp_path / "A.Table.1.selections.txt",
        HEADING + "Species",
        "1\tWaveform 1\t1\t1\t2\t\t\tWREN",
        "1\tSpectrogram 1\t1\t1\t2\t1000\t2000\tWREN",
        "2\tWaveform 1\t1\t3\t4\t\t\tWREN",
    )
    found = read(tmp_path)
    assert boxes(tmp_path) == [
        ["A", "WREN", 1, 2, 1000, 2000, "present"],
        ["A", "WREN", 3, 4, None, None, "present"],
    ]
    assert list(found.annotations.line) == [3, 4]
    assert "left out: 1 second views of a selection" in found.remarks


def test_other_species_at_the_same_time_are_no_second_view(tmp_path: Path) -> None:
    recording(tmp_path / "A.wav")
    write(tmp_path / "A.txt", HEADING + "Species", *(f"1\tSpectrogram 1\t1\t1\t2\t1000\t2000\t{name}" for name in "XY"))
    assert [row[1] for row in boxes(tmp_path)] == ["X", "Y"]


def test_a_row_without_a_recording_among_others_is_refused(tmp_path: Path) -> None:
    recording(tmp_path / "A.wav")
    rows = (f"1\tS\t1\t1\t2\t1\t2\t{name}\t0\tWREN" for name in ("A.wav", ""))
    write(tmp_path / "A.txt", HEADING + "Begin File\tFile Offset (s)\tSpecies", *rows)
    with pytest.raises(InputError, match=r"line 3, column Begin File: found '', expected a recording"):
        read(tmp_path)


def test_a_usual_column_that_is_empty_is_not_the_species(tmp_path: Path) -> None:
    recording(tmp_path / "A.wav")
    write(tmp_path / "A.txt", HEADING + "Annotation\tBird ID", "1\tS\t1\t1\t2\t1\t2\t\tWREN")
    assert boxes(tmp_path)[0][1] == "WREN"


def test_folders_for_splits(tmp_path: Path) -> None:
    recording(tmp_path / "test/A.wav")
    recording(tmp_path / "s1/B.wav")
    with pytest.raises(InputError, match=r"has a folder test, but none train; move the recordings"):
        read(tmp_path)
    recording(tmp_path / "train/C.wav")
    write(tmp_path / "C.txt", HEADING + "Species", "1\tS\t1\t1\t2\t1\t2\tWREN")
    where = tmp_path / "s1/B.wav"
    assert f"1 recordings outside train and test are not used, for example {where}" in read(tmp_path).remarks


def test_tables_without_a_usable_row_are_counted(tmp_path: Path) -> None:
    recording(tmp_path / "A.wav")
    write(tmp_path / "A.txt", HEADING + "Species", "1\tS\t1\t1\t2\t1\t2\tnocall")
    with pytest.raises(InputError, match=r"1 label files contain no label that can be used: 1 rows that say nocall"):
        read(tmp_path)


@pytest.mark.parametrize("system", ["/Users/ann/{}", r"C:\\Users\\ann\\{}"])
def test_a_table_of_many_recordings_fits_both_ways_in_which_raven_reads_it(tmp_path: Path, system: str) -> None:
    for site in ("north", "south"):
        recording(tmp_path / "audio" / site / "0530.WAV")
    names = [system.format(f"audio/{site}/0530.wav") for site in ("north", "south")]
    if "\\" in system:
        names = [name.replace("/", "\\") for name in names]
    # Begin and end are cumulative over the recordings of 10 s; path and offset are of each recording.
    write(
        tmp_path / "all.txt",
        HEADING + "Begin Path\tFile Offset (s)\tcode",
        f"1\tSpectrogram 1\t1\t1.5\t2.75\t1000\t2000\t{names[0]}\t1.5\tWREN",
        f"2\tSpectrogram 1\t1\t13.125\t14\t1000\t2000\t{names[1]}\t3.125\tLARK",
    )
    assert boxes(tmp_path) == [
        ["audio/north/0530", "WREN", 1.5, 2.75, 1000, 2000, "present"],
        ["audio/south/0530", "LARK", 3.125, 4, 1000, 2000, "present"],
    ]


def cumulative(root: Path, *rows: tuple[float, str]) -> list[tuple[str, float]]:
    """Read a table without offsets of labels of half a second, given their begin and recording."""
    lines = (f"{number}\tS\t1\t{begin}\t{begin + 0.5}\t1\t2\t{name}\tWREN" for number, (begin, name) in enumerate(rows))
    write(root / "all.txt", HEADING + "Begin File\tSpecies", *lines)
    return [(row[0], row[2]) for row in boxes(root)]  # type: ignore[misc]


def test_cumulative_times_without_offsets(tmp_path: Path) -> None:
    for name, seconds in (("A", 10), ("B", 7), ("C", 10)):
        recording(tmp_path / f"{name}.wav", seconds)
    # All recordings of the folder were open.
    assert cumulative(tmp_path, (1.0, "A.wav"), (25.25, "C.wav")) == [("A", 1), ("C", 8.25)]
    # Only A and C were.
    assert cumulative(tmp_path, (1.0, "A.wav"), (10.25, "C.wav")) == [("A", 1), ("C", 0.25)]
    # Each was open alone.
    assert cumulative(tmp_path, (9.0, "A.wav"), (3.0, "C.wav")) == [("A", 9), ("C", 3)]
    # One recording, which was not the first.
    assert cumulative(tmp_path, (11.0, "B.wav")) == [("B", 1)]
    # Both sets of recordings are possible.
    for rows in ([(1.0, "A.wav"), (18.0, "C.wav")], [(50.0, "C.wav")]):
        with pytest.raises(InputError, match=r"all\.txt: times do not tell where labels are .* add the measurement"):
            cumulative(tmp_path, *rows)


def test_a_table_without_frequencies(tmp_path: Path) -> None:
    recording(tmp_path / "A.wav")
    write(tmp_path / "A.txt", "Begin Time (s)\tEnd Time (s)\tAnnotation", "1\t2\tWREN")
    assert boxes(tmp_path) == [["A", "WREN", 1, 2, None, None, "present"]]


def test_the_column_with_the_species(tmp_path: Path) -> None:
    recording(tmp_path / "A.wav")
    path = write(
        tmp_path / "A.txt", HEADING + "Observer\tmy codes\tDelta Freq (Hz)", "1\tS\t1\t1\t2\t3\t4\tann\tWREN\t1"
    )
    with pytest.raises(InputError, match=r"which column has the species is not clear; found .*Observer, my codes"):
        read(tmp_path)
    assert boxes(tmp_path, species_column="my codes")[0][1] == "WREN"
    with pytest.raises(InputError, match=r"A\.txt: has no column 'code', which data\.columns"):
        read(tmp_path, species_column="code")
    write(path, HEADING + "my codes\tDelta Freq (Hz)", "1\tS\t1\t1\t2\t3\t4\tWREN\t1")
    assert boxes(tmp_path)[0][1] == "WREN"


def test_a_column_with_the_annotator(tmp_path: Path) -> None:
    recording(tmp_path / "A.wav")
    write(tmp_path / "A.txt", HEADING + "Annotator\tmy codes", "1\tS\t1\t1\t2\t3\t4\tann\tWREN")
    found = read(tmp_path).annotations
    assert (list(found.species), list(found.annotator)) == (["WREN"], ["ann"])


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    for name in ("A", "B", "C"):
        recording(tmp_path / f"{name}.wav")
    write(
        tmp_path / "A.txt",
        HEADING + "Species",
        "1\tS\t1\t1\t2\t1000\t2000\tTurdus merula ",
        "2\tS\t1\t1\t2\t1000\t2000\t",
        "3\tS\t1\t3\t4\t1000\t2000\tturdus merula",
        "4\tS\t1\t3\t4\t1000\t2000\tturdus merula",
    )
    write(tmp_path / "B.txt", HEADING + "Species", "1\tS\t1\t0\t10\t0\t4000\tnocall")
    write(tmp_path / "C.txt", HEADING + "Species")
    write(tmp_path / "notes.txt", "not a table")
    found = read(tmp_path)
    assert list(found.annotations.species) == ["Turdus merula", "turdus merula"]
    assert found.remarks[0].startswith("1 other files are no labels of the format raven; first ")
    assert "notes.txt: line 1: found 'not a table', expected a heading with Begin Time (s)" in found.remarks[0]
    assert found.remarks[1:] == [
        "5 rows in 3 label files, 2 labels of 2 species in 1 recordings; 2 training recordings have no label",
        "left out: 1 rows without a species",
        "left out: 1 rows that say nocall",
        "1 rows repeat an earlier row and count once: first A.txt line 5 = A.txt line 4",
        "species 'Turdus merula' (1 labels) and 'turdus merula' (1 labels) count as different species; write them "
        "alike if they are one",
    ]


def test_a_test_folder(tmp_path: Path) -> None:
    recording(tmp_path / "train/hill/A.wav")
    recording(tmp_path / "test/hill/B.wav")
    for name in ("A", "B"):
        write(tmp_path / f"labels/{name}.txt", HEADING + "Species", "1\tS\t1\t1\t2\t1000\t2000\tWREN")
    found = read(tmp_path, group="site")
    assert {split: list(by_id) for split, by_id in found.files.items()} == {"train": ["hill/A"], "test": ["hill/B"]}
    assert list(found.annotations.recording_id) == ["hill/A"]
    assert list(found.test_annotations.recording_id) == ["hill/B"]
    with pytest.raises(
        InputError,
        match=r"split\.group in params\.yaml: found 'plot', expected site or null: labels of the format raven",
    ):
        read(tmp_path, group="plot")


def faulty(root: Path, cells: str, more: str = "Species") -> str:
    write(root / "A.txt", HEADING + more, cells)
    with pytest.raises(InputError) as error:
        read(root)
    return str(error.value)


def test_faults_name_file_row_and_column(tmp_path: Path) -> None:
    recording(tmp_path / "A.wav")
    where = f"{tmp_path / 'A.txt'}: line 2, column"
    assert faulty(tmp_path, "1\tS\t1\tx\t2\t1\t2\tW").startswith(
        f"{where} Begin Time (s): found 'x', expected a number"
    )
    assert faulty(tmp_path, "1\tS\t1\t3\t2\t1\t2\tW").startswith(
        f"{where} End Time (s): found 2, expected a time after"
    )
    assert faulty(tmp_path, "1\tS\t1\t1\t2\t9\t2\tW").startswith(f"{where} High Freq (Hz): found 2, expected a freq")
    assert faulty(tmp_path, "1\tS\t1\t1\t2\t-9\t2\tW").startswith(f"{where} Low Freq (Hz): found -9, expected a freq")
    path = "Begin Path\tFile Offset (s)\tSpecies"
    found = faulty(tmp_path, "1\tS\t1\t1\t2\t1\t2\tx/C.wav\t1\tW", path)
    assert found.startswith(f"{where} Begin Path: found 'x/C.wav', expected a recording in {tmp_path}")
    recording(tmp_path / "a/B.wav")
    recording(tmp_path / "b/B.wav")
    found = faulty(tmp_path, "1\tS\t1\t1\t2\t1\t2\tx/B.wav\t1\tW", path)
    assert "expected one recording, not a/B.wav and b/B.wav" in found


def test_a_table_without_a_recording_and_a_folder_without_tables(tmp_path: Path) -> None:
    recording(tmp_path / "B.wav")
    with pytest.raises(InputError, match=r"contains no labels of the format"):
        read(tmp_path)
    write(tmp_path / "A.txt", HEADING + "Species", "1\tS\t1\t1\t2\t1\t2\tW")
    with pytest.raises(InputError, match=r"A\.txt: no recording in .* has the name of this file"):
        read(tmp_path)


def test_as_pandas_reads_it(tmp_path: Path) -> None:
    """Many rows, in UTF-16 with the line ends of Windows, against another reader."""
    recording(tmp_path / "A.wav", 60)
    rng = np.random.default_rng(0)
    begin = np.sort(rng.uniform(0, 50, 200))
    table = pd.DataFrame({
        "Selection": range(1, 201), "View": "Spectrogram 1", "Channel": 1, "Begin Time (s)": begin,
        "End Time (s)": begin + rng.uniform(0.1, 3, 200), "Low Freq (Hz)": rng.uniform(100, 1000, 200),
        "High Freq (Hz)": rng.uniform(1000, 4000, 200), "Species": rng.choice(["WREN", "LARK"], 200),
    })  # fmt: skip
    table.to_csv(tmp_path / "A.txt", sep="\t", index=False, encoding="utf-16", lineterminator="\r\n")
    found = read(tmp_path).annotations
    expected = pd.read_csv(tmp_path / "A.txt", sep="\t", encoding="utf-16")
    for ours, theirs in (("t_min", "Begin Time (s)"), ("t_max", "End Time (s)"), ("f_min", "Low Freq (Hz)")):
        np.testing.assert_allclose(found[ours], expected[theirs], rtol=1e-12)
    assert list(found.species) == list(expected.Species)
