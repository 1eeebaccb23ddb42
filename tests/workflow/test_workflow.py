"""The whole workflow on a tiny data set, through both engines: what runs, and what does not."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from clone import MODELS, RESULTS, Clone, add_test_recording
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
    clone.assert_neither_engine_has_anything_to_do()
    dvc_clone.assert_neither_engine_has_anything_to_do()
    assert not clone.run("git", "status", "--short")


def test_both_engines_give_the_same_bytes(through_snakemake: Clone, through_dvc: Clone) -> None:
    for name in ("results/figures.json", "results/metrics.json", "results/kaggle/submission.csv"):
        assert (through_snakemake.path / name).read_bytes() == (through_dvc.path / name).read_bytes()
    for name in ("dvc.lock", "data/demo/dvc.lock"):
        # The same hash of every output, weights included, in the order in which the stages ended.
        one, other = (YAML().load(clone.path / name) for clone in (through_snakemake, through_dvc))
        for lock in (one, other):
            for out in lock["stages"].get("ensemble", {"outs": []})["outs"]:
                if out["path"] == "results/provenance.json":  # it names the commit and the time of the clone
                    out.clear()
        assert one == other


def test_metrics_and_plots_are_shown(clone: Clone) -> None:
    metrics = json.loads((clone.path / "results/figures.json").read_text())
    assert set(metrics) == {"oof", "test", "skipped", "weights"}
    for figures in (metrics["oof"], metrics["test"]):
        assert set(figures) == {"small_cnn", "ensemble", "constant", "random"}
        for figure in figures.values():
            assert figure["lwlrap_low"] <= figure["lwlrap"] <= figure["lwlrap_high"]
    boxes = metrics["oof"]["ensemble"]
    assert 0 <= boxes["box_auc_low"] <= boxes["box_auc"] <= boxes["box_auc_high"] <= 1
    # So few recordings have a present box that prevalence cannot be estimated.
    clone.edit_params("ensemble", {"prior": "estimated"})
    assert "ensemble.prior: estimated changes nothing" in clone.run("dvc", "repro", "--single-item", "ensemble")
    assert json.loads((clone.path / "results/figures.json").read_text()) == metrics
    parts = np.linspace(0.1, 0.9, len(pd.read_csv(clone.path / "data/species.csv")))
    table = pd.DataFrame({"species": pd.read_csv(clone.path / "data/species.csv").species, "prevalence": parts})
    table.to_csv(clone.path / "inputs/prevalence.csv", index=False)
    clone.edit_params("ensemble", {"bootstrap_samples": 200, "prior": "inputs/prevalence.csv"})
    clone.run("dvc", "repro")
    corrected = json.loads((clone.path / "results/figures.json").read_text())
    assert list(corrected["prevalence"].values()) == pytest.approx(parts, abs=1e-4)
    # Only the test scores are corrected.
    assert corrected["test"]["small_cnn"]["lwlrap"] != metrics["test"]["small_cnn"]["lwlrap"]
    assert corrected["oof"]["small_cnn"]["lwlrap"] == metrics["oof"]["small_cnn"]["lwlrap"]
    changes = clone.run("dvc", "metrics", "diff")
    # One screen: the path, the figure, the values and the difference.
    assert [line.split()[:2] for line in changes.splitlines()[1:]] == [["results/metrics.json", "test.lwlrap"]]
    clone.run("dvc", "plots", "show")
    page = (clone.path / "dvc_plots/index.html").read_text()
    for name in ("results/curves/first/small_cnn/0.csv", "results/curves/first/small_cnn/1.csv",
                 "results/species_metrics.csv"):  # fmt: skip
        assert name.replace("/", "_").replace(".", "_") in page


def test_an_ensemble_parameter_runs_the_ensemble_and_its_return_nothing(clone: Clone) -> None:
    submission = (clone.path / "results/kaggle/submission.csv").read_bytes()
    metrics = (clone.path / "results/figures.json").read_bytes()
    clone.edit_params("ensemble", {"bootstrap_samples": 150})
    assert clone.assert_engines_agree() == {"bundle", "check_params", "ensemble", "report"}
    clone.snakemake()
    assert clone.started() == ["bundle", "check_params", "ensemble", "report"]
    assert (clone.path / "results/figures.json").read_bytes() != metrics
    clone.run("git", "checkout", "--quiet", "params.yaml")
    clone.snakemake()
    assert [name for name in clone.started() if name != "check_params"] == []
    assert (clone.path / "results/kaggle/submission.csv").read_bytes() == submission
    assert (clone.path / "results/figures.json").read_bytes() == metrics


def test_an_experiment_in_the_workspace_and_back(dvc_clone: Clone) -> None:
    before = (dvc_clone.path / "results/figures.json").read_bytes()
    dvc_clone.run("dvc", "exp", "run", "-S", "ensemble.bootstrap_samples=300")
    assert dvc_clone.started() == ["bundle", "check_params", "ensemble", "report"]
    assert "Nothing to be done" in dvc_clone.snakemake()
    dvc_clone.run("git", "checkout", "--quiet", "params.yaml")
    assert dvc_clone.assert_engines_agree() == {"bundle", "check_params", "ensemble", "report"}
    dvc_clone.snakemake()
    assert [name for name in dvc_clone.started() if name != "check_params"] == []
    assert (dvc_clone.path / "results/figures.json").read_bytes() == before
    dvc_clone.assert_nothing_to_do()


def test_an_experiment_in_a_folder_of_its_own(clone: Clone) -> None:
    output = clone.run("dvc", "exp", "run", "--temp", "-S", "ensemble.bootstrap_samples=300")
    assert "Ran experiment" in output
    assert clone.started() == ["bundle", "check_params", "ensemble", "report"]


def test_a_backbone_comes_and_goes(clone: Clone) -> None:
    clone.edit_params("backbones", ["small_cnn", "small_resnet"])
    clone.snakemake()
    added = [name.replace("small_cnn", "small_resnet") for name in ["fetch_weights small_cnn", *MODELS]]
    assert clone.started() == sorted(["check_params", *RESULTS, *added])
    both = pd.read_csv(clone.path / "results/kaggle/submission.csv", index_col=0)
    one, other = (
        pd.read_csv(clone.path / f"results/kaggle/{name}.csv", index_col=0) for name in ("small_cnn", "small_resnet")
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
    assert clone.started() == sorted(["check_params", *RESULTS])
    alone = pd.read_csv(clone.path / "results/kaggle/submission.csv", index_col=0)
    np.testing.assert_allclose(alone, other, atol=1e-6)
    assert {path.name for path in (clone.path / "results/kaggle").glob("*.csv")} == {
        "small_resnet.csv",
        "submission.csv",
    }

    # An earlier revision and its data: nothing to run, whatever was there before.
    clone.run("git", "stash", "--quiet")
    clone.run("git", "checkout", "--quiet", "HEAD~1")
    clone.run("dvc", "checkout")
    clone.assert_nothing_to_do()
    clone.run("git", "checkout", "--quiet", "-")
    clone.run("dvc", "checkout")
    clone.assert_nothing_to_do()


def test_a_changed_module_runs_what_imports_it(clone: Clone) -> None:
    def change(path: str) -> None:
        with (clone.path / path).open("a") as file:
            file.write("\n# changed\n")

    change("src/dawnchorus/progress.py")
    assert clone.assert_engines_agree() == set()
    # Another backbone's module concerns the check of the parameters alone.
    change("src/dawnchorus/models/backbones/small_resnet.py")
    assert clone.assert_engines_agree() == {"check_params"}
    change("src/dawnchorus/models/backbones/small_cnn.py")
    own = {f"{stage}@round0-small_cnn-{fold}" for stage in ("train", "predict") for fold in (0, 1)}
    assert clone.assert_engines_agree() == {"check_params", "fetch_weights@small_cnn", *own, *RESULTS}
    clone.run("git", "checkout", "--quiet", "src")
    change("src/dawnchorus/reporting/metrics.py")
    assert clone.assert_engines_agree() == {"bundle", "ensemble", "report"}
    change("workflow/scripts/split_folds.py")
    clone.assert_engines_agree()
    clone.snakemake()
    # Folds that come out the same retrain nothing: DVC brings the later outputs back from its cache.
    assert clone.started() == ["ensemble", "report", "split_folds"]
    # Where a backbone begins concerns that backbone alone.
    clone.edit_params("backbones", ["small_cnn", "resnet"])
    clone.edit_params("train", {"pretrained": {"resnet": "imagenet"}})
    stale = json.loads(clone.run("dvc", "status", "--json"))
    assert "train@round0-resnet-0" in stale
    assert "train@round0-small_cnn-0" not in stale


OWN_BACKBONE = """\"\"\"Two convolutions.\"\"\"

import keras

from dawnchorus.models.blocks import convolve

SMALLEST_IMAGE = 8


def build(frames: int, n_mels: int, frequency_channel: bool) -> keras.Model:
    image = keras.Input((frames, n_mels, 1))
    return keras.Model(image, convolve(convolve(image, 8, 3, strides=2), 8, 3, strides=2), name="mine")
"""


def test_a_backbone_of_ones_own_is_one_file_and_its_name(clone: Clone) -> None:
    (clone.path / "src/dawnchorus/models/backbones/mine.py").write_text(OWN_BACKBONE)
    clone.edit_params("backbones", ["mine"])
    clone.snakemake()
    own = [name.replace("small_cnn", "mine") for name in ["fetch_weights small_cnn", *MODELS]]
    assert clone.started() == sorted(["check_params", *RESULTS, *own])
    scores = pd.read_csv(clone.path / "results/scores/mine.csv", index_col=0)
    assert ((scores > 0) & (scores < 1)).all(axis=None)
    assert (
        clone.run("env", "PYTHONPATH=src", "python", "workflow/scripts/write_dependencies.py").count("unchanged") == 2
    )
    changed = {line.split()[-1] for line in clone.run("git", "status", "--short").splitlines()}
    # Two of them are results.
    assert changed - {"dvc.lock", "results/metrics.json"} == {
        "params.yaml", "src/dawnchorus/models/backbones/mine.py",
    }  # fmt: skip
    clone.assert_nothing_to_do()


def test_a_changed_input_reruns_what_reads_inputs(clone: Clone) -> None:
    table = clone.path / "inputs/prevalence.csv"
    species = list(pd.read_csv(clone.path / "data/species.csv").species)
    pd.DataFrame({"species": species, "prevalence": 0.3}).to_csv(table, index=False)
    clone.edit_params("ensemble", {"prior": "inputs/prevalence.csv"})
    clone.snakemake()
    # Clips of animals would be in the same folder.
    read = ["bundle", "ensemble", "fetch_weights small_cnn", "synthesize"]
    assert clone.started() == sorted([*read, "check_params", "report"])
    metrics = json.loads((clone.path / "results/figures.json").read_text())
    assert set(metrics["prevalence"].values()) == {0.3}

    # Another prevalence under the same name; no backbone's weights change, so nothing is trained.
    pd.DataFrame({"species": species, "prevalence": 0.4}).to_csv(table, index=False)
    assert {"ensemble", "fetch_weights@small_cnn"} <= clone.assert_engines_agree()
    clone.snakemake()
    assert clone.started() == sorted([*read, "report"])
    assert set(json.loads((clone.path / "results/figures.json").read_text())["prevalence"].values()) == {0.4}

    # A large file that DVC tracks instead of git.
    (clone.path / "inputs/large.weights.h5").write_bytes(bytes(1000))
    clone.run("dvc", "add", "inputs/large.weights.h5")
    clone.snakemake()
    assert clone.started() == read
    clone.assert_neither_engine_has_anything_to_do()


def test_a_new_test_recording_retrains_nothing(with_own_recordings: Clone, tmp_path: Path) -> None:
    clone = with_own_recordings.copy(tmp_path / "clone")
    add_test_recording(clone.path / "data/own", "new")
    clone.assert_engines_agree()
    clone.snakemake()
    assert clone.started() == sorted([
        "cache_spectrograms test", "ingest", "predict first small_cnn 0", "predict first small_cnn 1", "split_folds",
        *RESULTS,
    ])  # fmt: skip
    assert "new" in set(pd.read_csv(clone.path / "results/kaggle/submission.csv").recording_id)


def test_touched_deleted_and_damaged_files(dvc_clone: Clone) -> None:
    clone = dvc_clone
    for name in ("params.yaml", "src/dawnchorus/models/building.py", "data/folds.csv",
                 "results/models/first/small_cnn/0.weights.h5", "data/demo/dataset/train_tp.csv"):  # fmt: skip
        (clone.path / name).touch()
    assert clone.assert_engines_agree() == set()

    contents = {}
    for stage, name, descendants in [
        (
            "train@round0-small_cnn-0",
            "results/curves/first/small_cnn/0.csv",
            {"predict@round0-small_cnn-0", *RESULTS},
        ),
        ("predict@round0-small_cnn-1", "results/predictions/first/small_cnn/1/test.csv", set(RESULTS)),
    ]:
        contents[name] = (clone.path / name).read_bytes()
        (clone.path / name).unlink()
        assert clone.assert_engines_agree() == {stage, *descendants}
        (clone.path / name).write_bytes(b"damaged")
        assert clone.assert_engines_agree() == {stage, *descendants}
        (clone.path / name).write_bytes(contents[name])
    for name in contents:
        (clone.path / name).unlink()
    constant = clone.path / "results/params_checked.txt"
    constant.unlink()
    assert "check_params" in clone.assert_engines_agree()
    clone.snakemake()
    # DVC brings all outputs back but the constant, which takes no time to make.
    assert clone.started() == ["check_params"]
    assert constant.exists()
    assert {name: (clone.path / name).read_bytes() for name in contents} == contents
    clone.assert_nothing_to_do()


def test_a_training_parameter_a_killed_job_and_the_way_back(clone: Clone) -> None:
    submission = (clone.path / "results/kaggle/submission.csv").read_bytes()
    clone.edit_params("train", {"learning_rate": 0.002, "every_epoch": True, "epochs": 2})
    stages = {f"{name}@round0-small_cnn-{fold}" for name in ("train", "predict") for fold in (0, 1)}
    assert clone.assert_engines_agree() == {"check_params", *RESULTS, *stages}
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
    assert "logs/train/first-small_cnn-0.log" in output
    assert clone.started() == sorted({"check_params", *MODELS} - {"predict first small_cnn 0"})

    clone.snakemake()
    assert clone.started() == sorted(["predict first small_cnn 0", "train first small_cnn 0", *RESULTS])
    kept = clone.path / "results/epoch_weights/first/small_cnn/0"
    assert sorted(path.name for path in kept.glob("*.h5")) == ["1.weights.h5", "2.weights.h5"]
    last = clone.path / "results/models/first/small_cnn/0.weights.h5"
    assert (kept / "2.weights.h5").read_bytes() == last.read_bytes() != (kept / "1.weights.h5").read_bytes()
    assert (clone.path / "results/kaggle/submission.csv").read_bytes() != submission

    clone.run("git", "checkout", "--quiet", "params.yaml")
    clone.run("dvc", "repro")
    assert [name for name in clone.started() if name != "check_params"] == []
    assert (clone.path / "results/kaggle/submission.csv").read_bytes() == submission


def test_rounds_come_and_go(clone: Clone) -> None:
    first = {"id": "first", "pseudo_labels": "none", "weight": 0.0}
    second = {"id": "second", "pseudo_labels": "first", "weight": 0.3}
    third = {"id": "third", "pseudo_labels": "second", "weight": 0.3}
    folds = pd.read_csv(clone.path / "data/folds.csv", index_col=0).fold
    submission, metrics = clone.path / "results/kaggle/submission.csv", clone.path / "results/figures.json"
    without = {path: path.read_bytes() for path in (submission, metrics)}

    def models(number: int, *stages: str) -> set[str]:
        return {f"{stage}@round{number}-small_cnn-{fold}" for stage in stages for fold in (0, 1)}

    # A recording that nobody has annotated takes no part while there is a single round.
    data = clone.path / "data/own"
    shutil.copytree(clone.path / "data/demo/dataset", data)
    (clone.path / ".git/info/exclude").write_text("/data/own\n")
    soundfile.write(data / "train/unlabelled.flac", np.random.default_rng(1).normal(0, 0.01, 96_000), 48_000)
    clone.edit_params("data", {"root": "data/own"})
    clone.snakemake()
    assert clone.started() == ["cache_unlabelled", "check_params", "ingest", "report", "split_folds"]
    assert {path: path.read_bytes() for path in without} == without

    predictions = clone.path / "results/predictions"
    written = {path.relative_to(predictions): path.read_bytes() for path in predictions.glob("first/*/*/[!.]*")}
    # Only the networks of the last round are in the model, and so become LiteRT files.
    alone = {path: content for path, content in written.items() if path.name != "network.tflite"}
    assert (len(written), len(alone)) == (12, 10)
    assert not list((clone.path / "results/supervised").rglob("*.csv"))

    # What the first round is, no later one changes: it is not trained again, but scores what the next one learns from.
    clone.edit_params("rounds", [first, second])
    assert models(1, "train", "predict") | models(0, "predict") <= clone.assert_engines_agree()
    assert not models(0, "train") & clone.planned()
    clone.run("snakemake", "--cores", "2")
    both = sorted(f"{stage} {each} small_cnn {fold}" for fold in (0, 1)
                  for stage, each in (("predict", "first"), ("predict", "second"), ("train", "second")))  # fmt: skip
    data_stages = ["cache_unlabelled", "check_params", *RESULTS]
    assert clone.started() == sorted([*data_stages, *both])
    # No model labels what it was trained on, and each recording is labelled, annotated or not.
    labelled = {fold: {path.stem for path in (clone.path / f"results/predictions/first/small_cnn/{fold}").glob("*.npy")}
                for fold in (0, 1)}  # fmt: skip
    for fold in (0, 1):
        assert labelled[fold] & set(folds.index) == set(folds.index[folds == fold])
    assert not labelled[0] & labelled[1]
    # Probabilities and thresholds rest on what the first round scores, as if it were the only one.
    assert {path: (clone.path / "results/supervised" / path).read_bytes() for path in alone} == alone
    assert labelled[0] | labelled[1] == {path.stem for path in (data / "train").iterdir()}
    # Out of fold nothing is honest, for the first round has seen it.
    assert set(json.loads(metrics.read_text())) == {"test", "skipped", "weights"}
    curve = pd.read_csv(clone.path / "results/curves/second/small_cnn/0.csv")
    assert curve.validation_lwlrap.isna().all()
    assert submission.read_bytes() != without[submission]
    clone.run("dvc", "plots", "show")
    jobs = json.loads((clone.path / "results/provenance.json").read_text())["jobs"]
    assert set(jobs) == {f"{stage}@{each}-small_cnn-{fold}" for stage in ("train", "predict")
                         for each in ("first", "second") for fold in (0, 1)}  # fmt: skip
    assert None not in jobs.values()

    # What another experiment left costs no training: a job that finds it removes it, and ends.
    shutil.copytree(clone.path / "results/predictions/first/small_cnn/0", clone.path / "results/predictions/first/x/0")
    said = clone.run("dvc", "repro", fails=True)
    assert "params.yaml does not name: results/predictions/first/x/0" in said
    assert "it may be up to date; run again" in said
    clone.started()
    clone.run("dvc", "repro")
    assert clone.started() == []

    # A round knows nothing of later ones; another backbone labels for all.
    clone.edit_params("rounds", [first, second, third])
    assert models(2, "train") | models(1, "predict") <= clone.assert_engines_agree()
    assert not models(0, "train") & clone.planned()
    # The second one is trained again only if the first round's scores come out differently.
    assert not models(1, "train") & set(json.loads(clone.run("dvc", "status", "--json")))
    clone.edit_params("rounds", [first, second | {"weight": 0.1}])
    assert models(1, "train") <= clone.assert_engines_agree()
    assert not models(0, "train", "predict") & clone.planned()
    clone.edit_params("rounds", [first, second])
    clone.edit_params("backbones", ["small_cnn", "small_resnet"])
    assert {"train@round0-small_resnet-0", "train@round1-small_cnn-0"} <= clone.assert_engines_agree()
    clone.edit_params("backbones", ["small_cnn"])

    scores = clone.path / f"results/predictions/first/small_cnn/{folds.iloc[0]}/{folds.index[0]}.npy"
    times = scores.stat()
    scores.write_bytes(scores.read_bytes()[:-1] + b"?")
    os.utime(scores, ns=(times.st_atime_ns, times.st_mtime_ns))
    said = clone.run("env", "PYTHONPATH=src", "python", "workflow/scripts/verify.py", fails=True)
    assert f"{scores.relative_to(clone.path)}: output of predict@round0-small_cnn-{folds.iloc[0]}" in said
    assert clone.started() == ["verify"]
    assert f"predict@round0-small_cnn-{folds.iloc[0]}" in clone.assert_engines_agree()

    # Back to one: all of it is in DVC's cache, and nothing of the other round is left.
    clone.edit_params("rounds", [first])
    clone.snakemake()
    assert set(clone.started()) == {"check_params"}
    assert {path: path.read_bytes() for path in without} == without
    assert not (clone.path / "results/models/second").exists()
    clone.assert_nothing_to_do()


def test_the_notebooks_split_goes_all_the_way_and_its_leak_is_counted(clone: Clone) -> None:
    clone.edit_params("split", {"method": "notebook"})
    clone.edit_params("train", {"fp_fraction": 0.0})
    clone.snakemake()
    folds = pd.read_csv(clone.path / "data/folds.csv")
    assert folds.recording_id.duplicated().any()
    report = pd.read_csv(clone.path / "data/fold_report.csv")
    for row in report.itertuples():
        validated = set(folds.recording_id[folds.fold == row.fold])
        trained = set(folds.recording_id[folds.fold != row.fold])
        assert row.leaked_recordings == len(validated & trained) > 0
        scored = pd.read_csv(clone.path / f"results/predictions/first/small_cnn/{row.fold}/oof.csv")
        assert set(scored.recording_id) == validated
    # A recording that several models left out counts once, by the mean of their scores.
    metrics = json.loads((clone.path / "results/figures.json").read_text())
    assert 0 < metrics["oof"]["ensemble"]["lwlrap"] <= 1
    clone.assert_nothing_to_do()


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
    failed, reason, path, ending = clone.snakemake(fails=True).strip().splitlines()[-4:]
    assert re.fullmatch(r"ingest failed after \d+ s:", failed)
    assert reason.startswith("error: data/own/train_tp.csv: line 3, column t_max: found 0")
    assert path == "the whole log: logs/ingest.log"
    assert ending.startswith("Failed: ingest; ")
    assert ending.endswith("Mend the cause, and the same command goes on where this run stopped.")
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
