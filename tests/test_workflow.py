"""The whole workflow on a tiny data set, through both engines: what runs, and what does not."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from clone import MODELS, Clone
from ruamel.yaml import YAML

pytestmark = pytest.mark.slow


@pytest.fixture
def clone(through_snakemake: Clone, tmp_path: Path) -> Clone:
    """A copy of the finished clone that a test may change."""
    return through_snakemake.copy(tmp_path / "clone")


@pytest.fixture
def dvc_clone(through_dvc: Clone, tmp_path: Path) -> Clone:
    """The same of the clone that DVC finished."""
    return through_dvc.copy(tmp_path / "dvc-clone")


def test_after_either_engine_the_other_has_nothing_to_do(clone: Clone, dvc_clone: Clone) -> None:
    clone.assert_nothing_to_do()
    dvc_clone.assert_nothing_to_do()
    assert not clone.run("git", "status", "--short")


def test_both_engines_give_the_same_bytes(through_snakemake: Clone, through_dvc: Clone) -> None:
    for name in ("results/metrics.json", "results/submission.csv"):
        assert (through_snakemake.path / name).read_bytes() == (through_dvc.path / name).read_bytes()
    for name in ("dvc.lock", "data/demo/dvc.lock"):
        # The same hash of every output, weights included, in the order in which the stages ended.
        one, other = (YAML().load(clone.path / name) for clone in (through_snakemake, through_dvc))
        assert one == other


def test_metrics_and_plots_are_shown(clone: Clone) -> None:
    metrics = json.loads((clone.path / "results/metrics.json").read_text())
    assert set(metrics) == {"oof", "test"}
    for figures in metrics.values():
        assert set(figures) == {"small_cnn", "ensemble", "constant", "random"}
        for figure in figures.values():
            assert figure["lwlrap_low"] <= figure["lwlrap"] <= figure["lwlrap_high"]
    clone.edit_params("ensemble", {"bootstrap_samples": 200})
    clone.run("dvc", "repro")
    changes = clone.run("dvc", "metrics", "diff")
    for name in ("oof.ensemble.lwlrap_low", "test.small_cnn.lwlrap_high"):
        assert name in changes
    clone.run("dvc", "plots", "show")
    page = (clone.path / "dvc_plots/index.html").read_text()
    for name in ("results/curves/small_cnn/0.csv", "results/curves/small_cnn/1.csv", "results/average_precision.csv"):
        assert name.replace("/", "_").replace(".", "_") in page


def test_an_ensemble_parameter_runs_the_ensemble_and_its_return_nothing(clone: Clone) -> None:
    submission = (clone.path / "results/submission.csv").read_bytes()
    metrics = (clone.path / "results/metrics.json").read_bytes()
    clone.edit_params("ensemble", {"bootstrap_samples": 150})
    assert clone.assert_engines_agree() == {"check_params", "ensemble"}
    clone.snakemake()
    assert clone.started() == ["check_params", "ensemble"]
    assert (clone.path / "results/metrics.json").read_bytes() != metrics
    clone.run("git", "checkout", "--quiet", "params.yaml")
    clone.snakemake()
    assert [name for name in clone.started() if name != "check_params"] == []
    assert (clone.path / "results/submission.csv").read_bytes() == submission
    assert (clone.path / "results/metrics.json").read_bytes() == metrics
    clone.assert_nothing_to_do()


def test_an_experiment_in_the_workspace_and_back(dvc_clone: Clone) -> None:
    before = (dvc_clone.path / "results/metrics.json").read_bytes()
    dvc_clone.run("dvc", "exp", "run", "-S", "ensemble.bootstrap_samples=300")
    assert dvc_clone.started() == ["check_params", "ensemble"]
    assert "Nothing to be done" in dvc_clone.snakemake()
    dvc_clone.run("git", "checkout", "--quiet", "params.yaml")
    assert dvc_clone.assert_engines_agree() == {"check_params", "ensemble"}
    dvc_clone.snakemake()
    assert [name for name in dvc_clone.started() if name != "check_params"] == []
    assert (dvc_clone.path / "results/metrics.json").read_bytes() == before
    dvc_clone.assert_nothing_to_do()


def test_an_experiment_in_a_folder_of_its_own(clone: Clone) -> None:
    output = clone.run("dvc", "exp", "run", "--temp", "-S", "ensemble.bootstrap_samples=300")
    assert "Ran experiment" in output
    assert clone.started() == ["check_params", "ensemble"]
    clone.assert_nothing_to_do()


def test_a_backbone_comes_and_goes(clone: Clone) -> None:
    clone.edit_params("backbones", ["small_cnn", "small_resnet"])
    clone.snakemake()
    added = [name.replace("small_cnn", "small_resnet") for name in MODELS]
    assert clone.started() == ["check_params", "ensemble", *added]
    both = pd.read_csv(clone.path / "results/submission.csv", index_col=0)
    one, other = (
        pd.read_csv(clone.path / f"results/submissions/{name}.csv", index_col=0)
        for name in ("small_cnn", "small_resnet")
    )
    np.testing.assert_allclose(both, (one + other) / 2, atol=1e-6)
    clone.commit("two backbones")

    # Back to one and to two again: all of it is in DVC's cache.
    for backbones in (["small_cnn"], ["small_cnn", "small_resnet"]):
        clone.edit_params("backbones", backbones)
        clone.snakemake() if len(backbones) == 1 else clone.run("dvc", "repro")
        assert clone.started() == ["check_params"]

    clone.edit_params("backbones", ["small_resnet"])
    clone.snakemake()
    assert clone.started() == ["check_params", "ensemble"]
    alone = pd.read_csv(clone.path / "results/submission.csv", index_col=0)
    np.testing.assert_allclose(alone, other, atol=1e-6)
    assert [path.name for path in (clone.path / "results/submissions").glob("*.csv")] == ["small_resnet.csv"]
    clone.assert_nothing_to_do()

    # An earlier revision and its data: nothing to run, whatever was there before.
    clone.run("git", "stash", "--quiet")
    clone.run("git", "checkout", "--quiet", "HEAD~1")
    clone.run("dvc", "checkout")
    clone.assert_nothing_to_do()
    clone.run("git", "checkout", "--quiet", "-")
    clone.run("dvc", "checkout")
    clone.assert_nothing_to_do()


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("src/dawnchorus/report.py", ["ensemble"]),
        ("src/dawnchorus/progress.py", []),
        ("src/dawnchorus/folds.py", ["split_folds"]),
    ],
)
def test_a_changed_module_runs_what_imports_it(clone: Clone, module: str, expected: list[str]) -> None:
    with (clone.path / module).open("a") as file:
        file.write("\n# changed\n")
    clone.assert_engines_agree()
    clone.snakemake()
    # Folds that come out the same retrain nothing: DVC brings the later outputs back from its cache.
    assert clone.started() == expected
    clone.assert_nothing_to_do()


def test_a_new_test_recording_retrains_nothing(clone: Clone, tmp_path: Path) -> None:
    own = tmp_path / "own data"
    clone.run("cp", "-r", "data/demo/dataset", str(own))
    clone.edit_params("data", {"root": str(own)})
    # The embedded data set is no part of this experiment, even where its files are gone.
    clone.run("rm", "-r", "data/demo/dataset")
    before = {path: (path.stat().st_ino, path.stat().st_mode, path.stat().st_mtime) for path in own.rglob("*")}
    clone.snakemake()
    assert "synthesize" not in clone.started()
    assert before == {path: (path.stat().st_ino, path.stat().st_mode, path.stat().st_mtime) for path in own.rglob("*")}

    soundfile.write(own / "test/new.wav", np.random.default_rng(0).normal(0, 0.01, 96_000), 48_000)
    for name, value in (("sample_submission.csv", 0.5), ("truth_test.csv", 1)):
        table = pd.read_csv(own / name)
        table.loc[len(table)] = ["new", *[value] * (table.shape[1] - 1)]
        table.to_csv(own / name, index=False)
    clone.assert_engines_agree()
    clone.snakemake()
    assert clone.started() == [
        "cache_spectrograms test", "ensemble", "infer small_cnn 0", "infer small_cnn 1", "split_folds",
    ]  # fmt: skip
    assert "new" in set(pd.read_csv(clone.path / "results/submission.csv").recording_id)
    clone.assert_nothing_to_do()


def test_touched_deleted_and_damaged_files(dvc_clone: Clone) -> None:
    clone = dvc_clone
    for name in ("params.yaml", "src/dawnchorus/model.py", "data/folds.csv", "results/models/small_cnn/0.weights.h5",
                 "data/demo/dataset/train_tp.csv"):  # fmt: skip
        (clone.path / name).touch()
    assert clone.assert_engines_agree() == set()

    contents = {}
    for stage, name, descendants in [
        ("train@small_cnn-0", "results/curves/small_cnn/0.csv", {"infer@small_cnn-0", "ensemble"}),
        ("infer@small_cnn-1", "results/predictions/small_cnn/1/test.csv", {"ensemble"}),
        ("check_params", "results/params_checked.txt", None),
    ]:
        contents[name] = (clone.path / name).read_bytes()
        (clone.path / name).unlink()
        planned = clone.assert_engines_agree()
        assert stage in planned
        if descendants is not None:
            assert planned == {stage, *descendants}
            (clone.path / name).write_bytes(b"damaged")
            assert clone.assert_engines_agree() == {stage, *descendants}
        clone.snakemake()
        # DVC brings all outputs back but the constant, which takes no time to make.
        assert clone.started() == (["check_params"] if stage == "check_params" else [])
        assert (clone.path / name).read_bytes() == contents[name]
    clone.assert_nothing_to_do()


def test_a_pulled_clone_has_nothing_to_do(clone: Clone, tmp_path: Path) -> None:
    clone.run("dvc", "remote", "add", "--default", "storage", str(tmp_path / "remote"))
    clone.commit("remote")
    clone.run("dvc", "push")
    colleague = clone.git_clone(tmp_path / "colleague")
    colleague.run("dvc", "pull")
    assert colleague.assert_engines_agree() == set()
    colleague.assert_nothing_to_do()
    colleague.edit_params("ensemble", {"bootstrap_samples": 150})
    assert colleague.assert_engines_agree() == {"check_params", "ensemble"}


def test_a_training_parameter_a_killed_job_and_the_way_back(clone: Clone) -> None:
    submission = (clone.path / "results/submission.csv").read_bytes()
    clone.edit_params("train", {"learning_rate": 0.002})
    stages = {f"{name}@small_cnn-{fold}" for name in ("train", "infer") for fold in (0, 1)}
    assert clone.assert_engines_agree() == {"check_params", "ensemble", *stages}
    log = Path(clone.environment["STARTED"])
    run = subprocess.Popen(
        ["snakemake", "--cores", "2", "--keep-going"],
        cwd=clone.path, env=clone.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    victim = None
    deadline = time.monotonic() + 120
    while victim is None and time.monotonic() < deadline:
        time.sleep(0.2)
        victim = next(
            (line for line in log.read_text().splitlines() if "train.py" in line and "--fold 0" in line), None
        )
    assert victim is not None
    time.sleep(1)
    os.kill(int(victim.split()[0]), signal.SIGKILL)
    output, _ = run.communicate(timeout=300)
    assert run.returncode != 0
    assert "logs/train/small_cnn-0.log" in output
    assert clone.started() == sorted({"check_params", *MODELS} - {"infer small_cnn 0"})

    clone.snakemake()
    assert clone.started() == ["ensemble", "infer small_cnn 0", "train small_cnn 0"]
    clone.assert_nothing_to_do()
    assert (clone.path / "results/submission.csv").read_bytes() != submission

    clone.run("git", "checkout", "--quiet", "params.yaml")
    clone.run("dvc", "repro")
    assert [name for name in clone.started() if name != "check_params"] == []
    assert (clone.path / "results/submission.csv").read_bytes() == submission


def test_a_failed_job_says_why_and_where(clone: Clone) -> None:
    # The data set is a stage's output; a folder of one's own is not.
    own = clone.path / "data/own"
    clone.run("cp", "-r", "data/demo/dataset", "data/own")
    rows = (own / "train_tp.csv").read_text().splitlines()
    cells = rows[2].split(",")
    cells[5] = "0"
    (own / "train_tp.csv").write_text("\n".join([*rows[:2], ",".join(cells), *rows[3:]]))
    clone.edit_params("data", {"root": "data/own"})
    for output in (clone.snakemake(fails=True), clone.run("dvc", "repro", fails=True)):
        assert "data/own/train_tp.csv: line 3, column t_max: found 0, expected a time after the row's t_min" in output
        assert "Traceback" not in output
    *_, reason, path = clone.snakemake(fails=True).split("Complete log(s)")[0].strip().splitlines()
    assert path == "The whole log: logs/split_folds.log"
    assert reason.startswith("ERROR: failed to reproduce 'split_folds'")
    assert not list(clone.path.rglob(".writing.*"))


@pytest.mark.parametrize(
    ("section", "values", "names"),
    [
        ("train", {"epoch": 3}, ["train.epoch: unknown key with value 3"]),
        ("train", {"epochs": 0}, ["train.epochs: found 0, expected greater than or equal to 1"]),
        ("spectrogram", {"n_mels": "64"}, ["spectrogram.n_mels: found '64', expected"]),
    ],
)
def test_bad_parameters_stop_both_engines_before_anything_runs(
    clone: Clone, section: str, values: dict, names: list[str]
) -> None:
    clone.edit_params(section, values)
    for output in (clone.snakemake(fails=True), clone.run("dvc", "repro", fails=True)):
        for name in names:
            assert name in output
        assert "Traceback" not in output
    assert set(clone.started()) <= {"check_params"}
