"""Audacity's label tracks are read with and without frequencies, also mixed."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from dawnchorus.data.dataset import Dataset
from dawnchorus.data.formats.reading import read_dataset
from dawnchorus.errors import InputError


def read(root: Path, content: str | bytes) -> Dataset:
    for name in ("A", "B"):
        soundfile.write(root / f"{name}.wav", np.random.default_rng(0).normal(0, 0.1, 80_000), 8000)
    (root / "A.txt").write_bytes(content.encode() if isinstance(content, str) else content)
    return read_dataset(root, "audacity", {}, None)


def boxes(found: Dataset) -> list[list[object]]:
    table = found.annotations[["recording_id", "species", "t_min", "t_max", "f_min", "f_max", "line"]]
    return table.astype(object).where(table.notna(), None).to_numpy().tolist()


WITH_FREQUENCIES = """1.250000\t2.500000\tWREN
\\\t1000.500000\t2000.000000
3.000000\t4.000000\tGreat tit, song
5.000000\t6.000000\tWREN
\\\t-1.000000\t3000.000000
"""


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_labels_with_and_without_frequencies(tmp_path: Path, end: str, encoding: str) -> None:
    found = read(tmp_path, WITH_FREQUENCIES.replace("\n", end).encode(encoding))
    assert boxes(found) == [
        ["A", "WREN", 1.25, 2.5, 1000.5, 2000, 1],
        ["A", "Great tit, song", 3, 4, None, None, 3],
        ["A", "WREN", 5, 6, None, 3000, 4],
    ]
    assert found.species == ["Great tit, song", "WREN"]


def test_birdnets_confidence_behind_the_label_is_no_part_of_it(tmp_path: Path) -> None:
    found = read(tmp_path, "0.0\t3.0\tTurdus merula\t0.8123\n3.0\t6.0\tTurdus merula\t0.7\n")
    assert found.species == ["Turdus merula"]


def test_a_label_track_that_is_not_recognised_is_named(tmp_path: Path) -> None:
    (tmp_path / "B.txt").write_text("0 1 OWL\n")
    found = read(tmp_path, "1\t2\tWREN\n")
    assert found.remarks[0] == (
        f"1 other files are no labels of the format audacity; first {tmp_path / 'B.txt'}: line 1: found '0 1 OWL', "
        "expected start, end and label, with tabs between them"
    )


@pytest.mark.parametrize("name", ["recording_id", "start", "channel", "Unnamed: 1", "a\x07b"])
def test_a_name_that_no_score_table_can_have_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"A\.txt: line 1, column species: found .*, expected a name in one line"):
        read(tmp_path, f"1\t2\t{name}\n")


def test_decimal_commas_and_what_is_left_out(tmp_path: Path) -> None:
    found = read(tmp_path, "1,25\t2,5\tWREN\n3\t3\tWREN\n4\t5\t\n\n6\t7\n")
    assert boxes(found) == [["A", "WREN", 1.25, 2.5, None, None, 1]]
    assert found.remarks == [
        "4 rows in 1 label files, 1 labels of 1 species in 1 recordings; 1 training recordings have no label",
        "left out: 1 labels of a point in time, which have no length",
        "left out: 2 rows without a species",
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("1\t2\tWREN\n2 3 WREN\n", "line 2: found '2 3 WREN', expected start, end and label, with tabs between them"),
        ("1\t2\tWREN\n5\t4\tWREN\n", "line 2: found '5\\t4\\tWREN', expected a start of 0 s or more and an end not"),
        ("1\t2\tWREN\n\\\t9\n", "line 2: found '\\\\\\t9', expected a backslash and two numbers"),
        ("1\t2\tWREN\n\\\t9\t8\n", "line 2: found '\\\\\\t9\\t8', expected the lowest frequency before the highest"),
        ("1\t2\tWREN\n\\\t1\t2\n\\\t1\t2\n", "line 3: found '\\\\\\t1\\t2', expected a backslash and two"),
        (b"1\t2\tR\xf6telfalke\n", "line 1: found the byte 0xf6 after '1\\t2\\tR', which is not UTF-8"),
    ],
)  # fmt: skip
def test_faults_name_file_and_line(tmp_path: Path, content: str | bytes, reason: str) -> None:
    with pytest.raises(InputError) as error:
        read(tmp_path, content)
    assert f"{tmp_path / 'A.txt'}: {reason}" in str(error.value)
