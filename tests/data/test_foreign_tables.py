"""Tables as other programs write them are read where that is certain; else the message names file and line."""

import csv
import io
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dawnchorus.data.formats.rfcx import read_boxes
from dawnchorus.data.score_tables import read_scores
from dawnchorus.data.tables import read_table
from dawnchorus.errors import InputError

HEADING = ["recording_id", "species_id", "t_min", "f_min", "t_max", "f_max", "note"]
ROWS = [
    ["a", "1", "0.5", "1000", "1.25", "2000.5", "größer"],
    ["b", "0", "0.125", "0", "60", "24000", ""],
    ["c", "1", "3", "1e3", "4.75", "2500", "x"],
]
PLAIN = ",".join(HEADING) + "\n"


def written(rows: list[list[str]], separator: str, end: str = "\n", quoting: Literal[0, 1] = csv.QUOTE_MINIMAL) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator=end, quoting=quoting).writerows(rows)
    return text.getvalue()


def german(rows: list[list[str]]) -> list[list[str]]:
    return [[cell.replace(".", ",") for cell in row] for row in rows]


def with_column(rows: list[list[str]], cells: list[str], position: int = 0) -> list[list[str]]:
    return [[*row[:position], cell, *row[position:]] for row, cell in zip(rows, cells, strict=True)]


ALL = [HEADING, *ROWS]


@pytest.mark.parametrize(
    ("content", "first_line"),
    [
        (written(ALL, ",").encode(), 2),
        (written(ALL, ";").encode(), 2),
        (written(ALL, "\t", "\r\n").encode(), 2),
        (written(ALL, ",", "\r").encode(), 2),
        (written(ALL, ";", "\r\n", csv.QUOTE_ALL).encode("utf-8-sig"), 2),
        (written(german(ALL), ";").encode(), 2),
        (written(german(ALL), "\t", "\r\n", csv.QUOTE_ALL).encode("utf-16"), 2),
        (b"\xfe\xff" + written(ALL, "\t").encode("utf-16-be"), 2),
        (("sep=;\r\n" + written(german(ALL), ";", "\r\n")).encode(), 3),
        (("\ufeffSEP=,\n" + written(ALL, ",")).encode(), 3),
        (('"sep=|"\n' + written(ALL, "|")).encode(), 3),
        (("# by a tool\n#\n\n" + written(ALL, ",")).encode(), 5),
        (("sep=\t\n# by a tool\n" + written(ALL, "\t")).encode(), 4),
        (written(with_column(ALL, ["", "0", "1", "2"]), ",").encode(), 2),
        (written(with_column(ALL, ["", "1", "2", "3"]), ";", quoting=csv.QUOTE_ALL).encode(), 2),
        (written(with_column(ALL, [""] * 4, 7), ";").encode(), 2),
        (written(with_column(ALL, ["Unnamed: 0", "0", "1", "2"]), ",").encode(), 2),
        ((written(ALL, ",") + ",,,,,,,,\n\n").encode(), 2),
        (written([[f" {name} " for name in HEADING], *ROWS], ",").encode(), 2),
    ],
)
def test_what_is_certain_is_read(tmp_path: Path, content: bytes, first_line: int) -> None:
    path = tmp_path / "train_tp.csv"
    path.write_bytes(content)
    boxes = read_boxes(path, "present", ["s0", "s1"])
    assert list(boxes.index) == [first_line, first_line + 1, first_line + 2]
    assert list(boxes.recording_id) == ["a", "b", "c"]
    assert list(boxes.species) == ["s1", "s0", "s1"]
    assert list(boxes.t_min) == [0.5, 0.125, 3]
    assert list(boxes.f_min) == [1000, 0, 1000]
    assert list(boxes.t_max) == [1.25, 60, 4.75]
    assert list(boxes.f_max) == [2000.5, 24_000, 2500]
    table = read_table(path, HEADING[:6])
    assert list(table.columns) == HEADING
    assert list(table.note) == ["größer", "", "x"]


@pytest.mark.parametrize(
    "text",
    [
        "Unnamed: 0,recording_id,s0,s1\n0,t,0.25,1e-9\n1,u,0,1\n",
        ",recording_id,s0,s1\n0,t,0.25,1e-9\n1,u,0,1\n",
        "recording_id;s0;s1\nt;0,25;1e-9\nu;0;1\n",
        '"","recording_id","s0","s1"\n"1","t",0.25,1e-9\n"2","u",0,1\n',
        "\n\nrecording_id\ts0\ts1\t\nt\t0.25\t1e-9\t\nu\t0\t1\t\n\n",
    ],
)
def test_score_tables_are_read_likewise(tmp_path: Path, text: str) -> None:
    path = tmp_path / "sample_submission.csv"
    path.write_text(text)
    for columns in (None, ["s0", "s1"]):
        scores = read_scores(path, columns)
        assert scores.to_dict("index") == {"t": {"s0": 0.25, "s1": 1e-9}, "u": {"s0": 0.0, "s1": 1.0}}


def rows_of(*cells: str) -> str:
    return PLAIN + "".join(f"{line}\n" for line in cells)


GOOD = "a,1,0.5,1000,1.5,2000,x"


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        # In Latin-1, in another encoding with zero bytes, cut in the middle of a character.
        (rows_of(GOOD, "b,1,0.5,1000,1.5,2000,caf\xe9").encode("latin-1"),
         ["line 3: found the byte 0xe9 after '.5,1000,1.5,2000,caf', which is not UTF-8", "save the table as UTF-8"]),
        (rows_of(GOOD).encode("utf-16-le"), ["line 1: found a zero byte", "save the table as UTF-8"]),
        (b"\xff\xfe" + rows_of(GOOD, "é").encode("utf-16-le")[:-1],
         ["line 3: found the byte 0x0a after 'é', which is not UTF-16"]),
        (b"PK\x03\x04\x14\x00", ["is a workbook", "save it as CSV UTF-8"]),
        # Decimal commas that cannot be told from separators, or that may separate thousands.
        (rows_of("a,1,0,5,1000,1,5,2000,x"), ["line 2: found 9 cells, expected 7", "decimal point, not a comma"]),
        (rows_of('a,1,"0,5",1000,1.5,2000,x'),
         ["line 2, column t_min: found '0,5', expected a number, with a decimal point"]),
        (rows_of("a;1;0,5;1000;1.5;2000;x").replace(",", ";", 6),
         ["line 2, column t_min: found '0,5'", "decimal point"]),
        (rows_of("a;1;0;1,000;1;2,000;x").replace(",", ";", 6),
         ["line 2, column f_min: found '1,000'", "decimal point"]),
        # Quotes.
        (rows_of('a,1,0.5,1000,1.5,2000,"loud', "b,1,0.5,1000,1.5,2000,x", 'c,1,0.5,1000,1.5,2000,near"', GOOD),
         ["lines 2 to 4: a quoted cell takes in lines that may be rows"]),
        (rows_of(GOOD, 'a,1,0.5,1000,1.5,2000,"loud', "b,1,0.5,1000,1.5,2000", 'c"'),
         ["lines 3 to 5: a quoted cell takes in lines that may be rows"]),
        (rows_of('"a,1,0.5,1000,1.5,2000,x', 'b",1,0.5,1000,1.5,2000,x'), ["lines 2 to 3: a quoted cell takes in"]),
        (rows_of(GOOD, 'b,1,0.5,1000,1.5,2000,"x', GOOD), ["lines 3 to 4: a quote that opens in line 3 is not closed"]),
        (rows_of(GOOD, 'b,1,0.5,1000,1.5,2000,"x', 'y"z', GOOD), ["lines 3 to 4: a quote that opens in line 3"]),
        (rows_of(GOOD, 'b,1,0.5,1000,1.5,2000,"x')[:-1], ["line 3: a quote is not closed"]),
        (rows_of(GOOD, 'b,1,0.5,1000,1.5,2000,"x"y'), ["line 3: found text after a closing quote"]),
        (rows_of(GOOD, 'b,1,0.5,1000,1.5,2000,"' + "x" * 200_000 + '"'), ["line 3: has more than 131072 characters"]),
        # Headings.
        (rows_of(GOOD).replace(",", "|"),
         ["line 1: has no column recording_id, t_min", "commas or semicolons or tabs"]),
        ("sep=;\n" + rows_of(GOOD), ["line 2: has no column", "separated by semicolons"]),
        ("# made by a tool\n\n# not more\n", ["is empty", "recording_id"]),
        (rows_of(GOOD).replace("note", "t_min"), ["line 1: two columns are called 't_min'"]),
        ("# by a tool\n" + GOOD, ["line 2: has no column recording_id", "found a, 1, 0.5"]),
        ('"' + rows_of(GOOD), ["line 1: has no column"]),
        ('"' + "x" * 200_000, ["line 1: has more than 131072 characters in one cell", "close each quote"]),
        # Rows.
        (rows_of(GOOD, GOOD + ",y"), ["line 3: found 8 cells, expected 7"]),
        ("# by a tool\n" + rows_of(GOOD, GOOD, "b,9,0.5,1000,1.5,2000,x"), ["line 5, column species_id: found"]),
        (rows_of(GOOD, "", "", "b,9,0.5,1000,1.5,2000,x"), ["line 5, column species_id: found"]),
        (rows_of('a,1,0.5,1000,1.5,2000,"one\ntwo"', GOOD, "c,9,0.5,1000,1.5,2000,x"), ["line 5, column species_id"]),
        (rows_of('a,1,0.5,1000,1.5,2000,"one\r\ntwo\rthree\n\nfour"', "c,9,0.5,1000,1.5,2000,x"), ["line 7, column"]),
    ],
)  # fmt: skip
def test_what_is_not_certain_is_refused_with_its_line(tmp_path: Path, content: str | bytes, parts: list[str]) -> None:
    path = tmp_path / "train_tp.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError) as error:
        read_boxes(path, "present", ["s0", "s1"])
    message = str(error.value)
    assert message.startswith(f"{path}: ")
    for part in parts:
        assert part in message
    # The words of libraries.
    for word in ("C error", "Expected", "tokenizing", "codec", "Unnamed", "unexpected end", "delimiter"):
        assert word not in message
    assert len(message) < 1500


def test_a_heading_of_two_lines_is_read(tmp_path: Path) -> None:
    path = tmp_path / "train_tp.csv"
    path.write_text('recording_id,"note\r\n(free)"\na,x\n')
    table = read_table(path, ["recording_id"])
    assert list(table.columns) == ["recording_id", "note (free)"]
    assert list(table.index) == [3]


def test_columns_without_a_name_but_with_content_stay(tmp_path: Path) -> None:
    path = tmp_path / "sample_submission.csv"
    for column in ("4,5", "0,2", "1,x"):
        first, second = column.split(",")
        path.write_text(f",recording_id,s0\n{first},t,0\n{second},u,0\n")
        with pytest.raises(InputError, match=r"found the columns \(column 1, without a name\), recording_id, s0"):
            read_scores(path, ["s0"])


def test_a_note_of_two_lines_is_read(tmp_path: Path) -> None:
    path = tmp_path / "train_tp.csv"
    path.write_text(rows_of('a,1,0.5,1000,1.5,2000,"one, and\ntwo, or ""three"""', GOOD))
    boxes = read_table(path, HEADING[:6])
    assert list(boxes.index) == [2, 4]
    assert boxes.note[2] == 'one, and\ntwo, or "three"'


TEXTS = st.text(st.sampled_from(" ab1.;,\t\"'#\n\ré\u2028\x85\x0b"), max_size=8)


@settings(max_examples=300, derandomize=True, deadline=None, database=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(
    st.lists(st.lists(TEXTS, min_size=3, max_size=3), min_size=1, max_size=5),
    st.sampled_from(",;\t"), st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]), st.sampled_from(["", "# by a tool\n", "\n"]),
)  # fmt: skip
def test_cells_and_line_numbers_are_those_of_pythons_csv_module(
    tmp_path: Path, rows: list[list[str]], separator: str, end: str, quoting: Literal[0, 1], before: str
) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes((before + written([["x", "y", "z"], *rows], separator, end, quoting)).encode())
    with path.open(newline="", encoding="utf-8") as file:
        lines = list(file)
    reader = csv.reader(lines, delimiter=separator)
    expected, begin, has_what_may_be_a_row = {}, 0, False
    for cells in reader:
        if any(cells):
            expected[begin + 1] = cells + [""] * (3 - len(cells))
        has_what_may_be_a_row |= any(line.count(separator) >= 2 for line in lines[begin + 1 : reader.line_num])
        begin = reader.line_num
    # The comment and the heading.
    expected = dict(list(expected.items())[2 if before.startswith("#") else 1 :])
    if has_what_may_be_a_row:
        with pytest.raises(InputError, match="a quoted cell takes in lines that may be rows"):
            read_table(path, ["x", "y", "z"])
    else:
        table = read_table(path, ["x", "y", "z"], may_be_empty=True)
        assert dict(zip(table.index, table.to_numpy().tolist(), strict=True)) == expected
