"""Results never belong to other inputs than dvc.lock records: edits during a job, clocks, links and leftovers."""

import hashlib
import json
import os
import shutil
import sys
import time
from pathlib import Path

import pytest
from clone import RESULTS, Clone
from ruamel.yaml import YAML
from test_survival import Run

pytestmark = pytest.mark.slow

WEIGHTS = "results/models/first/small_cnn/0.weights.h5"
ENGINES = [("dvc", "repro"), ("snakemake", "--cores", "2")]


@pytest.fixture
def clone(through_snakemake: Clone, tmp_path: Path) -> Clone:
    """A copy of the finished clone that a test may change."""
    return through_snakemake.copy(tmp_path / "clone")


def append(path: Path) -> None:
    with path.open("a") as file:
        file.write("\n# changed\n")


@pytest.mark.parametrize(
    ("engine", "edited"),
    [
        (("dvc", "repro", "train@round0-small_cnn-0"), "params.yaml: train.learning_rate was 0.003"),
        (("snakemake", "--cores", "1", WEIGHTS), "src/dawnchorus/training/losses.py"),
    ],
)
def test_an_edit_during_a_training_is_not_recorded_as_what_made_the_weights(
    clone: Clone, engine: tuple[str, ...], edited: str
) -> None:
    clone.edit_params("train", {"epochs": 30})
    path = clone.path / edited.split(":")[0]
    original = path.read_bytes()
    run = Run(clone, *engine)
    assert run.until_state("results/checkpoints/first/small_cnn/0/*/epoch-*", set()), run.output
    clone.edit_params("train", {"learning_rate": 0.002}) if path.name == "params.yaml" else append(path)
    assert run.process.wait(120) != 0
    assert f"error: inputs of this job changed while it ran: {edited}" in run.output + log(clone)
    assert "Traceback" not in run.output + log(clone)
    assert "train@round0-small_cnn-0" in json.loads(clone.run("dvc", "status", "--json"))

    # With the first inputs, it goes on where the first attempt ended. What the job does not use may change.
    path.write_bytes(original)
    seen = set(clone.path.glob("results/checkpoints/first/small_cnn/0/*/epoch-*"))
    run = Run(clone, *engine)
    assert run.until_state("results/checkpoints/first/small_cnn/0/*/epoch-*", seen), run.output
    clone.edit_params("ensemble", {"bootstrap_samples": 150})
    assert run.process.wait(120) == 0, run.output
    assert "resuming after epoch" in run.output + log(clone)
    assert "train@round0-small_cnn-0" not in json.loads(clone.run("dvc", "status", "--json"))


def log(clone: Clone) -> str:
    """What Snakemake's job of the training has printed; empty if there was none."""
    path = clone.path / "logs/train/first-small_cnn-0.log"
    return path.read_text() if path.exists() else ""


def test_an_edit_while_a_job_waits_for_dvc_is_not_recorded(clone: Clone) -> None:
    clone.edit_params("ensemble", {"bootstrap_samples": 150})
    assert clone.environment
    changed = "src/dawnchorus/reporting/metrics.py"
    (clone.path.parent / "clone-tools/python").write_text(
        f'#!/bin/sh\n{sys.executable} "$@" || exit\ncase "$*" in *ensemble.py*) echo "# changed" >> {changed};; esac\n'
    )
    output = clone.snakemake(fails=True)
    assert f"failed to reproduce 'ensemble': inputs changed while the stage ran: {changed}. Its results" in output
    assert "ensemble" in json.loads(clone.run("dvc", "status", "--json"))


def test_models_between_which_a_parameter_changed_are_not_averaged(clone: Clone) -> None:
    clone.edit_params("train", {"learning_rate": 0.002})
    for stage in ("train@round0-small_cnn-1", "predict@round0-small_cnn-1"):
        clone.run("dvc", "repro", "--single-item", stage)
    said = clone.run("dvc", "repro", "--single-item", "ensemble", fails=True)
    assert (
        "error: train.learning_rate in params.yaml changed between train@round0-small_cnn-0 and "
        "train@round0-small_cnn-1, so their models cannot be combined; run again"
    ) in said
    assert {"train@round0-small_cnn-0", "ensemble"} <= clone.assert_engines_agree()


def test_outputs_from_the_future_do_not_hide_what_is_stale(clone: Clone) -> None:
    for number, path in enumerate(sorted([*clone.path.glob("results/**/*"), *clone.path.glob("data/**/*")])):
        # A clock that was ahead, and an archive without times.
        when = 0 if number % 5 == 1 else time.time() + 7200
        if path.is_file() or path.name == ".snakemake_timestamp":
            os.utime(path, (when, when))
    clone.assert_nothing_to_do()
    clone.edit_params("ensemble", {"bootstrap_samples": 150})
    assert clone.assert_engines_agree() == {"bundle", "check_params", "ensemble", "report"}
    clone.snakemake()
    assert clone.started() == ["bundle", "check_params", "ensemble", "report"]
    clone.assert_nothing_to_do()


def test_a_data_set_behind_a_link_is_read_and_its_changes_are_noticed(clone: Clone, tmp_path: Path) -> None:
    disk, root = tmp_path / "disk", clone.path / "data/own"
    shutil.copytree(clone.path / "data/demo/dataset", disk)
    linked, other = sorted(disk.glob("train/*.flac"))[:2]
    target = tmp_path / linked.name
    linked.rename(target)
    linked.symlink_to(target)
    root.symlink_to(disk)
    (clone.path / ".git/info/exclude").write_text("/data/own\n")
    clone.edit_params("data", {"root": "data/own"})
    engines = [("snakemake", "--cores", "2", "data/recordings.csv"), ("dvc", "repro", "ingest")]
    clone.run(*engines[0])
    tables = [(clone.path / "data/recordings.csv").read_bytes()]
    original = target.read_bytes()
    for engine, content in zip(engines, (other.read_bytes(), original), strict=True):
        target.write_bytes(content)
        clone.started()
        clone.run(*engine)
        tables.append((clone.path / "data/recordings.csv").read_bytes())
    assert tables[0] == tables[2] != tables[1]
    # DVC would not look into a folder behind a link.
    (disk / "train").rename(tmp_path / "train")
    (disk / "train").symlink_to(tmp_path / "train")
    for engine in engines:
        assert "data/own/train: is a link to a folder, and DVC would not notice" in clone.run(*engine, fails=True)


@pytest.mark.parametrize("engine", ENGINES)
def test_predictions_that_another_experiment_left_enter_no_result(clone: Clone, engine: tuple[str, ...]) -> None:
    lock, metrics = clone.path / "dvc.lock", (clone.path / "results/figures.json").read_bytes()
    before = lock.read_bytes()
    # As after `dvc exp run -S 'folds=[0,1,2]'` and `git checkout .`.
    left = [clone.path / f"results/{name}" for name in (
        "predictions/first/small_cnn/2", "predictions/first/gone/0", "models/first/small_cnn/2.weights.h5",
    )]  # fmt: skip
    for path in left[:2]:
        shutil.copytree(clone.path / "results/predictions/first/small_cnn/1", path)
    shutil.copyfile(clone.path / WEIGHTS, left[2])
    assert clone.assert_engines_agree() == set(RESULTS)
    clone.started()
    output = clone.run(*engine)
    # The first of the jobs that read predictions removes them.
    output += "".join((clone.path / f"logs/{name}.log").read_text() for name in ("ensemble", "calibrate"))
    assert "removed results of models that params.yaml does not name: results/predictions/first/gone/0, " in output
    assert not any(path.exists() for path in left)

    def read(text: bytes) -> dict:
        return next(dep for dep in YAML(typ="safe").load(text)["stages"]["ensemble"]["deps"] if "predic" in dep["path"])

    assert read(lock.read_bytes()) == read(before)
    assert (clone.path / "results/figures.json").read_bytes() == metrics
    if engine[0] == "snakemake":
        # Without the leftovers nothing is stale, so DVC restores the outputs.
        assert clone.started() == []
        assert lock.read_bytes() == before
    clone.assert_neither_engine_has_anything_to_do()


def test_the_provenance_is_that_of_the_results_after_each_way_back(clone: Clone) -> None:
    provenance = clone.path / "results/provenance.json"
    first = provenance.read_bytes()

    def assert_it_belongs() -> None:
        scores = (clone.path / "results/scores/ensemble.csv").read_bytes()
        assert json.loads(provenance.read_text())["scores"] == hashlib.md5(scores, usedforsecurity=False).hexdigest()
        outs = YAML(typ="safe").load(clone.path / "dvc.lock")["stages"]["ensemble"]["outs"]
        md5 = hashlib.md5(provenance.read_bytes(), usedforsecurity=False).hexdigest()
        assert md5 in [out["md5"] for out in outs]

    clone.run("dvc", "exp", "run", "--name", "corrected", "-S", "ensemble.prior=estimated")
    other = provenance.read_bytes()
    assert json.loads(other)["parameters"] != json.loads(first)["parameters"]
    assert_it_belongs()
    clone.run("git", "checkout", "--quiet", ".")
    clone.run("dvc", "checkout")
    assert provenance.read_bytes() == first
    assert_it_belongs()
    clone.run("dvc", "exp", "apply", "corrected")
    assert provenance.read_bytes() == other
    assert_it_belongs()


def test_neither_a_keras_json_nor_keras_variables_change_the_weights(
    clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (clone.path / WEIGHTS).read_bytes()
    settings = {"floatx": "float16", "epsilon": 0.1, "backend": "torch", "image_data_format": "channels_first"}
    (tmp_path / "keras.json").write_text(json.dumps(settings))
    for name, value in {"HOME": tmp_path, "BACKEND": "torch", "MAX_STEPS_PER_EPOCH": 1}.items():
        monkeypatch.setenv(f"KERAS_{name}", str(value))
    clone.run("dvc", "repro", "--force", "--single-item", "train@round0-small_cnn-0")
    assert clone.started() == ["train first small_cnn 0"]
    assert (clone.path / WEIGHTS).read_bytes() == before
