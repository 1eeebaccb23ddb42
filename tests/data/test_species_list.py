"""A user's list of species keeps, drops, merges and names them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from dawnchorus.data.dataset import Dataset
from dawnchorus.data.formats.reading import read_dataset
from dawnchorus.data.species_list import choose_species, read_species_list
from dawnchorus.errors import InputError


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    soundfile.write(tmp_path / "A.wav", np.random.default_rng(0).normal(0, 0.1, 80_000), 8000)
    labels = ["WREN", "wren song", "LARK", "OWL", "LARK"]
    (tmp_path / "A.txt").write_text("".join(f"{row}\t{row + 1}\t{label}\n" for row, label in enumerate(labels)))
    return read_dataset(tmp_path, "audacity", {}, None)


def listed_in(folder: Path, text: str) -> pd.DataFrame:
    """The list of species in a table."""
    (folder / "species.csv").write_text(text)
    return read_species_list("species.csv", [folder])


def test_a_list_keeps_species_in_its_order(dataset: Dataset) -> None:
    found = choose_species(dataset, read_species_list(["WREN", "LARK"], [Path()]))
    assert found.species == ["WREN", "LARK"]
    assert list(found.annotations.species) == ["WREN", "LARK", "LARK"]
    assert list(found.annotations.line) == [1, 3, 5]
    assert found.remarks[-1] == (
        "left out: 2 labels of species that data.species does not list: wren song (1), OWL (1)"
    )


def test_a_table_names_and_merges_species(dataset: Dataset, tmp_path: Path) -> None:
    listed = listed_in(
        tmp_path,
        "species,label,scientific_name,common_name\nwren,WREN,Troglodytes troglodytes,Wren\n"
        "wren,wren song,,\nLARK,,Alauda arvensis,Skylark\n",
    )
    found = choose_species(dataset, listed)
    assert found.species == ["wren", "LARK"]
    assert list(found.annotations.species) == ["wren", "wren", "LARK", "LARK"]
    assert list(listed.drop_duplicates("species").scientific_name) == ["Troglodytes troglodytes", "Alauda arvensis"]


def test_labels_that_are_merged_count_once(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "A.wav", np.random.default_rng(0).normal(0, 0.1, 80_000), 8000)
    (tmp_path / "A.txt").write_text("1\t2\tsong\n1\t2\tcall\n")
    listed = listed_in(tmp_path, "species,label\nWREN,song\nWREN,call\n")
    (tmp_path / "species.csv").unlink()
    found = choose_species(read_dataset(tmp_path, "audacity", {}, None), listed)
    assert len(found.annotations) == 1
    assert "1 rows repeat an earlier row and count once: first A.txt line 2 = A.txt line 1" in found.remarks


def test_a_species_without_labels_and_a_template_are_refused(dataset: Dataset) -> None:
    with pytest.raises(InputError, match="no label is of Lark; found LARK, OWL, WREN, wren song"):
        choose_species(dataset, read_species_list(["Lark"], [Path()]))
    truth = pd.DataFrame({"WREN": [1]}, index=["t"])
    other = Dataset(dataset.root, dataset.files, dataset.annotations, ["WREN"], dataset.groups, truth, {}, [])
    with pytest.raises(InputError, match=r"data\.species in params\.yaml must be null"):
        choose_species(other, read_species_list(["WREN"], [Path()]))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("code\nWREN\n", "has no column species"),
        ("species\n \n", "line 2, column species: found '', expected a species code"),
        ("species\nWREN\nstart\n", "line 3, column species: found 'start', expected a name .* start or channel"),
        ("species,label\nwren,WREN\nlark,WREN\n", "line 3, column label: found 'WREN', expected each label once"),
        ("species,label,common_name\nw,A,Wren\nw,B,Owl\n", "line 3, column common_name: found 'Owl', expected the"),
    ],
)  # fmt: skip
def test_faults_of_the_table(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        listed_in(tmp_path, text)


def test_a_missing_table_is_named_with_the_parameter(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"species\.csv: is missing; data\.species in params\.yaml names it"):
        read_species_list("species.csv", [tmp_path])


@pytest.mark.parametrize("code", ["start", "channel", "recording_id"])
def test_a_code_that_tables_of_scores_have_for_another_column_is_refused(code: str) -> None:
    with pytest.raises(InputError, match=f"species: found {code!r}, expected a name .* rename the species"):
        read_species_list(["WREN", code], [Path()])
