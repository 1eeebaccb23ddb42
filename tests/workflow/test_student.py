"""The student is one parameter away, in both engines."""

import json
from pathlib import Path

import pytest
from clone import Clone


@pytest.mark.slow
def test_a_parameter_adds_the_student_to_the_model(through_snakemake: Clone, tmp_path: Path) -> None:
    clone = through_snakemake.copy(tmp_path / "clone")
    before = (clone.path / "params.yaml").read_text()
    clone.edit_params("student", ["small_cnn"])
    clone.started()
    clone.snakemake()
    started = clone.started()
    # Models are not trained again, but score more windows.
    assert not [each for each in started if each.startswith("train ")]
    assert {"train_student small_cnn", "calibrate_student small_cnn", "predict first small_cnn 0"} <= set(started)
    clone.assert_neither_engine_has_anything_to_do()
    model = clone.path / "results/model"
    info = json.loads((model / "model.json").read_text())
    assert info["student"] == "small_cnn"
    # It learns for twice as many epochs as the networks that it learns from.
    n_epochs, longer = (
        len((clone.path / f"results/curves/first/{name}.csv").read_text().splitlines()) - 1
        for name in ("small_cnn/0", "student/small_cnn")
    )
    assert longer == 2 * n_epochs
    # With so few test recordings, nothing is known about its scores.
    assert "the student's thresholds take at least 20 test recordings" in (model / "student_thresholds.csv").read_text()
    card = (model / "README.md").read_text()
    assert "- test recordings: macro average precision: " in card[card.index("## Student") :]

    (clone.path / "params.yaml").write_text(before)
    clone.snakemake()
    assert json.loads((model / "model.json").read_text())["student"] is None
    assert not (model / "student.weights.h5").exists()
    assert not (clone.path / "results/models/first/student").exists()
