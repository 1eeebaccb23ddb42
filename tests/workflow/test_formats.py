"""A folder of recordings by site, with labels of an annotation program, goes all the way by editing params.yaml."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from clone import MODELS, RESULTS, Clone

pytestmark = pytest.mark.slow

RATE = 24_000
SPECIES = ("WREN", "LARK", "OWL")


def write_recording(path: Path, species: int | None, seed: int) -> None:
    """Three seconds of noise, with a tone of the species from 1 to 2 s."""
    samples = np.random.default_rng(seed).normal(0, 0.02, 3 * RATE)
    if species is not None:
        tone = 0.2 * np.sin(2 * np.pi * (2000 + 2000 * species) * np.arange(RATE) / RATE)
        samples[RATE : 2 * RATE] += tone
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, RATE)


def raven(species: str, low: int) -> str:
    """A selection table with one selection in two views."""
    return (
        "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\tSpecies\n"
        f"1\tWaveform 1\t1\t1.0\t2.0\t\t\t{species}\n"
        f"1\tSpectrogram 1\t1\t1.0\t2.0\t{low}\t{low + 1000}\t{species}\n"
    )


def audacity(species: str, low: int) -> str:
    """A label track with one label."""
    return f"1.0\t2.0\t{species}\n\\\t{low}\t{low + 1000}\n"


def write_folder(folder: Path, labels: Path, label: Callable[[str, int], str], suffix: str) -> None:
    """40 recordings at three sites with equal names, of which 15 have a label file and one of these is truncated."""
    for number in range(40):
        site, hour = f"site{number % 3}", number // 3
        name = f"20240611_{hour:02}0000"
        species = None if number >= 15 else 2 if number == 7 else number % 2
        write_recording(folder / site / f"{name}.WAV", species, number)
        if species is not None:
            (labels / site).mkdir(parents=True, exist_ok=True)
            (labels / site / f"{name}{suffix}").write_text(label(SPECIES[species], 1500 + 2000 * species))
    truncated = folder / "site2/20240611_030000.WAV"
    truncated.write_bytes(truncated.read_bytes()[:50_000])


@pytest.mark.parametrize(
    ("name", "label", "suffix"), [("raven", raven, ".Table.1.selections.txt"), ("audacity", audacity, ".txt")]
)
def test_a_folder_by_site(
    through_snakemake: Clone, tmp_path: Path, name: str, label: Callable[[str, int], str], suffix: str
) -> None:
    clone, own = through_snakemake.copy(tmp_path / "clone"), tmp_path / "forest"
    # The tables of one format are on the disk of the recordings, those of the other in the project.
    labels = own if name == "raven" else clone.path / "labels"
    write_folder(own, labels, label, suffix)
    clone.edit_params("data", {"root": str(own), "format": name})
    refused = clone.snakemake(fails=True)
    assert "site2/20240611_030000.WAV: truncated: the header declares 144000 bytes (3.00 s) of sound" in refused

    clone.edit_params("data", {"bad_audio": "skip"})
    clone.edit_params("split", {"group": "site"})
    clone.edit_params("folds", [0, 1])
    is_complete = name == "audacity"
    if is_complete:
        # Three labelled recordings and two without a label are annotated completely.
        listed = [f"site{number % 3}/20240611_{number // 3:02}0000.WAV" for number in (0, 1, 2, 37, 38)]
        (own / "complete.csv").write_text("\n".join(["recording_id", *listed]) + "\n")
        clone.edit_params("labels", {"complete": "complete.csv"})
    clone.snakemake()
    annotations = pd.read_csv(clone.path / "data/annotations.csv")
    assert len(annotations) == 15
    row = annotations[annotations.recording_id == "site1/20240611_000000"].iloc[0]
    assert list(row[["species", "t_min", "t_max", "f_min", "f_max", "label"]]) == ["LARK", 1, 2, 3500, 4500, "present"]
    recordings = pd.read_csv(clone.path / "data/recordings.csv", index_col="recording_id")
    assert len(recordings) == 40
    assert recordings.group["site1/20240611_000000"] == "site1"
    folds = pd.read_csv(clone.path / "data/folds.csv", index_col=0).fold
    assert len(folds) == (16 if is_complete else 14)
    assert len(set(zip(recordings.group[folds.index], folds, strict=True))) == 3
    assert list(pd.read_csv(clone.path / "data/species.csv").species) == sorted(SPECIES)
    metrics = json.loads((clone.path / "results/figures.json").read_text())
    assert "oof" in metrics
    remarks = (clone.path / "data/remarks.txt").read_text()
    assert ("scores can rank recordings by a species, but they are no probabilities" in remarks) == (not is_complete)
    # The owl is in one recording, which the run skips.
    assert metrics["rare_species"] == ["OWL"]
    show = ("python", "workflow/scripts/show_metrics.py", "--figures", "results/figures.json")
    shown = clone.run(*show, "--reliability", "results/reliability.csv")
    assert "some folds validate none of their calls or train on none: OWL" in shown
    if is_complete:
        assert metrics["complete"]["ensemble"]["recordings"] == 5
        assert "ensemble out of fold in 5 completely annotated recordings, mean over species: macro AP" in shown
        species = pd.read_csv(clone.path / "results/species_metrics.csv", index_col="species")
        assert dict(species.fewer_than_folds) == {"LARK": "no", "OWL": "yes", "WREN": "no"}
        assert dict(species.complete_recordings) == {"LARK": 5, "OWL": 5, "WREN": 5}
        assert dict(species.complete_present) == {"LARK": 1, "OWL": 0, "WREN": 2}
        (labels / f"site0/20240611_060000{suffix}").write_text(label("LARK", 3500))
        stale = clone.assert_engines_agree()
        assert "ingest" in stale
        # What reads other files that belong to the project has nothing to do with labels.
        assert "fetch_weights@small_cnn" not in stale
        return
    assert "complete" not in metrics

    # A recording more that nobody has listened to retrains nothing.
    clone.started()
    write_recording(own / "site3/20240611_000000.WAV", None, 99)
    clone.snakemake()
    assert not [stage for stage in clone.started() if stage.startswith(("train", "cache_spectrograms", "predict"))]
    # Another species in one table runs what depends on labels, and decodes nothing for the feature store.
    (own / f"site0/20240611_000000{suffix}").write_text(label("LARK", 1500))
    clone.snakemake()
    assert clone.started() == sorted(["ingest", "split_folds", *MODELS, *RESULTS])
