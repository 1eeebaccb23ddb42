"""Experiments in a temporary copy of the project, which DVC makes from a commit and removes in the end."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from clone import Clone

from dawnchorus.errors import InputError
from dawnchorus.training.checkpoint import Checkpoint
from dawnchorus.workflow.experiments import require_folder

MODEL = ["models/first/small_cnn/0.weights.h5", "curves/first/small_cnn/0.csv", "epoch_weights/first/small_cnn/0/*.h5"]


def test_a_data_root_that_does_not_exist_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project, copy = tmp_path / "project", tmp_path / "project/.dvc/tmp/exps/copy"
    (project / "data/own").mkdir(parents=True)
    (copy / "data").mkdir(parents=True)
    monkeypatch.setenv("DVC_ROOT", str(project))
    monkeypatch.chdir(project)
    for root in ("data/own", str(project / "data/own"), "data/demo/dataset", "./data/demo/dataset/"):
        require_folder("data.root", root)
    with pytest.raises(
        InputError, match=r"data.root: found 'data/none', but there is no such folder; correct the path, or create"
    ):
        require_folder("data.root", "data/none")
    monkeypatch.chdir(copy)
    require_folder("data.root", str(project / "data/own"))
    require_folder("data.root", "data/demo/dataset")
    with pytest.raises(
        InputError, match=f"git does not track it; set data.labels to the absolute path, {project}/data"
    ):
        require_folder("data.labels", "data/own")
    with pytest.raises(InputError, match=f"git does not track it; set data.root to the absolute path, {project}/data"):
        require_folder("data.root", "data/own")
    # `dvc pull` brings it.
    (copy / "data/own.dvc").touch()
    require_folder("data.root", "data/own")
    require_folder("data.root", "data/own/site")
    # Another project's stage may run this one in a folder of its own.
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    with pytest.raises(InputError, match="there is no such folder"):
        require_folder("data.root", "data/own")


@pytest.mark.slow
def test_recordings_that_git_ignores_are_missing_in_the_copy(with_own_recordings: Clone, tmp_path: Path) -> None:
    clone = with_own_recordings.copy(tmp_path / "clone")
    run = ("dvc", "exp", "run", "--temp", "-S", "ensemble.bootstrap_samples=150")
    said = clone.run(*run, fails=True)
    assert "data.root: 'data/own' is missing in the temporary copy of the project" in said
    assert f"set data.root to the absolute path, {clone.path}/data/own, or run the experiment without `--temp`" in said
    clone.started()
    clone.run(*run, "-S", f"data.root={clone.path}/data/own")
    # What moves is the same to all stages after the first.
    assert clone.started() == ["bundle", "check_params", "ensemble", "ingest", "report"]


@pytest.mark.slow
def test_an_interrupted_training_in_a_copy_goes_on_in_the_next_copy(through_snakemake: Clone, tmp_path: Path) -> None:
    clone = through_snakemake.copy(tmp_path / "clone")
    states = clone.path / ".dvc/tmp/checkpoints"
    settings = ("-S", "train.epochs=8", "-S", "train.every_epoch=true", "train@round0-small_cnn-0")
    killed = subprocess.Popen(
        ["dvc", "exp", "run", "--temp", *settings], cwd=clone.path, env=clone.environment, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    deadline = time.monotonic() + 300
    while not list(states.glob("*/epoch-2")):
        assert killed.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    assert "resuming after epoch" in clone.run("dvc", "exp", "run", "--temp", "--name", "resumed", *settings)
    assert not list(states.glob("*/*"))
    clone.run("dvc", "exp", "apply", "resumed")
    outputs = (path for name in MODEL for path in (clone.path / "results").glob(name))
    resumed = {path: path.read_bytes() for path in outputs}
    assert len(resumed) == 8 + 1 + 1

    # The same in one go, in the project itself.
    shutil.rmtree(clone.path / ".dvc/cache/runs")
    clone.run("git", "checkout", "--quiet", "--force", "HEAD")
    assert "resuming" not in clone.run("dvc", "exp", "run", *settings)
    assert {path: path.read_bytes() for path in resumed} == resumed


def test_of_two_copies_that_train_the_same_model_one_keeps_its_state(tmp_path: Path) -> None:
    first, second = Checkpoint(tmp_path / "states/job"), Checkpoint(tmp_path / "states/job")
    assert first.lock()
    assert not second.lock()
