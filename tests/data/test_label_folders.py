"""Label files are read from data.root and from data.labels."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import soundfile

from dawnchorus.data.dataset import Dataset
from dawnchorus.data.formats.reading import FORMATS, read_dataset
from dawnchorus.data.ingest import check_labels, check_recordings
from dawnchorus.data.species_list import read_species_list
from dawnchorus.errors import InputError

RAVEN = "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\tSpecies\n"
AOEF = """{"version": "1.1.0", "created_on": "2024-06-11T00:00:00", "data": {
  "collection_type": "annotation_set", "uuid": "0", "tags": [{"id": 0, "key": "species", "value": "SPECIES"}],
  "recordings": [{"uuid": "1", "path": "/x/hill/A.wav", "duration": 10, "channels": 1, "samplerate": 8000}],
  "clips": [{"uuid": "2", "recording": "1", "start_time": 0, "end_time": 10}],
  "sound_events": [{"uuid": "3", "recording": "1",
                    "geometry": {"type": "BoundingBox", "coordinates": [1, 1000, 2, 2000]}}],
  "sound_event_annotations": [{"uuid": "4", "sound_event": "3", "tags": [0]}],
  "clip_annotations": [{"uuid": "5", "clip": "2", "sound_events": ["4"]}]}}"""
# A file with one label of a species in hill/A.wav, in each format.
FILES = {
    "raven": ("hill/A.Table.1.selections.txt", RAVEN + "1\tSpectrogram 1\t1\t1\t2\t1000\t2000\tSPECIES\n"),
    "audacity": ("hill/A.txt", "1\t2\tSPECIES\n\\\t1000\t2000\n"),
    "kaleidoscope": (
        "cluster.csv",
        "INDIR,FOLDER,IN FILE,OFFSET,DURATION,Fmin,Fmean,Fmax,TOP1MATCH*,MANUAL ID\n"
        "C:\\field,hill,A.wav,1,1,1000,1500,2000,SPECIES,SPECIES\n",
    ),
    "birdnet": (
        "results.csv",
        "Start (s),End (s),Scientific name,Common name,Confidence,File\n1.0,2.0,SPECIES,SPECIES,0.9,/x/hill/A.wav\n",
    ),
    "aoef": ("labels.json", AOEF),
    "arbimon": ("pm.csv", "recording,site,species,x1,x2,y1,y2,validated\nA.wav,hill,SPECIES,1,2,1000,2000,present\n"),
    "hoplite": (
        "labels.csv",
        "recording,start_offset_s,end_offset_s,label,label_type\nhill/A.wav,1,2,SPECIES,positive\n",
    ),
    "csv": ("labels.csv", "recording,species,t_min,t_max,f_min,f_max\nhill/A.wav,SPECIES,1,2,1000,2000\n"),
}


@pytest.fixture
def forest(tmp_path: Path) -> Path:
    """Two recordings of one name, and a folder for labels beside them."""
    for site in ("hill", "lake"):
        path = tmp_path / "forest" / site / "A.wav"
        path.parent.mkdir(parents=True)
        soundfile.write(path, np.random.default_rng(len(path.parts)).normal(0, 0.1, 80_000), 8000)
    (tmp_path / "tables").mkdir()
    return tmp_path / "forest"


def add(folder: Path, name: str, species: str, changes: Mapping[str, str] | None = None) -> Path:
    file, text = FILES[name]
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    for old, new in (changes or {}).items():
        text = text.replace(old, new)
    path.write_text(text.replace("SPECIES", species))
    return path


def read(forest: Path, name: str, group: str | None = None) -> Dataset:
    return read_dataset(forest, name, {}, group, forest.parent / "tables")


@pytest.mark.parametrize("name", FILES)
def test_both_folders_are_read_in_every_format(forest: Path, name: str) -> None:
    add(forest, name, "WREN")
    add(forest.parent / "tables", name, "LARK")
    found = read(forest, name).annotations
    assert list(found.recording_id) == ["hill/A", "hill/A"]
    assert list(found.species) == ["WREN", "LARK"]
    file = FILES[name][0]
    assert list(found.table) == [file, f"tables/{file}"]


@pytest.mark.parametrize("name", FILES)
def test_the_labels_may_all_be_in_the_second_folder(forest: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"forest and .*tables: contains no labels of the format"):
        read(forest, name)
    add(forest.parent / "tables", name, "LARK")
    assert list(read(forest, name).annotations.recording_id) == ["hill/A"]


def test_every_format_is_tried() -> None:
    assert {*FILES, "rfcx"} == {*FORMATS}


def test_reviewed_segments_in_the_second_folder(forest: Path) -> None:
    clip = forest.parent / "tables/Wren/Positive/0.900_1_hill-A_1.0s_2.0s.wav"
    (forest / "hill/A.wav").rename(forest / "hill/hill-A.wav")
    clip.parent.mkdir(parents=True)
    soundfile.write(clip, np.random.default_rng(1).normal(0, 0.1, 8000), 8000)
    found = read(forest, "birdnet")
    assert list(found.files["train"]) == ["hill/hill-A", "lake/A"]
    assert list(found.annotations[["recording_id", "species", "t_min", "t_max"]].iloc[0]) == [
        "hill/hill-A",
        "Wren",
        1,
        2,
    ]


def test_a_file_in_no_folder_of_two_recordings_says_where_it_belongs(forest: Path) -> None:
    path = add(forest.parent / "tables", "audacity", "WREN")
    path = path.rename(forest.parent / "tables/A.txt")
    with pytest.raises(InputError) as error:
        read(forest, "audacity")
    assert str(error.value) == (
        f"{path}: its name is that of hill/A.wav and lake/A.wav; move it to a folder of the same name as its "
        f"recording's, such as {forest.parent}/tables/hill"
    )
    path.rename(forest.parent / "tables/B.txt")
    with pytest.raises(InputError, match=r"rename the file as its recording, or move it out of .*/tables"):
        read(forest, "audacity")


def test_a_label_in_both_folders_counts_once(forest: Path) -> None:
    add(forest, "audacity", "WREN")
    add(forest.parent / "tables", "audacity", "WREN")
    found = read(forest, "audacity")
    assert len(found.annotations) == 1
    assert found.remarks[-1].startswith(
        "1 rows repeat an earlier row and count once: first tables/hill/A.txt line 1 = hill/A.txt line 1"
    )


@pytest.mark.parametrize("folder", ["forest", "tables"])
def test_a_row_that_cannot_be_right_is_named_with_its_folder(forest: Path, folder: str) -> None:
    path = add(forest.parent / folder, "csv", "WREN", {",2000": ",5000"})
    dataset = read(forest, "csv")
    inspections = check_recordings(dataset, 8000, 3.0, "mean", 1)
    with pytest.raises(InputError, match=rf"{path}: line 2, column f_max: found 5000, expected at most 4000 Hz"):
        check_labels(dataset, inspections, cut=True)


def test_tables_of_the_competition_belong_into_the_root(forest: Path) -> None:
    table = forest.parent / "tables/train_tp.csv"
    table.write_text("recording_id,species,t_min,f_min,t_max,f_max\nhill/A,WREN,1,1000,2,2000\n")
    forest.rename(forest.with_name("sounds"))
    (forest / "train").parent.mkdir()
    forest.with_name("sounds").rename(forest / "train")
    with pytest.raises(InputError) as error:
        read(forest, "rfcx")
    assert str(error.value) == f"{table}: the format rfcx has its tables in data.root; move this one to {forest}"
    table.rename(forest / table.name)
    assert list(read(forest, "rfcx").annotations.recording_id) == ["hill/A"]


def test_a_folder_that_is_missing_is_an_error(forest: Path) -> None:
    add(forest, "csv", "WREN")
    (forest.parent / "tables").rmdir()
    with pytest.raises(InputError, match=r"tables: is missing or no folder; data\.labels in params\.yaml must name"):
        read(forest, "csv")


def test_the_list_of_species_is_in_either_folder_but_not_in_both(forest: Path) -> None:
    folders = [forest, forest.parent / "tables"]
    with pytest.raises(InputError, match=r"forest/species\.csv: is missing; data\.species in params\.yaml names it"):
        read_species_list("species.csv", folders)
    (folders[1] / "species.csv").write_text("species\nWREN\n")
    assert list(read_species_list("species.csv", folders).species) == ["WREN"]
    (folders[0] / "species.csv").write_text("species\nWREN\n")
    with pytest.raises(InputError, match=r"found .*forest/species\.csv and .*tables/species\.csv, expected one table"):
        read_species_list("species.csv", folders)
