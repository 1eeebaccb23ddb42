"""Labels that are written in a format are read again as they were, also by other readers."""

import csv
import math
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from crowsetta.formats.bbox import AudBBox, Raven
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dawnchorus.data.dataset import Dataset
from dawnchorus.data.formats.reading import read_dataset
from dawnchorus.data.formats.writing import write_labels
from dawnchorus.data.species import RESERVED

BOX = ["recording_id", "species", "t_min", "t_max", "f_min", "f_max", "label"]
RATE = 24_000
# Equal names in nested folders, other letters, and names that look like others with an ending.
FILES = ["hill/0530.WAV", "hill/east/0530.flac", "dale/0530.wav", "dale/été 1.wav", "0530.wav", "dale/a.b.wav"]
SECONDS = [60.1, 1 / 3, 3600.0, 12.25, 7.7, 0.3]


def recordings_table(files: list[str] = FILES, seconds: list[float] = SECONDS) -> pd.DataFrame:
    names = [str(Path(file).with_suffix("")) for file in files]
    return pd.DataFrame({"file": files, "seconds": seconds, "sample_rate": RATE, "channels": 1}, names)


def labels(*rows: tuple[object, ...], annotator: str = "") -> pd.DataFrame:
    """Rows of recording_id, species, t_min, t_max, f_min, f_max and label."""
    table = pd.DataFrame(rows, columns=BOX).assign(annotator=annotator)
    return table.astype(dict.fromkeys(["t_min", "t_max", "f_min", "f_max"], float))


def round_trip(root: Path, name: str, annotations: pd.DataFrame, recordings: pd.DataFrame) -> tuple[Dataset, list[str]]:
    """Write labels, put what was written beside the recordings, and read it."""
    for folder in (root / "own", root / "written"):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    # Only the names of recordings matter for labels whose recording and offset are known.
    for file in recordings.file:
        path = root / "own" / ("train" if name == "rfcx" else "") / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    remarks = write_labels(name, root / "written", annotations, recordings, root / "own")
    shutil.copytree(root / "written", root / "own", dirs_exist_ok=True)
    source = "raven" if name == "raven-table" else name
    return read_dataset(root / "own", source, {}, None, is_split=False), remarks


def ordered(table: pd.DataFrame) -> pd.DataFrame:
    return table[BOX].sort_values(["recording_id", "t_min", "species", "label", "t_max", "f_min"], ignore_index=True)


def visible(text: str) -> bool:
    return text.strip() == text and text.casefold() != "nocall" and not RESERVED.fullmatch(text)


# Letters of any script, signs and separators; no control characters, which no name of a species may have.
species_names = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=12).filter(visible)
edges = st.one_of(st.just(math.nan), st.floats(1, 11_999))
rows = st.tuples(
    st.integers(0, len(FILES) - 1), species_names, st.floats(0, 0.5), st.floats(0.01, 0.49), edges, edges,
    st.sampled_from(["present", "absent", "uncertain"]),
)  # fmt: skip


@st.composite
def annotations_tables(draw: st.DrawFn) -> pd.DataFrame:
    found = []
    for number, species, start, length, one, other, label in draw(st.lists(rows, min_size=1, max_size=8)):
        file, seconds = FILES[number], SECONDS[number]
        t_min, t_max = start * seconds, (start + length) * seconds
        low, high = (one, other) if not one > other else (other, one)
        found.append((str(Path(file).with_suffix("")), species, t_min, t_max, low, high, label))
    table = labels(*found)
    # Repeated rows and boxes of two kinds are merged when they are read.
    return table.drop_duplicates([*BOX[:-1]], ignore_index=True)


# test_kaleidoscope.py and test_aoef.py have those of the other formats.
HELD = {
    "raven": ["present"], "raven-table": ["present"], "audacity": ["present"], "arbimon": ["present", "absent"],
    "rfcx": ["present", "absent"], "hoplite": ["present", "absent", "uncertain"],
    "csv": ["present", "absent", "uncertain"],
}  # fmt: skip


def as_held(name: str, annotations: pd.DataFrame) -> pd.DataFrame:
    """What a format can hold of labels."""
    held = annotations[annotations.label.isin(HELD[name])].copy()
    if name == "hoplite":
        held[["f_min", "f_max"]] = math.nan
    if name == "rfcx":
        held = held.fillna({"f_min": 0, "f_max": RATE / 2})
    return held.drop_duplicates(BOX)


@pytest.mark.parametrize("name", HELD)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(annotations=annotations_tables())
def test_what_is_written_is_read_again(tmp_path: Path, name: str, annotations: pd.DataFrame) -> None:
    # A table of present boxes alone may be empty in none of the formats.
    annotations.loc[0, "label"] = "present"
    expected = as_held(name, annotations)
    found, remarks = round_trip(tmp_path, name, annotations, recordings_table())
    # In a table for many recordings, an end is exact to the digits of the cumulative time.
    tolerance = {"rtol": 0, "atol": 1e-11} if name == "raven-table" else {"check_exact": True}
    pd.testing.assert_frame_equal(ordered(found.annotations), ordered(expected), check_dtype=False, **tolerance)
    assert list(ordered(found.annotations).t_min) == list(ordered(expected).t_min)
    counts = annotations.label[~annotations.label.isin(HELD[name])].value_counts()
    for label, count in counts.items():
        assert any(f"{count} labels {label}" in remark for remark in remarks)
    assert len(expected) == len(found.annotations)


BOXES = labels(
    ("hill/0530", "WREN", 1.1, 2.3, 1000, 5000.5, "present"),
    ("hill/0530", "Zaunkönig", 0.1, 0.2, math.nan, math.nan, "present"),
    ("dale/0530", "WREN", 3599.7, 3599.9, math.nan, 4000, "present"),
    ("dale/0530", "OWL", 0.0, 1e-5, 100, 200, "present"),
)  # fmt: skip
SECONDS_COLUMNS = ["Begin Time (s)", "End Time (s)"]


def test_crowsetta_reads_ravens_tables_also_without_frequencies(tmp_path: Path) -> None:
    assert write_labels("raven", tmp_path, BOXES, recordings_table(), tmp_path) == []
    found = Raven.from_file(tmp_path / "hill/0530.Table.1.selections.txt", annot_col="Species").to_bbox()
    # Raven draws a box over the whole band.
    assert [(box.label, box.onset, box.offset, box.low_freq, box.high_freq) for box in found] == [
        ("Zaunkönig", 0.1, 0.2, 0, 12_000), ("WREN", 1.1, 2.3, 1000, 5000.5),
    ]  # fmt: skip
    found = Raven.from_file(tmp_path / "dale/0530.Table.1.selections.txt", annot_col="Species").to_bbox()
    assert [(box.onset, box.offset, box.low_freq, box.high_freq) for box in found] == [
        (0, 1e-5, 100, 200), (3599.7, 3599.9, 0, 4000),
    ]  # fmt: skip
    assert sorted(path.name for path in tmp_path.rglob("*.txt")) == ["0530.Table.1.selections.txt"] * 2


def test_crowsetta_reads_label_tracks_whose_labels_all_have_frequencies(tmp_path: Path) -> None:
    boxes = labels(
        ("hill/0530", "WREN", 1.1, 2.3, 1000, 5000.5, "present"), ("hill/0530", "OWL", 0.1, 1e-5 + 0.1, 1, 2, "present")
    )
    assert write_labels("audacity", tmp_path, boxes, recordings_table(), tmp_path) == []
    found = AudBBox.from_file(tmp_path / "hill/0530.txt").to_bbox()
    assert [(box.label, box.onset, box.offset, box.low_freq, box.high_freq) for box in found] == [
        ("OWL", 0.1, 1e-5 + 0.1, 1, 2), ("WREN", 1.1, 2.3, 1000, 5000.5),
    ]  # fmt: skip


def test_label_tracks_are_as_audacitys_manual_describes_them(tmp_path: Path) -> None:
    write_labels("audacity", tmp_path, BOXES, recordings_table(), tmp_path)
    assert (tmp_path / "hill/0530.txt").read_bytes().decode() == (
        "0.1\t0.2\tZaunkönig\n1.1\t2.3\tWREN\n\\\t1000.0\t5000.5\n"
    )
    # -1 stands for a frequency that is not known, and no number has an exponent.
    assert (tmp_path / "dale/0530.txt").read_bytes().decode() == (
        "0.0\t0.00001\tOWL\n\\\t100.0\t200.0\n3599.7\t3599.9\tWREN\n\\\t-1.0\t4000.0\n"
    )


@pytest.fixture
def forest(tmp_path: Path) -> tuple[Path, pd.DataFrame]:
    """Recordings whose lengths no decimal number has, some without labels."""
    root, rng = tmp_path / "forest", np.random.default_rng(0)
    frames = [11_017, 7_001, 4_999, 22_050, 13_331]
    files = ["dale/1.wav", "dale/2.wav", "hill/1.wav", "hill/2.wav", "hill/3.wav"]
    for file, count in zip(files, frames, strict=True):
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, rng.normal(0, 0.1, count), 11_025)
    table = recordings_table(files, [count / 11_025 for count in frames]).assign(sample_rate=11_025)
    return root, table


IN_FOREST = labels(
    ("hill/3", "OWL", 0.25, 0.5, 100, 900, "present"),
    ("hill/1", "WREN", 0.1, 0.3, 1000, 5000, "present"),
    ("dale/1", "OWL", 0.7, 0.9, 100, 900, "present"),
    ("hill/3", "WREN", 0.2, 1.2, math.nan, math.nan, "present"),
)  # fmt: skip


def written_table(folder: Path) -> list[dict[str, str]]:
    with (folder / "selections.txt").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def test_one_table_for_all_recordings_fits_both_ways_in_which_raven_opens_it(
    tmp_path: Path, forest: tuple[Path, pd.DataFrame]
) -> None:
    root, table = forest
    folder = tmp_path / "written"
    folder.mkdir()
    assert write_labels("raven-table", folder, IN_FOREST, table, root) == []
    selections = written_table(folder)
    assert [row["Selection"] for row in selections] == ["1", "2", "3", "4"]
    expected = [
        ("dale/1.wav", 0.7, 0.9), ("hill/1.wav", 0.1, 0.3), ("hill/3.wav", 0.2, 1.2), ("hill/3.wav", 0.25, 0.5),
    ]  # fmt: skip
    # As a selection table: times count over the files that were opened by the list, one after the other.
    opened = [Path(line) for line in (folder / "recordings.listfile.txt").read_text().splitlines()]
    assert [path.relative_to(root).as_posix() for path in opened] == list(table.file)
    lengths = [soundfile.info(path).frames / soundfile.info(path).samplerate for path in opened]
    for row, (file, begin, end) in zip(selections, expected, strict=True):
        position, times = 0, [float(row[column]) for column in SECONDS_COLUMNS]
        while times[0] >= lengths[position]:
            times = [time - lengths[position] for time in times]
            position += 1
        assert opened[position] == root / file
        np.testing.assert_allclose(times, [begin, end], rtol=0, atol=1e-12)
    # As a sound selection table: each row has its file and where it begins in it.
    for row, (file, begin, end) in zip(selections, expected, strict=True):
        assert Path(row["Begin Path"]) == root / file
        assert row["Begin File"] == Path(file).name
        assert float(row["File Offset (s)"]) == begin
        length = float(row["End Time (s)"]) - float(row["Begin Time (s)"])
        np.testing.assert_allclose(length, end - begin, rtol=0, atol=1e-12)
    # Raven opens no table with a frequency above half the sample rate.
    assert max(float(row["High Freq (Hz)"]) for row in selections) == 11_025 / 2


def test_pandas_reads_one_table_for_all_recordings(tmp_path: Path, forest: tuple[Path, pd.DataFrame]) -> None:
    write_labels("raven-table", tmp_path, IN_FOREST, forest[1], forest[0])
    found = pd.read_csv(tmp_path / "selections.txt", sep="\t")
    assert list(found.columns[:7]) == [
        "Selection", "View", "Channel", *SECONDS_COLUMNS, "Low Freq (Hz)", "High Freq (Hz)",
    ]  # fmt: skip
    assert list(found.Species) == ["OWL", "WREN", "WREN", "OWL"]
    assert set(found.View) == {"Spectrogram 1"}
    assert list(found["File Offset (s)"]) == [0.7, 0.1, 0.2, 0.25]


def test_one_table_leaves_out_recordings_of_unknown_length(tmp_path: Path, forest: tuple[Path, pd.DataFrame]) -> None:
    root, table = forest
    table.loc["hill/1", ["seconds", "sample_rate", "channels"]] = 0
    remarks = write_labels("raven-table", tmp_path, IN_FOREST, table, root)
    assert remarks == [
        "left out: 1 labels of 1 recordings of unknown length, which Raven cannot open with others, for example "
        "hill/1.wav"
    ]
    assert "hill/1" not in (tmp_path / "recordings.listfile.txt").read_text()
    assert [row["Species"] for row in written_table(tmp_path)] == ["OWL", "WREN", "OWL"]


def test_one_table_for_recordings_of_several_rates_opens_in_one_way_only(
    tmp_path: Path, forest: tuple[Path, pd.DataFrame]
) -> None:
    root, table = forest
    table.loc["hill/1", "sample_rate"] = 48_000
    (remark,) = write_labels("raven-table", tmp_path, IN_FOREST, table, root)
    assert (
        "have several (11025 Hz and 1 channels, 48000 Hz and 1 channels): open selections.txt as a sound selection"
        in remark
    )


def test_ravens_tables_show_quotes_as_they_are(tmp_path: Path) -> None:
    boxes = labels(("hill/0530", 'Owl, "tawny"', 1, 2, 100, 200, "present"))
    write_labels("raven", tmp_path, boxes, recordings_table(), tmp_path)
    assert (tmp_path / "hill/0530.Table.1.selections.txt").read_text().endswith('\tOwl, "tawny"\n')


def test_ravens_tables_have_no_frequency_above_half_the_sample_rate(tmp_path: Path) -> None:
    boxes = labels(("hill/0530", "WREN", 1, 2, 100, 12_000.5, "present"))
    remarks = write_labels("raven", tmp_path, boxes, recordings_table(), tmp_path)
    assert remarks == [
        "the frequencies of 1 labels above half the sample rate are cut there, because Raven opens no table with such"
    ]
    found = pd.read_csv(tmp_path / "hill/0530.Table.1.selections.txt", sep="\t")
    assert list(found["High Freq (Hz)"]) == [12_000]


def test_annotators_are_named_or_counted(tmp_path: Path) -> None:
    boxes = labels(("hill/0530", "WREN", 1, 2, 100, 200, "present"), annotator="Ann")
    for name in ("raven", "audacity"):
        (tmp_path / name).mkdir()
    assert write_labels("raven", tmp_path / "raven", boxes, recordings_table(), tmp_path) == []
    found = pd.read_csv(tmp_path / "raven/hill/0530.Table.1.selections.txt", sep="\t")
    assert list(found.Annotator) == ["Ann"]
    remarks = write_labels("audacity", tmp_path / "audacity", boxes, recordings_table(), tmp_path)
    assert remarks == ["left out: the annotators of 1 labels, which Audacity has no place for"]


def test_hoplite_has_no_frequencies(tmp_path: Path) -> None:
    remarks = write_labels("hoplite", tmp_path, BOXES, recordings_table(), tmp_path)
    assert remarks == ["left out: the frequencies of 3 labels, which Hoplite has no place for"]


def test_arbimons_table_has_verdicts_and_sites_for_pandas(tmp_path: Path) -> None:
    boxes = labels(
        ("hill/east/0530", "WREN", 0.1, 0.3, 100, 200, "present"), ("0530", "WREN", 0.1, 0.3, 100, 200, "absent"),
        ("0530", "WREN", 0.5, 0.6, 100, 200, "uncertain"),
    )  # fmt: skip
    remarks = write_labels("arbimon", tmp_path, boxes, recordings_table(), tmp_path)
    assert remarks == ["left out: 1 labels uncertain, which Arbimon has no word for"]
    found = pd.read_csv(tmp_path / "labels.csv", keep_default_na=False)
    columns = ["recording", "site", "species", "x1", "x2", "y1", "y2", "validated"]
    assert found[columns].to_numpy().tolist() == [
        ["0530.flac", "hill/east", "WREN", 0.1, 0.3, 100, 200, "present"],
        ["0530.wav", "", "WREN", 0.1, 0.3, 100, 200, "not present"],
    ]


def test_the_competitions_tables_are_about_the_folder_train(tmp_path: Path) -> None:
    table = recordings_table(["train/a.wav", "test/a.wav", "train/b.wav"], [10, 10, 0])
    table.loc["train/b", ["sample_rate", "channels"]] = 0
    boxes = labels(
        ("train/a", "s1", 1, 2, 100, 200, "present"), ("train/a", "s1", 3, 4, math.nan, math.nan, "absent"),
        ("test/a", "s1", 1, 2, 100, 200, "present"), ("train/b", "s1", 1, 2, 100, math.nan, "present"),
    )  # fmt: skip
    assert write_labels("rfcx", tmp_path, boxes, table, tmp_path) == [
        "left out: 1 labels of recordings outside the folder train, which the competition has no boxes for",
        "left out: 1 labels without frequencies, of recordings that cannot be read, which the competition has no boxes "
        "for",
        "1 labels get 0 Hz or half the sample rate for a frequency that they do not have, because the competition has "
        "only boxes",
    ]
    present, absent = (pd.read_csv(tmp_path / f"train_{kind}.csv") for kind in ("tp", "fp"))
    assert present.to_numpy().tolist() == [["a", "s1", 1, 100, 2, 200]]
    assert absent.to_numpy().tolist() == [["a", "s1", 3, 0, 4, RATE / 2]]
