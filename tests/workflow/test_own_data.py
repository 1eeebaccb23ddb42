"""The whole workflow on data sets of one's own: other formats, rates, sites and species."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from clone import MODELS, RESULTS, Clone, states

pytestmark = pytest.mark.slow


@pytest.fixture
def clone(through_snakemake: Clone, tmp_path: Path) -> Clone:
    """A copy of the finished clone that a test may change."""
    return through_snakemake.copy(tmp_path / "clone")


def write_field_recordings(folder: Path) -> pd.Series:
    """30 recordings at 22,050 Hz of 7 to 95 s in mixed formats, with a tone for each of 5 species; every fifth a test.

    Returns the length of each in s.
    """
    rng = np.random.default_rng(0)
    seconds = pd.Series(np.linspace(7, 95, 30), index=[f"rec {number}" for number in range(30)])
    annotations: dict[str, list[tuple[str, int, float, float, float, float]]] = {"tp": [], "fp": []}
    for number, (name, length) in enumerate(seconds.items()):
        split = "test" if number % 5 == 4 else "train"
        species, start = number % 4 + number % 8 // 7, float(rng.uniform(0, length - 3))
        frequency = 1000.0 + 1500 * species
        samples = rng.normal(0, 0.02, int(length * 22_050))
        samples[int(start * 22_050) :][:44_100] += 0.2 * np.sin(2 * np.pi * frequency * np.arange(44_100) / 22_050)
        (folder / split).mkdir(parents=True, exist_ok=True)
        suffix = ["wav", "flac", "ogg", "mp3", "WAV", "flac", "mp3"][number % 7]
        soundfile.write(folder / split / f"{name}.{suffix}", samples, 22_050)
        if split == "train":
            box = (start, frequency - 100, start + 2, frequency + 100)
            annotations["tp"].append((str(name), species, *box))
            annotations["fp"].append((str(name), (species + 1) % 5, *box))
    columns = ["recording_id", "species_id", "t_min", "f_min", "t_max", "f_max"]
    for kind, rows in annotations.items():
        pd.DataFrame(rows, columns=columns).to_csv(folder / f"train_{kind}.csv", index=False)
    tests = pd.Index(seconds.index[4::5], name="recording_id")
    pd.DataFrame(0.5, tests, [f"s{species}" for species in range(5)]).to_csv(folder / "sample_submission.csv")
    return seconds


def test_a_folder_of_ones_own_in_mixed_formats(clone: Clone, tmp_path: Path) -> None:
    own = tmp_path / "field work"
    seconds = write_field_recordings(own)
    (own / "train/broken.mp3").write_bytes(b"not audio")
    with (own / "train_fp.csv").open("a") as table:
        table.write("broken,0,0,100,1,200\n")
    before = states(own)

    clone.edit_params("data", {"root": str(own), "bad_audio": "skip"})
    clone.edit_params("spectrogram", {"sample_rate": 22_050, "hop_length": 1024, "f_max": 11_025.0})
    clone.run("snakemake", "--cores", "2")
    submission = pd.read_csv(clone.path / "results/kaggle/submission.csv", index_col=0)
    assert list(submission.index) == list(seconds.index[4::5])
    assert ((submission > 0) & (submission < 1)).all(axis=None)
    audio = pd.read_csv(clone.path / "data/recordings.csv", index_col="recording_id")
    assert list(audio.index[audio.usable == 0]) == ["broken"]
    read = audio.seconds.drop("broken")
    np.testing.assert_allclose(read, seconds[read.index], atol=0.1)  # MP3's frames are no whole number
    metrics = json.loads((clone.path / "results/figures.json").read_text())
    assert metrics["skipped"] == {"recordings": 1, "tp_rows": 0, "fp_rows": 1, "copies": 0}
    assert "test" not in metrics  # nobody knows its truth
    assert states(own) == before
    clone.assert_nothing_to_do()


def test_sites_with_codes_and_neither_test_recordings_nor_a_template(clone: Clone, tmp_path: Path) -> None:
    own, rng = tmp_path / "sites", np.random.default_rng(2)
    rows = ["recording_id,species,t_min,f_min,t_max,f_max,site"]
    for number in range(12):
        site, code = f"site{number % 3}", ("BTNW", "OVEN")[number % 2]
        name = f"{site}/2024061{number // 3}_053000"
        samples = rng.normal(0, 0.02, 96_000)
        samples[24_000:72_000] += 0.2 * np.sin(2 * np.pi * (2000 + 2000 * (number % 2)) * np.arange(48_000) / 48_000)
        (own / "train" / site).mkdir(parents=True, exist_ok=True)
        soundfile.write(own / f"train/{name}.WAV", samples, 48_000)
        rows.append(f"{name},{code},0.5,1500,1.5,4500,{site}")
    (own / "train_tp.csv").write_text("\n".join(rows) + "\n")
    clone.edit_params("data", {"root": str(own)})
    clone.edit_params("split", {"group": "site"})
    clone.edit_params("ensemble", {"prior": "estimated"})
    clone.snakemake()
    metrics = json.loads((clone.path / "results/figures.json").read_text())
    assert set(metrics) == {"oof", "weights", "skipped"}
    species = pd.read_csv(clone.path / "results/species_metrics.csv")
    assert list(species.species) == ["BTNW", "OVEN"]
    assert (clone.path / "results/scores/ensemble.csv").read_text() == "recording_id,BTNW,OVEN\n"
    assert not list((clone.path / "results/kaggle").glob("*.csv"))
    recordings = pd.read_csv(clone.path / "data/recordings.csv", index_col="recording_id")
    folds = pd.read_csv(clone.path / "data/folds.csv", index_col=0).fold
    assert len(set(zip(recordings.group[folds.index], folds, strict=True))) == 3
    assert recordings.file["site1/20240610_053000"] == "train/site1/20240610_053000.WAV"

    # Elsewhere the same data set is the same to all stages after the first.
    clone.started()
    own.rename(tmp_path / "moved")
    clone.edit_params("data", {"root": str(tmp_path / "moved")})
    clone.snakemake()
    assert clone.started() == ["check_params", "ingest", "report"]
    # The same recordings under other names of their files, which stay what they are by their recording_id.
    for path in (tmp_path / "moved/train/site1").iterdir():
        path.rename(path.with_suffix(".wav"))
    clone.snakemake()
    assert clone.started() == sorted(["cache_spectrograms train", "ingest", "split_folds", *RESULTS])
    # A time zone changes no sound, and other folds need other networks, but no other spectrograms.
    clone.edit_params("data", {"timezone": "America/Puerto_Rico"})
    clone.snakemake()
    assert clone.started() == sorted(["check_params", "ingest", "split_folds", *RESULTS])
    clone.edit_params("split", {"group": None})
    clone.snakemake()
    assert clone.started() == sorted(["check_params", "ingest", "split_folds", *MODELS, *RESULTS])
    clone.assert_neither_engine_has_anything_to_do()
