"""Complete annotation is declared in params.yaml or in a table of one's own, and makes ground truth of test labels."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from dawnchorus.data.complete import Completeness, read_complete, write_complete
from dawnchorus.data.complete_list import declare_complete, describe_completeness, use_test_labels
from dawnchorus.data.dataset import SPLITS, Dataset
from dawnchorus.data.formats.reading import read_dataset
from dawnchorus.data.species_list import choose_species, read_species_list
from dawnchorus.errors import InputError

LABELS = """recording,species,t_min,t_max,label
train/hill/a,wren,1,2,present
train/hill/b,owl,1,2,present
test/c,wren,1,2,present
test/c,owl,1,2,uncertain
test/c,lark,1,2,absent
test/d,wren,1,2,uncertain
test/d,wren,3,4,present
test/e,owl,1,2,present
test/f,finch,1,2,present
"""


def write_recordings(root: Path, *names: str) -> None:
    for number, name in enumerate(names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, np.random.default_rng(number).normal(0, 0.1, 800), 8000)


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """Three training and four test recordings; the second has labels that nobody expects in training."""
    write_recordings(
        tmp_path, "train/hill/a.WAV", "train/hill/b.WAV", "train/g.wav",
        "test/c.wav", "test/d.wav", "test/e.wav", "test/f.wav",
    )  # fmt: skip
    (tmp_path / "labels.csv").write_text(LABELS + "train/hill/b,lark,3,4,present\n")
    return read_dataset(tmp_path, "csv", {}, None)


def declare(dataset: Dataset, table: str) -> Dataset:
    (dataset.root / "complete.csv").write_text(table)
    return declare_complete(dataset, "complete.csv", SPLITS)


def rows(dataset: Dataset) -> list[tuple[str, str, str]]:
    return list(dataset.complete[["split", "recording_id", "species"]].itertuples(index=False, name=None))


def test_all_recordings_of_the_data_set_are_complete(dataset: Dataset) -> None:
    assert dataset.annotated == {"hill/a", "hill/b"}
    every = declare_complete(dataset, "all", SPLITS)
    assert every.annotated == {"hill/a", "hill/b", "g"}
    assert rows(every) == [("train", name, "") for name in ("g", "hill/a", "hill/b")] + [
        ("test", name, "") for name in "cdef"
    ]
    # The competition's test recordings have no labels.
    assert set(declare_complete(dataset, "all", ["train"]).complete.split) == {"train"}


def test_a_table_lists_recordings_and_species_under_names_as_people_write_them(dataset: Dataset) -> None:
    found = declare(dataset, "recording_id;species;notes\nhill\\a.WAV;;x\ng.wav;owl;\ng;wren;\ng;owl;\ntest/c.flac;;\n")
    assert rows(found) == [("train", "hill/a", ""), ("train", "g", "owl"), ("train", "g", "wren"), ("test", "c", "")]
    assert found.annotated == {"hill/a", "hill/b", "g"}
    assert [remark.split(" is read as ")[1] for remark in found.remarks[-3:]] == [
        "'hill/a', the only recording with such a name", "'g', without the suffix",
        "'c', the only recording with such a name",
    ]  # fmt: skip
    assert describe_completeness(found) == [
        "2 training recordings are annotated completely, 1 of them for some species only; 1 of them have no label",
        "1 test recordings are annotated completely; 0 of them have no label",
    ]


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ("recording_id\nhill/z\n", "line 2, column recording_id: found 'hill/z', expected a recording that has a file"),
        ("recording_id,species\n,owl\n", "line 2, column recording_id: found '', expected a recording"),
        ("recording_id,species\ng,wran\n", "line 2, column species: found 'wran', expected a species that has a label"),
        ("recording\ng\n", "line 1: has no column recording_id"),
        ("recording_id\n", "has no rows"),
    ],
)
def test_faults_name_file_row_and_column(dataset: Dataset, table: str, reason: str) -> None:
    with pytest.raises(InputError) as error:
        declare(dataset, table)
    assert str(error.value).startswith(f"{dataset.root / 'complete.csv'}: {reason}")


def test_a_missing_table_is_named_with_its_parameter(dataset: Dataset) -> None:
    with pytest.raises(InputError, match=r"lists/x\.csv: is missing; labels\.complete in params\.yaml names it"):
        declare_complete(dataset, "lists/x.csv", SPLITS)


def test_a_name_of_a_training_and_of_a_test_recording_needs_its_folder(dataset: Dataset) -> None:
    write_recordings(dataset.root, "test/g.wav")
    both = read_dataset(dataset.root, "csv", {}, None)
    with pytest.raises(InputError, match="found 'g', expected one recording, not one in train and one in test; write"):
        declare(both, "recording_id\ng\n")
    assert rows(declare(both, "recording_id\ntest/g.wav\ntrain/g\n")) == [("test", "g", ""), ("train", "g", "")]


def test_a_data_set_without_a_folder_for_training(tmp_path: Path) -> None:
    write_recordings(tmp_path, "hill/a.wav", "b.wav")
    (tmp_path / "labels.csv").write_text("recording,species,t_min,t_max\nb,wren,1,2\n")
    found = read_dataset(tmp_path, "csv", {}, None)
    assert rows(declare(found, "recording_id\nhill/a.wav\n")) == [("train", "hill/a", "")]
    with pytest.raises(InputError, match=f"expected a recording that has a file in {tmp_path}; "):
        declare(found, "recording_id\na/b\n")


def test_labels_of_complete_test_recordings_are_the_ground_truth(dataset: Dataset) -> None:
    declared = declare(dataset, "recording_id,species\nc,\nd,owl\nf,\n")
    found = use_test_labels(declared)
    assert list(found.species) == ["lark", "owl", "wren"]
    expected = pd.DataFrame(
        # An uncertain label leaves owl unknown in c; d is complete for owl alone, and a label has wren.
        [[0, np.nan, 1], [np.nan, 0, 1], [0, 0, 0.0]], ["c", "d", "f"], ["lark", "owl", "wren"],
    )  # fmt: skip
    pd.testing.assert_frame_equal(found.ground_truth, expected, check_names=False)
    assert found.remarks[len(declared.remarks) :] == [
        "left out: 1 labels of test recordings; they become ground truth where labels.complete in params.yaml says "
        "that a recording is annotated completely",
        "left out: 1 labels of test recordings, of species without a label in training recordings: finch",
    ]


def test_labels_of_test_recordings_are_left_out_where_nothing_is_complete(dataset: Dataset) -> None:
    found = use_test_labels(dataset)
    assert found.ground_truth.empty
    assert found.remarks[-1].startswith("left out: 7 labels of test recordings; they become ground truth where")


def test_a_programs_labels_are_no_ground_truth(tmp_path: Path) -> None:
    write_recordings(tmp_path, "train/a.wav", "test/b.wav")
    heading = "Start (s),End (s),Scientific name,Common name,Confidence,File\n"
    rows = "".join(f"0,3,Strix aluco,owl,0.9,{name}\n" for name in ("train/a.wav", "test/b.wav"))
    (tmp_path / "labels.csv").write_text(heading + rows)
    found = use_test_labels(declare_complete(read_dataset(tmp_path, "birdnet", {}, None), "all", SPLITS))
    assert "left out: 1 labels of test recordings by a program, which are no ground truth" in found.remarks
    assert found.ground_truth.to_numpy().tolist() == [[0.0]]


def test_sparse_presence_alone_is_explained_in_a_sentence(dataset: Dataset) -> None:
    (said,) = describe_completeness(dataset)
    assert said.startswith("no recording is annotated completely (labels.complete in params.yaml), and no label says")
    assert said.endswith("they are no probabilities, and their precision is unknown")
    (dataset.root / "labels.csv").write_text(LABELS + "train/hill/a,owl,1,2,absent\n")
    assert describe_completeness(read_dataset(dataset.root, "csv", {}, None)) == []


def test_a_recording_is_complete_for_merged_species_if_it_is_for_each(dataset: Dataset) -> None:
    declared = declare(dataset, "recording_id,species\nhill/a,owl\nhill/a,wren\ng,owl\nhill/b,lark\nc,\n")
    (dataset.root / "species.csv").write_text("species,label\nBIRD,owl\nBIRD,wren\n")
    chosen = choose_species(declared, read_species_list("species.csv", [dataset.root]))
    assert sorted(rows(chosen)) == [("test", "c", ""), ("train", "hill/a", "BIRD")]
    assert list(use_test_labels(chosen).ground_truth.columns) == ["BIRD"]
    assert set(chosen.test_annotations.species) == {"BIRD"}


def test_a_column_of_a_table_of_ones_own_says_which_recordings_are_complete(tmp_path: Path) -> None:
    write_recordings(tmp_path, "a.wav", "b.wav", "c.wav", "d.wav", "e.wav")
    (tmp_path / "labels.csv").write_text(
        "recording,species,t_min,t_max,label,whole\na,wren,1,2,present,Yes\na,owl,1,2,absent,\nb,wren,1,2,present,no\n"
        "c,,,,,TRUE\nd,,,,,0\ne,owl,3,4,present,\n"
    )
    found = read_dataset(tmp_path, "csv", {"complete": "whole"}, None)
    assert rows(found) == [("train", "a", ""), ("train", "c", "")]
    assert found.annotated == {"a", "b", "c", "e"}
    assert len(found.annotations) == 4
    assert found.remarks == [
        "6 rows in 1 label files, 4 labels of 2 species in 3 recordings; 2 training recordings have no label"
    ]


@pytest.mark.parametrize(
    ("last", "reason"),
    [
        (
            "a,,,,no",
            "line 3: says that a is not annotated completely, and {path} line 2 says the opposite; correct one",
        ),
        ("a,,,,maybe", "line 3, column complete: found 'maybe', expected yes or no"),
        ("b,,,,", "line 3, column t_min: found '', expected seconds from the start"),
        ("b,owl,,,yes", "line 3, column t_min: found '', expected seconds from the start"),
        ("b,,3,,yes", "line 3, column t_max: found '', expected a time after"),
    ],
)
def test_faults_in_the_column_complete(tmp_path: Path, last: str, reason: str) -> None:
    write_recordings(tmp_path, "a.wav", "b.wav")
    path = tmp_path / "labels.csv"
    path.write_text(f"recording,species,t_min,t_max,complete\na,wren,1,2,yes\n{last}\n")
    with pytest.raises(InputError) as error:
        read_dataset(tmp_path, "csv", {}, None)
    assert str(error.value).startswith(f"{path}: {reason.format(path=path)}")


def test_the_canonical_table_is_read_as_it_was_written(tmp_path: Path) -> None:
    table = pd.DataFrame({"recording_id": ["a", "b", "b", "a"], "species": ["", "y", "x", ""], "split": "train"})
    write_complete(tmp_path / "complete.csv", table)
    assert (tmp_path / "complete.csv").read_text() == "recording_id,species\na,\nb,y\nb,x\n"
    found = read_complete(tmp_path / "complete.csv", ["x", "y", "z"])
    np.testing.assert_array_equal(found.of(["b", "other", "a"]), np.array([[1, 1, 0], [0, 0, 0], [1, 1, 1]], bool))
    assert found.for_all_species() == ["a"]
    write_complete(tmp_path / "none.csv", table[:0])
    nothing = read_complete(tmp_path / "none.csv", ["x"])
    assert nothing.for_all_species() == []
    assert not nothing.of(["a", "b"]).any()
    (tmp_path / "complete.csv").write_text("recording_id,species\na,w\n")
    with pytest.raises(InputError, match=r"line 2, column species: found 'w', expected a species from data/species"):
        read_complete(tmp_path / "complete.csv", ["x"])


def test_recordings_that_name_every_species_are_complete_for_all() -> None:
    table = pd.DataFrame({"recording_id": ["a", "a"], "species": ["x", "y"]})
    assert Completeness.of_table(table, ["x", "y"]).for_all_species() == ["a"]
