"""An embedding joins a finished experiment: only what it needs runs, in one round and in two."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from clone import RESULTS, Clone
from stand_ins import add_embedding

from dawnchorus.features.embeddings import read_embeddings

pytestmark = pytest.mark.slow

EMBED = ["embed tiny test", "embed tiny train", "embed_unlabelled tiny", "embedding_model tiny"]
TWO_ROUNDS = [
    {"id": "first", "pseudo_labels": "none", "weight": 0.0}, {"id": "second", "pseudo_labels": "first", "weight": 0.3}
]  # fmt: skip


def heads(stage: str, round_id: str) -> list[str]:
    return [f"{stage} {round_id} tiny {fold}" for fold in (0, 1)]


def test_an_embedding_joins_a_finished_experiment(through_snakemake: Clone, tmp_path: Path) -> None:
    clone = through_snakemake.copy(tmp_path / "clone")
    add_embedding(clone)
    assert clone.assert_engines_agree() >= {
        "embed@tiny-train",
        "train_head@round0-tiny-0",
        "predict_head@round0-tiny-1",
    }
    clone.started()
    clone.snakemake()
    # The folder of inputs has changed. Stages that may read pretrained weights or clips there write the same as before.
    ran = [*EMBED, *heads("train_head", "first"), *heads("predict_head", "first"), "check_params", *RESULTS]
    assert clone.started() == sorted([*ran, "fetch_weights small_cnn", "synthesize"])
    clone.assert_neither_engine_has_anything_to_do()
    assert json.loads((clone.path / "results/figures.json").read_text())["weights"] == {"small_cnn": 0.5, "tiny": 0.5}

    # The head's scores are those of a logistic regression on the vectors.
    folder = clone.path / "results/predictions/first/tiny/0"
    found = pd.read_parquet(folder / "test.parquet").set_index("recording_id")
    with np.load(clone.path / "results/models/first/tiny/0.npz") as head:
        weights, bias = head["weights"], head["bias"]
    name = found.index[0]
    _, vectors = read_embeddings(clone.path / f"data/embeddings/tiny/test/{name}.npz")
    logit = np.sign(vectors) * np.sqrt(np.abs(vectors)) @ weights + bias
    np.testing.assert_allclose(found.loc[name].drop(columns="start"), 1 / (1 + np.exp(-logit)), atol=1e-5)

    # Another file in inputs/ embeds nothing again.
    (clone.path / "inputs/other.txt").write_text("another input")
    clone.snakemake()
    assert clone.started() == ["bundle", "embedding_model tiny", "ensemble", "fetch_weights small_cnn", "synthesize"]

    # The model finds in recordings what the stages found: heads, networks and all. It has hardly learned anything.
    clone.edit_params("detect", {"precision": 0.2})
    clone.snakemake()
    clone.started()
    clone.run("dawnchorus", "detect", "results/model", "data/demo/dataset/test", "--output", "found")
    columns = ["recording", "start_s", "end_s", "species", "score"]
    detected, expected = (
        pd.read_csv(clone.path / path)[columns] for path in ("found/detections.csv", "results/detections.csv")
    )
    assert len(detected)
    pd.testing.assert_frame_equal(detected, expected, atol=2e-6, rtol=0)

    # In rounds, networks and heads learn from each other's scores.
    clone.edit_params("rounds", TWO_ROUNDS)
    clone.snakemake()
    started = clone.started()
    assert {*heads("train_head", "second"), *heads("predict_head", "first"), "embed_unlabelled tiny"} <= set(started)
    assert not {*heads("train_head", "first"), "embed tiny train", "train first small_cnn 0"} & set(started)
    clone.assert_nothing_to_do()

    # Without networks, no spectrogram is needed to score.
    clone.edit_params("rounds", TWO_ROUNDS[:1])
    clone.edit_params("backbones", [])
    clone.snakemake()
    assert json.loads((clone.path / "results/figures.json").read_text())["weights"] == {"tiny": 1.0}
