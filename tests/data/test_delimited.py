"""Tables of labels of Arbimon, of Hoplite and of one's own are read with their verdicts."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from dawnchorus.config.data import Data
from dawnchorus.config.params import Params
from dawnchorus.data.annotations import read_annotations, read_uncertain, write_annotations
from dawnchorus.data.dataset import Dataset
from dawnchorus.data.formats.reading import read_dataset
from dawnchorus.errors import InputError

BOX = ["recording_id", "species", "t_min", "t_max", "f_min", "f_max", "label"]


def read(root: Path, name: str, content: str, **columns: str) -> Dataset:
    for site in ("hill", "Dale"):
        (root / site).mkdir(exist_ok=True)
        soundfile.write(root / site / "0530.WAV", np.random.default_rng(len(site)).normal(0, 0.1, 80_000), 8000)
    (root / "labels.csv").write_text(content)
    return read_dataset(root, name, columns, None)


def boxes(found: Dataset) -> list[list[object]]:
    table = found.annotations[BOX]
    return table.astype(object).where(table.notna(), None).to_numpy().tolist()


ARBIMON = """id,recording,site,year,month,day,hour,minute,species,songtype,x1,x2,y1,y2,frequency,validated,url,score
1,0530.flac,hill,2024,6,11,5,30,Turdus merula,Song,1.5,2.75,1000,2000.5,4000,present,https://a/b,0.9
2,0530.flac,dale,2024,6,11,5,30,Turdus merula,Song,3,4,1000,2000,4000,not present,https://a/b,0.8
3,0530.flac,dale,2024,6,11,5,30,Turdus merula,Song,5,6,1000,2000,4000,(not validated),https://a/b,0.7
"""


def test_arbimons_export_says_present_and_not_present(tmp_path: Path) -> None:
    found = read(tmp_path, "arbimon", ARBIMON)
    assert boxes(found) == [
        ["hill/0530", "Turdus merula", 1.5, 2.75, 1000, 2000.5, "present"],
        ["Dale/0530", "Turdus merula", 3, 4, 1000, 2000, "absent"],
    ]
    assert found.remarks == [
        "3 rows in 1 label files, 2 labels of 1 species in 2 recordings; 0 training recordings have no label",
        "left out: 1 rows that nobody has judged",
    ]


HOPLITE = """recording,start_offset_s,end_offset_s,label,label_type
hill/0530.wav,0.0,5.0,wren,positive
hill/0530.wav,0.0,5.0,owl,negative
Dale/0530.wav,5.0,10.0,wren,uncertain
"""


def test_hoplites_export_has_uncertain_labels(tmp_path: Path) -> None:
    found = read(tmp_path, "hoplite", HOPLITE)
    assert boxes(found) == [
        ["hill/0530", "wren", 0, 5, None, None, "present"],
        ["hill/0530", "owl", 0, 5, None, None, "absent"],
        ["Dale/0530", "wren", 5, 10, None, None, "uncertain"],
    ]
    write_annotations(tmp_path / "annotations.csv", found.annotations)
    judged = read_annotations(tmp_path / "annotations.csv", found.species)
    assert list(zip(judged.species_id, judged.is_tp, strict=True)) == [(1, True), (0, False)]
    uncertain = read_uncertain(tmp_path / "annotations.csv", found.species)
    assert uncertain.iloc[0].to_list() == ["Dale/0530", 1, 5, 10, 0, np.inf, False]


def test_a_table_of_ones_own_with_other_names_of_columns(tmp_path: Path) -> None:
    content = (
        "File;Art;Beginn;Ende;Urteil\nhill\\0530.WAV;Zaunkönig;1,5;2,75;present\nDale\\0530.WAV;Eule;1;2;uncertain\n"
    )
    names = {"recording": "File", "species": "Art", "t_min": "Beginn", "t_max": "Ende", "label": "Urteil"}
    found = read(tmp_path, "csv", content, **names)
    assert boxes(found) == [
        ["hill/0530", "Zaunkönig", 1.5, 2.75, None, None, "present"],
        ["Dale/0530", "Eule", 1, 2, None, None, "uncertain"],
    ]


def test_a_table_of_ones_own_that_says_only_where_a_species_calls(tmp_path: Path) -> None:
    expected = pd.DataFrame({
        "recording": "hill/0530", "species": ["wren", "owl"], "t_min": [0.1, 1 / 3], "t_max": [1.0, 2.0],
        "f_min": [100.0, 200.0], "f_max": [1000.0, 2000.0],
    })  # fmt: skip
    found = read(tmp_path, "csv", expected.to_csv(index=False)).annotations
    assert list(found.label) == ["present", "present"]
    for column in ("t_min", "t_max", "f_min", "f_max"):
        assert list(found[column]) == list(expected[column])


def test_who_gave_a_label(tmp_path: Path) -> None:
    content = "recording,species,t_min,t_max,{}\nhill/0530,wren,1,2,Ann \nhill/0530,owl,1,2,\n"
    assert list(read(tmp_path, "csv", content.format("annotator")).annotations.annotator) == ["Ann", ""]
    found = read(tmp_path, "csv", content.format("Observer"), annotator="Observer")
    assert list(found.annotations.annotator) == ["Ann", ""]
    with pytest.raises(InputError, match="has no column Observer"):
        read(tmp_path, "csv", content.format("annotator"), annotator="Observer")
    hoplite = HOPLITE.replace("label_type\n", "label_type,annotator\n").replace("positive", "positive,bob")
    assert list(read(tmp_path, "hoplite", hoplite).annotations.annotator) == ["bob", "", ""]
    # A label that two people give is one label, of the first.
    twice = read(tmp_path, "csv", content.format("annotator") + "hill/0530,wren,1,2,Bob\n")
    assert list(twice.annotations.annotator) == ["Ann", ""]
    assert "1 rows repeat an earlier row and count once: first labels.csv line 4 = labels.csv line 2" in twice.remarks
    write_annotations(tmp_path / "annotations.csv", twice.annotations)
    assert "Ann" not in (tmp_path / "annotations.csv").read_text()


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("hill/0530,wren,x,2,present", "line 2, column t_min: found 'x', expected a number"),
        ("hill/0530,wren,-1,2,present", "line 2, column t_min: found -1, expected seconds from the start"),
        ("hill/0530,wren,2,2,present", "line 2, column t_max: found 2, expected a time after the row's t_min"),
        ("hill/0530,wren,,2,present", "line 2, column t_min: found '', expected seconds from the start"),
        ("hill/0530,wren,1,2,maybe", "line 2, column label: found 'maybe', expected one of present, absent, uncertain"),
        (",wren,1,2,present", "line 2, column recording: found '', expected a recording"),
        ("0530,wren,1,2,present", "line 2, column recording: found '0530', expected one recording, not Dale/0530"),
        ("hill/0600,wren,1,2,present", "line 2, column recording: found 'hill/0600', expected a recording in"),
    ],
)  # fmt: skip
def test_faults_name_file_row_and_column(tmp_path: Path, row: str, reason: str) -> None:
    with pytest.raises(InputError) as error:
        read(tmp_path, "csv", f"recording,species,t_min,t_max,label\n{row}\n")
    assert str(error.value).startswith(f"{tmp_path / 'labels.csv'}: {reason}")


@pytest.mark.parametrize(
    ("name", "column", "reason"),
    [
        ("arbimon", "species", r"data\.columns: found species, expected names for none"),
        ("csv", "code", r"data\.columns: found code, expected names for recording, species"),
    ],
)
def test_columns_are_named_only_where_a_format_has_none_of_its_own(
    params: Params, name: str, column: str, reason: str
) -> None:
    content = params.data.model_dump() | {"format": name, "columns": {column: "a"}}
    with pytest.raises(ValueError, match=reason):
        Data.model_validate(content)
