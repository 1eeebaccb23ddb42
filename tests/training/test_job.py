"""A training job: which data the model learns from."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from clone import Clone
from numpy.typing import NDArray

from dawnchorus.config.loading import load_params
from dawnchorus.training.job import Job, Trained, train_model, validated_recordings

pytestmark = pytest.mark.slow


def train(folder: Path, clone: Clone, round_id: str = "first") -> Trained:
    """Train a model on all folds except 0, with the annotations and spectrograms in `folder`."""
    data = clone.path / "data"
    job = Job(
        round_id=round_id,
        backbone="small_cnn",
        fold=0,
        annotations=folder / "annotations.csv",
        folds=data / "folds.csv",
        species=data / "species.csv",
        complete=folder / "complete.csv" if (folder / "complete.csv").exists() else data / "complete.csv",
        spectrograms=folder / "spectrograms",
        unlabelled=folder / "unlabelled",
        pretrained=data / "pretrained/small_cnn",
        pseudo_labels=clone.path / "results/predictions/none",
        pseudo_label_weight=0.0,
        checkpoint=folder / "checkpoint",
    )
    trained = train_model(job, load_params(clone.path / "params.yaml"), "CPU")
    trained.checkpoint.remove()
    return trained


def test_a_model_learns_nothing_from_its_left_out_fold(through_snakemake: Clone, tmp_path: Path) -> None:
    data = through_snakemake.path / "data"
    folds = pd.read_csv(data / "folds.csv", index_col=0).fold
    annotations = pd.read_csv(data / "annotations.csv")
    species = list(pd.read_csv(data / "species.csv").species)
    next_species = dict(zip(species, [*species[1:], species[0]], strict=True))

    def with_others(name: str, spectrograms: pd.Index, rows: pd.Index, round_id: str = "first") -> list[NDArray]:
        """Weights after changing the spectrograms of some recordings and the species of all annotations of others."""
        folder = tmp_path / name
        (folder / "spectrograms").mkdir(parents=True)
        for path in (data / "spectrograms/train").glob("*.npy"):
            spectrogram = np.load(path)
            np.save(folder / f"spectrograms/{path.name}", -spectrogram if path.stem in spectrograms else spectrogram)
        others = annotations.recording_id.isin(rows)
        changed = annotations.species.where(~others, annotations.species.map(next_species))
        annotations.assign(species=changed).to_csv(folder / "annotations.csv", index=False)
        return train(folder, through_snakemake, round_id).scorer.get_weights()

    nobody, left_out, trained_on = folds.index[:0], folds.index[folds == 0], folds.index[folds == 1][:1]
    expected = with_others("unchanged", nobody, nobody)
    # A first round does not depend on its id either.
    for found, weight in zip(with_others("left out", left_out, left_out, "other"), expected, strict=True):
        np.testing.assert_array_equal(found, weight)
    for name, spectrograms, rows in (("sounds", trained_on, nobody), ("species", nobody, trained_on)):
        pairs = zip(with_others(name, spectrograms, rows), expected, strict=True)
        assert any((found != weight).any() for found, weight in pairs), name


def test_a_job_does_not_resume_after_unlabelled_or_complete_recordings_changed(
    through_snakemake: Clone, tmp_path: Path
) -> None:
    data = through_snakemake.path / "data"
    (tmp_path / "spectrograms").symlink_to(data / "spectrograms/train")
    (tmp_path / "annotations.csv").symlink_to(data / "annotations.csv")
    states = [train(tmp_path, through_snakemake).checkpoint.kept for _ in range(2)]
    assert states[0] == states[1]
    (tmp_path / "unlabelled/1").mkdir(parents=True)
    np.save(tmp_path / "unlabelled/1/dawn.npy", np.zeros((9, 9), np.int16))
    states.append(train(tmp_path, through_snakemake).checkpoint.kept)
    name = pd.read_csv(data / "folds.csv").query("fold == 1").recording_id.iloc[0]
    (tmp_path / "complete.csv").write_text(f"recording_id,species\n{name},\n")
    states.append(train(tmp_path, through_snakemake).checkpoint.kept)
    assert len(set(states)) == 3


def test_absent_boxes_count_where_precision_chooses_the_epoch() -> None:
    boxes = pd.DataFrame({"recording_id": ["a", "b", "c"], "species_id": 0, "is_tp": [True, False, True]})
    assert validated_recordings(boxes, {"a", "b", "silent"}, "last") == ["a"]
    assert validated_recordings(boxes, {"a", "b", "silent"}, "validation_lwlrap") == ["a"]
    assert validated_recordings(boxes, {"a", "b", "silent"}, "validation_precision") == ["a", "b"]
