"""A bad table gives one clear error with file, line, column and remedy."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import rankdata

from dawnchorus.data.annotations import read_annotations, write_annotations
from dawnchorus.data.fold_table import read_folds
from dawnchorus.data.formats.rfcx import read_boxes, read_truth
from dawnchorus.data.recordings import read_recordings, write_recordings
from dawnchorus.data.score_tables import read_scores, round_scores, write_scores
from dawnchorus.data.species import read_species
from dawnchorus.errors import InputError
from dawnchorus.inference.calibration import read_prevalence

RECORDINGS = "recording_id,file,split,group,start,seconds,sample_rate,channels,usable,problem,peak,rms,digest\n"
HEADING = "recording_id,species_id,songtype_id,t_min,f_min,t_max,f_max"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ["is empty", "recording_id"]),
        (HEADING, ["has no rows"]),
        ("recording_id,species_id,t_min,f_min,f_max\na,0,1,2,3", ["no column t_max"]),
        (f"{HEADING}\na,0,1,1,100,2,200\nb,0,1,5,100,4,200", ["line 3", "t_max", "found 4,", "after the row's t_min"]),
        (f"{HEADING}\na,24,1,1,100,2,200", ["line 2", "species_id", "24", "0 to 23"]),
        (f"{HEADING}\na,1.5,1,1,100,2,200", ["line 2", "species_id", "1.5", "whole number"]),
        (f"{HEADING}\na,-1,1,1,100,2,200", ["line 2", "species_id", "-1"]),
        (f"{HEADING}\na,0,1,soon,100,2,200", ["line 2", "t_min", "'soon'", "a number"]),
        (f"{HEADING}\na,0,1,inf,100,2,200", ["line 2", "t_min", "inf"]),
        (f"{HEADING}\na,0,1,True,100,2,200", ["line 2", "t_min", "'True'", "a number"]),
        (f"{HEADING}\na,0,1,-3,100,2,200", ["line 2", "t_min", "-3"]),
        (f"{HEADING}\na,0,1,1,300,2,200", ["line 2", "f_max"]),
        (f"{HEADING}\na,0,1,1,-300,2,200", ["line 2", "f_min", "found -300", "Hz, 0 or more"]),
        (f"{HEADING}\n,0,1,1,100,2,200", ["line 2", "recording_id"]),
        (f"{HEADING}\na,0,1,1,100,2,200,9,9", ["line 2", "found 9 cells, expected 7", "decimal point"]),
        (f"{HEADING}\n" + "a,0,1,9,100,2,200\n" * 3, ["line 2", "2 more rows like this"]),
    ],
)
def test_annotations(tmp_path: Path, text: str, names: list[str]) -> None:
    path = tmp_path / "train_tp.csv"
    path.write_text(text)
    with pytest.raises(InputError) as error:
        read_boxes(path, "present", [f"s{number}" for number in range(24)])
    for name in [str(path), *names]:
        assert name in str(error.value)


def test_a_missing_table_names_the_parameter_to_look_at(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere.csv: is missing.*data\.root"):
        read_boxes(tmp_path / "nowhere.csv", "present", None)


def test_songtype_is_not_needed_and_ids_stay_text(tmp_path: Path) -> None:
    path = tmp_path / "tp.csv"
    path.write_text("recording_id,species_id,t_min,f_min,t_max,f_max\n0001,1,0.5,100,2,200\n")
    table = read_boxes(path, "present", ["s0", "s1"])
    assert list(table.recording_id) == ["0001"]
    assert list(table.species) == ["s1"]


def test_species_may_have_codes_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "tp.csv"
    path.write_text("recording_id,species,t_min,f_min,t_max,f_max\na,BTNW,0.5,100,2,200\nb,OVEN,0.5,100,2,200\n")
    assert list(read_boxes(path, "present", None).species) == ["BTNW", "OVEN"]
    with pytest.raises(InputError, match=r"line 3, column species: found 'OVEN', expected one of BTNW, AMRE"):
        read_boxes(path, "present", ["BTNW", "AMRE"])
    path.write_text("recording_id,species,t_min,f_min,t_max,f_max\na,BTNW ,0.5,100,2,200\n")
    with pytest.raises(InputError, match=r"line 2, column species: found 'BTNW ', expected a code without spaces"):
        read_boxes(path, "present", None)
    path.write_text("recording_id,t_min,f_min,t_max,f_max\na,0.5,100,2,200\n")
    with pytest.raises(InputError, match="has no column species_id or species"):
        read_boxes(path, "present", None)


def test_annotations_survive_writing_and_reading_to_the_last_digit(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    begin = rng.random(200) * 60
    table = pd.DataFrame({
        "recording_id": [f"site{row % 3}/r{row % 50}" for row in range(200)], "species": rng.choice(["b", "a"], 200),
        "t_min": begin, "t_max": begin + rng.random(200), "f_min": 1e3, "f_max": 3e3,
        "label": rng.choice(["present", "absent"], 200), "source": "a table",
    })  # fmt: skip
    write_annotations(tmp_path / "annotations.csv", table)
    found = read_annotations(tmp_path / "annotations.csv", ["a", "b"])
    # Present boxes come first; within each label the order is kept.
    expected = pd.concat([table[table.label == "present"], table[table.label == "absent"]])
    assert list(found.recording_id) == list(expected.recording_id)
    assert list(found.species_id) == list((expected.species == "b").astype(int))
    assert list(found.is_tp) == list(expected.label == "present")
    for column in ("t_min", "t_max"):
        np.testing.assert_array_equal(found[column], expected[column])


def test_a_box_without_frequencies_reaches_over_all_of_them(tmp_path: Path) -> None:
    path = tmp_path / "annotations.csv"
    path.write_text("recording_id,species,t_min,t_max,f_min,f_max,label\na,x,0,1,,,present\na,x,2,3,500,900,absent\n")
    found = read_annotations(path, ["x"])
    assert found[["f_min", "f_max"]].to_numpy().tolist() == [[0, np.inf], [500, 900]]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("recording_id,s0,s2\na,1,0", ["has no column s1; found recording_id, s0, s2"]),
        ("recording_id\na", ["no column s0, s1"]),
        ("recording_id,s0,s1\na,1,0\na,1,0", ["line 3", "once"]),
        ("recording_id,s0,s1\na,1,x", ["line 2", "s1", "'x'"]),
    ],
)
def test_scores(tmp_path: Path, text: str, names: list[str]) -> None:
    path = tmp_path / "sample_submission.csv"
    path.write_text(text)
    with pytest.raises(InputError) as error:
        read_scores(path, ["s0", "s1"])
    for name in [str(path), *names]:
        assert name in str(error.value)


def test_truth_must_be_0_or_1_and_hold_every_test_recording(tmp_path: Path) -> None:
    path = tmp_path / "truth_test.csv"
    path.write_text("recording_id,s0\na,1\nb,0.5\n")
    with pytest.raises(InputError, match=r"line 3, column s0: found 0\.5, expected 0 or 1"):
        read_truth(path, ["s0"], ["a", "b"])
    path.write_text("recording_id,s0\na,1\n")
    with pytest.raises(InputError, match="no row for 1 test recordings, for example 'b'"):
        read_truth(path, ["s0"], ["a", "b"])


@pytest.mark.parametrize(
    ("rows", "names"),
    [
        ("s0,0.5\ns1,1.2", ["line 3, column prevalence: found 1.2", "above 0 and below 1"]),
        ("s0,0\ns1,0.2", ["line 2, column prevalence: found 0,", "above 0 and below 1"]),
        ("s0,rare\ns1,0.2", ["line 2, column prevalence: found 'rare'", "a number"]),
        ("s0,0.1\ns2,0.2", ["line 3, column species: found 's2'", "one of s0, s1"]),
        ("s0,0.1\ns0,0.2", ["line 3, column species: found 's0'", "each species once"]),
        ("s1,0.1", ["no row for 1 species, for example s0"]),
    ],
)
def test_declared_prevalence(tmp_path: Path, rows: str, names: list[str]) -> None:
    path = tmp_path / "prevalence.csv"
    with pytest.raises(InputError, match=r"prevalence\.csv: is missing; `ensemble\.prior`"):
        read_prevalence(path, ["s0", "s1"])
    path.write_text("species,prevalence\ns1,0.75\ns0,0.25\n")
    assert read_prevalence(path, ["s0", "s1"]).tolist() == [0.25, 0.75]
    path.write_text(f"species,prevalence\n{rows}\n")
    with pytest.raises(InputError) as error:
        read_prevalence(path, ["s0", "s1"])
    for name in [str(path), *names]:
        assert name in str(error.value)


def test_scores_survive_writing_and_reading(tmp_path: Path) -> None:
    scores = np.random.default_rng(0).random((5, 3), dtype=np.float32)
    write_scores(tmp_path / "scores.csv", list("abcde"), scores, ["x", "y", "z"])
    np.testing.assert_array_equal(read_scores(tmp_path / "scores.csv").to_numpy(np.float32), scores)
    assert all(len(cell) <= 14 for cell in (tmp_path / "scores.csv").read_text().splitlines()[1].split(","))


@pytest.mark.parametrize("digits", [9, 15])
def test_rounded_scores_are_the_numbers_that_a_reader_finds(tmp_path: Path, digits: int) -> None:
    rng = np.random.default_rng(0)
    # The mean of two numbers of nine digits is often halfway between two neighbours.
    halves = rng.integers(0, 10**9, (500, 2)).mean(axis=1) / 1e9
    near_0_and_1 = [*10.0 ** -rng.uniform(0, 300, 500), *expit(rng.uniform(0, 40, 500))]
    special = [0.0, 1.0, 0.5, 0.1, 1e-5, 1e-300, np.nextafter(1, 0), np.nextafter(0.001, 0)]
    scores = pd.DataFrame({"s0": [*rng.random(500), *halves, *near_0_and_1, *special]})
    scores.index = scores.index.astype(str)
    rounded = round_scores(scores, digits)
    path = tmp_path / "scores.csv"
    write_scores(path, list(rounded.index), rounded.to_numpy(), ["s0"])
    found = pd.read_csv(path, float_precision="round_trip").s0
    np.testing.assert_array_equal(found, rounded.s0)
    np.testing.assert_allclose(found, scores.s0, rtol=0.51 * 10.0 ** (1 - digits))
    np.testing.assert_array_equal(rankdata(read_scores(path).s0, "dense"), rankdata(rounded.s0, "dense"))
    # The file has the same digits as the unrounded scores.
    texts = path.read_text().split()[1:]
    assert texts == [f"{row},{score:.{digits}g}" for row, score in enumerate(scores.s0)]


@pytest.mark.parametrize(
    ("read", "text", "names"),
    [
        (read_recordings, RECORDINGS + "a,../a.wav,train,,,1,9,1,1,,,,\n", ["line 2", "column file", "'../a.wav'"]),
        (read_recordings, RECORDINGS + "/a,a.wav,train,,,1,9,1,1,,,,\n", ["line 2", "column recording_id"]),
        (read_recordings, RECORDINGS + 2 * "a,a.wav,test,,,1,9,1,1,,,,\n", ["line 3", "each recording once"]),
        (read_recordings, RECORDINGS + "a,a.wav,train,,,1,9,1,no,,,,\n", ["line 2", "column usable", "'no'"]),
        (read_folds, "recording_id,fold\na,1.5\n", ["line 2", "column fold", "1.5"]),
        (read_folds, "recording_id,fold\na,1e300\n", ["line 2", "column fold", "1e+300"]),
        (read_folds, "recording_id,fold\n,1\n", ["line 2", "column recording_id"]),
        (read_species, "species,scientific_name,common_name\nx,,\nx,,\n", ["line 3", "column species", "once"]),
    ],
)
def test_the_workflows_own_tables(tmp_path: Path, read: Callable[[Path], object], text: str, names: list[str]) -> None:
    path = tmp_path / "table.csv"
    path.write_text(text)
    with pytest.raises(InputError) as error:
        read(path)
    for name in [str(path), *names]:
        assert name in str(error.value)


def test_recordings_survive_writing_and_reading(tmp_path: Path) -> None:
    path = tmp_path / "recordings.csv"
    path.write_text(RECORDINGS + "site 1/a,train/site 1/a.WAV,train,hill,,15.000,48000,2,1,stereo,0.5,0.1,ff\n")
    table = read_recordings(path)
    assert table.usable.tolist() == [True]
    write_recordings(tmp_path / "again.csv", table)
    pd.testing.assert_frame_equal(read_recordings(tmp_path / "again.csv"), table)
