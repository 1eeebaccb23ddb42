"""Kaleidoscope's tables give what a person heard, and what the program had taken it for."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from dawnchorus.data.dataset import Dataset
from dawnchorus.data.formats import kaleidoscope
from dawnchorus.data.formats.reading import read_dataset
from dawnchorus.data.ingest import check_labels, check_recordings
from dawnchorus.errors import InputError

BOX = ["recording_id", "species", "t_min", "t_max", "f_min", "f_max", "label"]
CLUSTERS = (
    "INDIR,FOLDER,IN FILE,CHANNEL,OFFSET,DURATION,Fmin,Fmean,Fmax,DATE,TIME,HOUR,TOP1MATCH*,TOP1DIST,VOCALIZATIONS,"
    "MANUAL ID\n"
)
BATS = (
    "INDIR,OUTDIR,FOLDER,IN FILE,CHANNEL,OFFSET,DURATION,OUT FILE FS,DATE,TIME,AUTO ID*,PULSES,MATCHING,MATCH RATIO,"
    "N,Fc,Sc,Dur,Fmax,Fmin,Fmean,MANUAL ID,ORGID,USERID,REVIEW ORGID,REVIEW USERID\n"
)


def recordings(root: Path, rate: int = 24_000) -> None:
    for site in ("hill", "Dale"):
        (root / site).mkdir(parents=True, exist_ok=True)
        soundfile.write(root / site / "0530.wav", np.random.default_rng(len(site)).normal(0, 0.1, 10 * rate), rate)


def read(root: Path, content: str | bytes, rate: int = 24_000) -> Dataset:
    recordings(root, rate)
    (root / "cluster.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    return read_dataset(root, "kaleidoscope", {}, None)


def boxes(found: Dataset) -> list[list[object]]:
    table = found.annotations[BOX]
    return table.astype(object).where(table.notna(), None).to_numpy().tolist()


def cluster(folder: str, offset: str, automatic: str, manual: str, edges: str = "1000,1500,2000") -> str:
    return (
        rf"C:\field,{folder},0530.WAV,0,{offset},1.25,{edges},2024-06-11,05:30:00,05,{automatic},0.4,1,{manual}" + "\n"
    )


def test_a_manual_id_decides(tmp_path: Path) -> None:
    rows = (
        cluster("hill", "0.5", "WREN", "WREN"),
        cluster("hill", "2", "WREN", "LARK"),
        cluster("dale", "3", "WREN", "Noise"),
        cluster("dale", "4", "WREN", ""),
        cluster("dale", "5", "WREN", "NoID"),
    )
    found = read(tmp_path, CLUSTERS + "".join(rows))
    assert boxes(found) == [
        ["hill/0530", "WREN", 0.5, 1.75, 1000, 2000, "present"],
        ["hill/0530", "LARK", 2, 3.25, 1000, 2000, "present"],
        ["hill/0530", "WREN", 2, 3.25, 1000, 2000, "absent"],
        ["Dale/0530", "WREN", 3, 4.25, 1000, 2000, "absent"],
        ["Dale/0530", "WREN", 5, 6.25, 1000, 2000, "uncertain"],
    ]
    assert list(found.annotations.line) == [2, 3, 3, 4, 6]
    assert found.remarks == [
        "5 rows in 1 label files, 5 labels of 2 species in 2 recordings; 0 training recordings have no label",
        "left out: 1 rows that nobody has judged",
    ]


@pytest.mark.parametrize("manual", ['"WREN, Turdus merula"', '"WREN,Turdus merula"', "WREN; Turdus merula"])
def test_several_names_in_a_cell_are_several_species(tmp_path: Path, manual: str) -> None:
    found = read(tmp_path, CLUSTERS + cluster("hill", "0", "LARK", manual))
    assert [(row[1], row[6]) for row in boxes(found)] == [
        ("WREN", "present"), ("Turdus merula", "present"), ("LARK", "absent"),
    ]  # fmt: skip


def test_noise_beside_a_species_and_the_automatic_id_in_another_case(tmp_path: Path) -> None:
    found = read(tmp_path, CLUSTERS + cluster("hill", "0", "wren", '"Noise, WREN"'))
    assert [(row[1], row[6]) for row in boxes(found)] == [("WREN", "present")]


def test_numbered_clusters_and_noise_are_no_species(tmp_path: Path) -> None:
    rows = (
        cluster("hill", "0", "Cluster.017", "WREN"),
        cluster("hill", "1", "Cluster.017", "Noise"),
        cluster("hill", "2", "NoID", "Noise"),
        cluster("hill", "3", "NoID", "LARK"),
    )
    found = read(tmp_path, CLUSTERS + "".join(rows))
    assert found.species == ["LARK", "WREN"]
    assert set(found.annotations.label) == {"present"}
    assert "left out: 2 rows judged to be no species, without an automatic id that is one" in found.remarks


def bat(auto: str, edges: str, manual: str, reviewer: str = "ann") -> str:
    return (
        f"D:\\bats,,hill,0530.wav,0,0,5,,2024-06-11,05:30:00,{auto},9,9,1,9,45,1,5,{edges},45,{manual},,,,{reviewer}\n"
    )


@pytest.mark.parametrize("edges", ["62.5,41.25", "62500,41250"])
def test_frequencies_of_bats_are_in_khz_unless_somebody_has_converted_them(tmp_path: Path, edges: str) -> None:
    found = read(tmp_path, BATS + bat("PIPPIP", edges, "PIPPIP") + bat("NoID", ",", "PIPNAT"), rate=256_000)
    assert boxes(found) == [
        ["hill/0530", "PIPPIP", 0, 5, 41_250, 62_500, "present"],
        ["hill/0530", "PIPNAT", 0, 5, None, None, "present"],
    ]
    assert list(found.annotations.annotator) == ["ann", "ann"]


def test_a_table_of_bats_in_both_units_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"cluster\.csv: line 3, column Fmax: found 62500, expected a frequency in kHz"
    ):
        read(tmp_path, BATS + bat("PIPPIP", "62,41", "PIPPIP") + bat("PIPPIP", "62500,41000", "PIPPIP"))


def test_clusters_in_khz_are_refused(tmp_path: Path) -> None:
    found = read(tmp_path, CLUSTERS + cluster("hill", "0", "WREN", "WREN", "1.0,1.5,2.0"))
    inspections = check_recordings(found, 24_000, 3.0, "mean", 1)
    with pytest.raises(InputError, match=r"cluster\.csv: line 2, column f_max: found 2, .*these seem to be kHz"):
        check_labels(found, inspections, cut=True)


@pytest.mark.parametrize("heading", [CLUSTERS, CLUSTERS.replace("*", "").replace("MANUAL ID", "MANUAL ID*"),
                                     CLUSTERS.replace("IN FILE", "IN FILE*").replace("OFFSET", "OFFSET*")])  # fmt: skip
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_how_a_table_may_be_written(tmp_path: Path, heading: str, encoding: str, end: str) -> None:
    content = (heading + cluster("hill", "0.5", "Zaunkönig", "Zaunkönig")).replace("\n", end)
    found = read(tmp_path, content.encode(encoding))
    assert boxes(found) == [["hill/0530", "Zaunkönig", 0.5, 1.75, 1000, 2000, "present"]]


def test_decimal_commas_with_semicolons(tmp_path: Path) -> None:
    content = (CLUSTERS + cluster("hill", "0.5", "WREN", "WREN")).replace(",", ";").replace(".", ",")
    found = read(tmp_path, content.replace("0530,WAV", "0530.WAV"))
    assert boxes(found) == [["hill/0530", "WREN", 0.5, 1.75, 1000, 2000, "present"]]


BIRDNET = "INDIR,FOLDER,IN FILE,OFFSET,DURATION,TOP1MATCH,confidence\n/data,hill,0530.wav,0,3,Eurasian Wren,0.9\n"


def test_a_table_of_birdnet_that_nobody_has_reviewed_is_explained(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"cluster\.csv: has no column MANUAL ID, so nobody has judged its rows \(a tab"
    ):
        read(tmp_path, BIRDNET)
    reviewed = BIRDNET.replace("confidence", "MANUAL ID").replace("0.9", "Noise")
    assert boxes(read(tmp_path, reviewed)) == [["hill/0530", "Eurasian Wren", 0, 3, None, None, "absent"]]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (cluster("hill", "x", "WREN", "WREN"), "line 2, column OFFSET: found 'x', expected a number"),
        (cluster("hill", "0,5", "WREN", "WREN"), "line 2: found 17 cells, expected 16"),
        (cluster("hill", "-1", "WREN", "WREN"), "line 2, column OFFSET: found -1, expected seconds from the start"),
        (cluster("hill", "1", "WREN", "WREN").replace("1.25", "0"), "line 2, column DURATION: found 0, expected sec"),
        (cluster("hill", "1", "A", "A", "2000,1500,1000"), "line 2, column Fmax: found 1000, expected a frequency not"),
        (cluster("hill", "1", "A", "A", "-5,1500,1000"), "line 2, column Fmin: found -5, expected a frequency, 0 or"),
        (cluster("hill", "1", "A", "A").replace("0530", ""), "line 2, column IN FILE: found 'C:\\\\field/hill/.WAV'"),
        (cluster("hill", "1", "A", "A").replace("0530", "0600"), "line 2, column IN FILE: found 'C:\\\\field/hill/06"),
        (cluster("", "1", "A", "A"), "line 2, column IN FILE: found 'C:\\\\field/0530.WAV', expected one recording"),
    ],
)  # fmt: skip
def test_faults_name_file_row_and_column(tmp_path: Path, row: str, reason: str) -> None:
    with pytest.raises(InputError) as error:
        read(tmp_path, CLUSTERS + row)
    assert str(error.value).startswith(f"{tmp_path / 'cluster.csv'}: {reason}")


def test_tables_without_labels(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="1 label files contain no label that can be used: they have no rows"):
        read(tmp_path, CLUSTERS)
    with pytest.raises(InputError, match="no label that can be used: 1 rows that nobody has judged"):
        read(tmp_path, CLUSTERS + cluster("hill", "0", "WREN", ""))
    with pytest.raises(
        InputError, match=r"contains no labels of the format kaleidoscope.*expected a heading with IN FI"
    ):
        read(tmp_path, "INDIR,FOLDER,DATE\n")
    with pytest.raises(InputError, match=r"cluster\.csv: has both a column OFFSET and OFFSET\*; remove one of them"):
        read(tmp_path, CLUSTERS.replace("CHANNEL", "OFFSET*") + cluster("hill", "0", "WREN", "WREN"))


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    recordings(tmp_path / "data")
    labels = pd.DataFrame({
        "recording_id": ["hill/0530", "hill/0530", "Dale/0530", "Dale/0530", "Dale/0530", "Dale/0530"],
        "species": ["Turdus merula", "WREN", "WREN", "WREN", "tit, great", "sp.10"],
        "t_min": [0.1, 1 / 3, 2.7, 3.0, 4.0, 5.0], "t_max": [0.7, 1.1, 9.9, 4.0, 5.0, 6.0],
        "f_min": [100.25, np.nan, np.nan, 1, 1, 1], "f_max": [2000.5, np.nan, np.nan, 2, 2, 2],
        "label": ["present", "absent", "present", "uncertain", "present", "absent"],
        "annotator": ["ann", "", "bob", "", "", ""],
    })  # fmt: skip
    files = pd.DataFrame({"file": ["hill/0530.wav", "Dale/0530.wav"]}, ["hill/0530", "Dale/0530"])
    said = kaleidoscope.write_labels(tmp_path / "data", labels, files, tmp_path / "data")
    found = read_dataset(tmp_path / "data", "kaleidoscope", {}, None).annotations
    pd.testing.assert_frame_equal(
        found[[*BOX, "annotator"]], labels.iloc[:4][[*BOX, "annotator"]], check_dtype=False, rtol=1e-12
    )
    assert said == [
        "left out: 2 labels of species whose names Kaleidoscope would misread: sp.10, tit, great",
    ]
    by_pandas = pd.read_csv(tmp_path / "data/cluster.csv")
    assert list(by_pandas["MANUAL ID"]) == ["Turdus merula", "Noise", "WREN", "NoID"]
    assert list(by_pandas["TOP1MATCH"]) == ["Turdus merula", "WREN", "WREN", "WREN"]
