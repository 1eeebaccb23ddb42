"""A training job: what it learns from, and what not."""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from clone import Clone
from numpy.typing import NDArray

from dawnchorus.config.loading import load_params
from dawnchorus.training.job import add_options, train_model

pytestmark = pytest.mark.slow


def weights(folder: Path, clone: Clone, round_id: str | None) -> list[NDArray]:
    """A model of all folds but the first, trained on the tables and spectrograms in `folder`."""
    parser = argparse.ArgumentParser()
    add_options(parser)
    data, none = clone.path / "data", clone.path / "results/targets/none"
    options = parser.parse_args(
        ["--params", str(clone.path / "params.yaml"), "--data", str(folder), "--folds", str(data / "folds.csv"),
         "--species", str(data / "species.csv"), "--spectrograms", str(folder / "spectrograms"), "--pretrained",
         str(data / "pretrained/small_cnn"), "--targets", str(none), "--backbone", "small_cnn", "--fold", "0",
         "--checkpoint", str(folder / "unfinished"), "--provenance", str(folder)]
    )  # fmt: skip
    trained = train_model(options, load_params(options.params), "CPU", round_id)
    trained.checkpoint.remove()
    return trained.scorer.get_weights()


@pytest.mark.parametrize("round_id", [None, "first"])
def test_a_model_learns_nothing_of_the_fold_that_it_leaves_out(
    through_snakemake: Clone, tmp_path: Path, round_id: str | None
) -> None:
    folds = pd.read_csv(through_snakemake.path / "data/folds.csv", index_col=0).fold
    tables = {name: pd.read_csv(through_snakemake.path / f"data/demo/dataset/{name}")
              for name in ("train_tp.csv", "train_fp.csv")}  # fmt: skip

    def with_others(name: str, spectrograms: pd.Index, rows: pd.Index) -> list[NDArray]:
        """The weights where some recordings sound otherwise, and some recordings' rows are of other species."""
        folder = tmp_path / name
        (folder / "spectrograms").mkdir(parents=True)
        for path in (through_snakemake.path / "data/spectrograms/train").glob("*.npy"):
            spectrogram = np.load(path)
            np.save(folder / f"spectrograms/{path.name}", -spectrogram if path.stem in spectrograms else spectrogram)
        for table_name, table in tables.items():
            others = table.recording_id.isin(rows)
            changed = table.species_id.where(~others, (table.species_id + 1) % 8)
            table.assign(species_id=changed).to_csv(folder / table_name, index=False)
        return weights(folder, through_snakemake, round_id)

    nobody, left_out, trained_on = folds.index[:0], folds.index[folds == 0], folds.index[folds == 1][:1]
    expected = with_others("unchanged", nobody, nobody)
    for found, weight in zip(with_others("left out", left_out, left_out), expected, strict=True):
        np.testing.assert_array_equal(found, weight)
    for name, spectrograms, rows in (("sounds", trained_on, nobody), ("species", nobody, trained_on)):
        pairs = zip(with_others(name, spectrograms, rows), expected, strict=True)
        assert any((found != weight).any() for found, weight in pairs), name
