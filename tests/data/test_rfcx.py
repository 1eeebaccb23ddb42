"""Tests on the competition's data, if RFCX_DATA names its folder."""

import os
import subprocess
import sys
from pathlib import Path

import librosa
import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML
from tiny import ROOT

from dawnchorus.config.presets import preset_content
from dawnchorus.data.folds import fold_report, notebook_split, stratified_split
from dawnchorus.data.formats.rfcx import read, read_boxes, species_columns
from dawnchorus.data.frequencies import refuse_frequencies
from dawnchorus.data.score_tables import read_scores
from dawnchorus.features.store import from_codes

RECORDINGS = ["0a4e7e350", "f97ababc1"]


@pytest.fixture
def folder() -> Path:
    """The competition's folder."""
    if "RFCX_DATA" not in os.environ:
        pytest.skip("RFCX_DATA does not name a folder with the competition's data")
    return Path(os.environ["RFCX_DATA"])


@pytest.fixture
def tables(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The TP table and the FP table, with a column species_id."""
    species = species_columns(24)
    tp, fp = (read_boxes(folder / f"train_{kind}.csv", "present", species) for kind in ("tp", "fp"))
    return tuple(table.assign(species_id=table.species.str[1:].astype(int)) for table in (tp, fp))


def test_all_rows_are_read(folder: Path, tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    assert read_scores(folder / "sample_submission.csv").shape == (1992, 24)
    assert [len(table) for table in tables] == [1216, 7781]


def test_the_tables_give_no_remarks(folder: Path, tmp_path: Path) -> None:
    for name in ("train_tp.csv", "train_fp.csv", "sample_submission.csv"):
        (tmp_path / name).symlink_to(folder / name)
    listed = {"train": pd.concat([pd.read_csv(folder / f"train_{kind}.csv") for kind in ("tp", "fp")]),
              "test": pd.read_csv(folder / "sample_submission.csv")}  # fmt: skip
    for split, table in listed.items():
        (tmp_path / split).mkdir()
        for name in table.recording_id.unique():
            (tmp_path / split / f"{name}.flac").touch()
    dataset = read(tmp_path)
    assert dataset.remarks == []
    assert len(dataset.annotations) == 1216 + 7781
    assert list(dataset.template) == list(listed["test"].recording_id)
    refuse_frequencies(dataset.annotations, pd.Series(48_000.0, list(dataset.files["train"])), tmp_path.joinpath)


def test_our_folds_leak_nothing_and_validate_every_row(tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    tp, fp = tables
    folds = stratified_split(tp, fp, 5, seed=1)
    fold_of_row = tp.recording_id.map(folds)
    report = fold_report(tp, fold_of_row, folds)
    assert report.leaked_recordings.sum() == 0
    assert report.validation_tp_rows.sum() == 1216
    counts = pd.crosstab(tp.species_id, fold_of_row)
    assert (counts.max(axis=1) - counts.min(axis=1)).max() <= 1


def test_the_notebooks_folds_leak(tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    tp, fp = tables
    fold_of_row = notebook_split(tp, 5)
    folds = fold_of_row.groupby(tp.recording_id).unique().explode()
    report = fold_report(tp, fold_of_row, folds)
    assert list(report.leaked_recordings) == [3, 7, 4, 4, 6]
    assert report.leaked_tp_rows.sum() == 34
    assert report.validation_tp_rows.sum() == 1200
    never = tp.species_id[fold_of_row < 0].value_counts().to_dict()
    assert never == {2: 2, 9: 4, 17: 3, 19: 3, 22: 4}
    # The notebook as it ran: every fold was trained on the training list of the last fold.
    of_last = tp.recording_id[fold_of_row != 4]
    assert (tp.recording_id[fold_of_row >= 0].isin(of_last)).sum() == 972
    # The training list of every fold has all FP rows.
    leaked_fp = [fp.recording_id.isin(tp.recording_id[fold_of_row == fold]).sum() for fold in range(5)]
    assert (min(leaked_fp), max(leaked_fp)) == (168, 220)


@pytest.fixture(scope="module")
def at_full_size(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data/ (two real recordings), params.yaml (the notebook preset) and outputs of the first stages."""
    if "RFCX_DATA" not in os.environ:
        pytest.skip("RFCX_DATA does not name a folder with the competition's data")
    competition, folder = Path(os.environ["RFCX_DATA"]), tmp_path_factory.mktemp("rfcx")
    data = folder / "data"
    for split in ("train", "test"):
        (data / split).mkdir(parents=True)
        for name in RECORDINGS:
            (data / split / f"{name}.flac").symlink_to(competition / f"train/{name}.flac")
    for kind in ("tp", "fp"):
        table = pd.read_csv(competition / f"train_{kind}.csv")
        table[table.recording_id.isin(RECORDINGS)].to_csv(data / f"train_{kind}.csv", index=False)
    sample = pd.read_csv(competition / "sample_submission.csv")[: len(RECORDINGS)]
    sample.assign(recording_id=RECORDINGS).to_csv(data / "sample_submission.csv", index=False)
    preset = preset_content(ROOT / "presets", "notebook")
    # Four steps with all eight boxes. The weights are random, because tests do not download anything.
    preset["data"]["root"] = str(data)
    preset["train"].update(epochs=1, batch_size=2, fp_fraction=1.0, pretrained="none", threads=1)
    YAML().dump(preset, folder / "params.yaml")

    tables = {name: folder / f"{name.replace('-', '_')}.csv"
              for name in ("recordings", "annotations", "species", "ground-truth", "complete", "template")}  # fmt: skip
    tables["remarks"] = folder / "remarks.txt"
    (folder / "labels").mkdir()
    report = run("ingest", folder, "--data", data, "--labels", folder / "labels", "--answers", folder, *options(tables))
    assert "train: 2 recordings, 0.0 h, 0 unusable" in report
    assert tables["remarks"].read_text() == ""
    assert "duplicate content: 2" in report  # the test recordings here are the training recordings
    recordings = pd.read_csv(tables["recordings"])
    assert (recordings.sample_rate == 48_000).all()
    assert (recordings.seconds == 60).all()
    assert (recordings.usable == 1).all()
    # Of two recordings no folds can be made: all that `split_folds` would do besides.
    (folder / "sounds").mkdir()
    for split in ("train", "test"):
        recordings[recordings.split == split].to_csv(folder / f"sounds/{split}.csv", index=False)
        said = run("cache_spectrograms", folder, "--recordings", folder / f"sounds/{split}.csv",
                   "--output", folder / "spectrograms" / split)  # fmt: skip
        assert "10 of 384 mel bands are empty" in said
    # Only one recording has calls, so it is in training and validation.
    (folder / "folds.csv").write_text("recording_id,fold\nf97ababc1,0\nf97ababc1,1\n0a4e7e350,1\n")
    return folder


def options(paths: dict[str, Path]) -> list[str | Path]:
    """Command-line options from values by name."""
    return [word for name, path in paths.items() for word in (f"--{name}", path)]


def run(script: str, folder: Path, *words: str | Path) -> str:
    """Run a stage's script with the folder's parameters, and return its log."""
    done = subprocess.run(
        [sys.executable, f"workflow/scripts/{script}.py", "--params", str(folder / "params.yaml"), *map(str, words)],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": "src"}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.mark.slow
def test_cached_spectrograms_of_real_recordings_are_librosas(folder: Path, at_full_size: Path) -> None:
    for name in RECORDINGS:
        samples, _ = librosa.load(folder / f"train/{name}.flac", sr=48_000)
        mel = librosa.feature.melspectrogram(y=samples, sr=48_000, n_mels=384, fmin=50, fmax=24_000)
        cached = from_codes(np.load(at_full_size / f"spectrograms/train/{name}.npy"))
        np.testing.assert_allclose(cached.T, librosa.power_to_db(mel, top_db=None), atol=0.012)


@pytest.mark.slow
def test_real_recordings_go_through_training_and_inference_at_full_size(at_full_size: Path, tmp_path: Path) -> None:
    folder = at_full_size
    run("fetch_weights", folder, "--backbone", "efficientnet", "--output", tmp_path / "pretrained")
    model: list[str | Path] = [
        *options({name: folder / f"{name}.csv" for name in ("annotations", "folds", "species")}), "--round", "first",
        "--backbone", "efficientnet", "--fold", "0", "--weights", tmp_path / "0.weights.h5", "--provenance",
        tmp_path / "provenance",
    ]  # fmt: skip
    (tmp_path / "none").mkdir()
    run("train", folder, "--complete", folder / "complete.csv", "--spectrograms", folder / "spectrograms/train",
        "--unlabelled", tmp_path / "unlabelled", "--pretrained", tmp_path / "pretrained",
        "--pseudo-labels", tmp_path / "none", "--pseudo-label-weight", "0", "--curve", tmp_path / "curve.csv",
        "--logs", tmp_path / "logs",
        "--epoch-weights", tmp_path / "epochs", "--checkpoint", tmp_path / "checkpoint", *model)  # fmt: skip
    assert np.isfinite(pd.read_csv(tmp_path / "curve.csv").loss).all()
    run("predict", folder, "--test", folder / "sounds/test.csv", "--spectrograms", folder / "spectrograms",
        "--first-round", "first", "--last-round", "first", "--output", tmp_path / "predictions",
        "--supervised", tmp_path / "supervised", *model)  # fmt: skip
    scores = read_scores(tmp_path / "predictions/test.csv")
    assert list(scores.index) == RECORDINGS
    assert ((scores >= 0) & (scores <= 1)).all(axis=None)
