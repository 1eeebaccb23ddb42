"""Interrupted, repeated and simultaneous runs: the same results, nothing to repair by hand, nothing half-written."""

import hashlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import psutil
import pytest
import tensorflow as tf
from clone import ALL, Clone, stage_of
from ruamel.yaml import YAML

pytestmark = pytest.mark.slow

FOLDERS = ("data/demo/dataset", "data/splits", "data/sounds", "data/spectrograms", "data/pretrained", "results")
# Neither stage outputs nor the same from run to run.
NO_OUTPUTS = ("results/provenance", "results/checkpoints", ".writing.", ".snakemake_timestamp")


def outputs(clone: Clone) -> dict[str, bytes]:
    """The content of every file that a stage made."""
    files = [path for folder in FOLDERS for path in (clone.path / folder).rglob("*")]
    files += (clone.path / "data").glob("*.csv")
    names = {str(path.relative_to(clone.path)): path for path in files if path.is_file()}
    return {name: path.read_bytes() for name, path in names.items() if not any(part in name for part in NO_OUTPUTS)}


class Run:
    """A command in the background, in a process group of its own."""

    def __init__(self, clone: Clone, *command: str) -> None:
        self._clone = clone
        self._log = Path(clone.environment["STARTED"])
        self._before = len(self._log.read_text().splitlines())
        self._output = (clone.path.parent / f"{clone.path.name}-run.log").open("w+")
        self.process = subprocess.Popen(
            command, cwd=clone.path, env=clone.environment, stdout=self._output, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip

    def until(self, happened: Callable[[], object]) -> bool:
        """Wait until something has happened; False if the command ends before."""
        deadline = time.monotonic() + 300
        while not happened():
            if self.process.poll() is not None:
                return bool(happened())
            assert time.monotonic() < deadline, self.output
            time.sleep(0.01)
        return True

    def until_new(self, seen: set[tuple[str, str]]) -> bool:
        """Wait until an event that was not seen before; False if the command ends without one."""
        return self.until(lambda: set(self.events()) - seen)

    def until_state(self, pattern: str, others: set[Path]) -> bool:
        """Wait until a path in the clone fits the pattern, beside those that are known."""
        return self.until(lambda: set(self._clone.path.glob(pattern)) - others)

    def events(self) -> Iterator[tuple[str, str]]:
        """The stages whose command this run has started, and those whose command has ended."""
        for line in self._log.read_text().splitlines()[self._before :]:
            if "workflow/scripts/" in line:
                yield stage_of(line), "begins"
                if not psutil.pid_exists(int(line.split()[0])):
                    yield stage_of(line), "ends"

    def kill(self) -> None:
        """Kill the whole group."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    @property
    def output(self) -> str:
        """What the command has printed so far."""
        self._output.seek(0)
        return self._output.read()


def test_killed_at_every_stage_it_ends_with_the_same_bytes(tmp_path: Path, through_snakemake: Clone) -> None:
    expected = outputs(through_snakemake)
    clone = Clone.new(tmp_path / "clone")
    killed: set[tuple[str, str]] = set()
    while True:
        run = Run(clone, "snakemake", "--cores", "1")
        if not run.until_new(killed):
            break
        time.sleep(0.2)
        killed |= set(run.events())
        run.kill()
        for name, content in outputs(clone).items():
            assert content == expected[name], f"{name} after a kill at {killed}"
    assert run.process.returncode == 0, run.output
    assert {name for name, _ in killed} == set(ALL)
    assert len(killed) >= 20
    assert outputs(clone) == expected
    clone.assert_neither_engine_has_anything_to_do()


def test_a_killed_training_goes_on_after_its_last_epoch(tmp_path: Path, through_snakemake: Clone) -> None:
    clone = through_snakemake.copy(tmp_path / "clone")
    clone.edit_params("train", {"epochs": 12, "every_epoch": True, "checkpoint": "validation_lwlrap"})
    state = clone.path / "results/checkpoints/first/small_cnn/0"
    killed_after = []
    for epochs in (2, 5):
        run = Run(clone, "dvc", "repro", "train@round0-small_cnn-0")
        assert run.until_state(f"results/checkpoints/first/small_cnn/0/*/epoch-{epochs}", set()), run.output
        run.kill()
        # A kill may leave the state before, which goes only when the new one is complete.
        killed_after.append(max(int(path.name.removeprefix("epoch-")) for path in state.glob("*/epoch-*")))
    clone.run("snakemake", "--cores", "1", "results/models/first/small_cnn/0.weights.h5")
    log = (clone.path / "logs/train/first-small_cnn-0.log").read_text()
    assert f"resuming after epoch {killed_after[1]} of an interrupted run" in log
    assert not list(state.rglob("*.*"))

    # The same job in one go, its outputs elsewhere.
    elsewhere = clone.path / "elsewhere"
    clone.run(
        "env", "PYTHONPATH=src", "python", "workflow/scripts/train.py", "--params", "params.yaml", "--annotations",
        "data/annotations.csv", "--folds", "data/folds.csv", "--species", "data/species.csv", "--complete",
        "data/complete.csv", "--spectrograms", "data/spectrograms/train", "--unlabelled",
        "data/spectrograms/unlabelled", "--pretrained", "data/pretrained/small_cnn", "--pseudo-labels",
        "results/predictions/none", "--pseudo-label-weight", "0", "--round", "first", "--backbone", "small_cnn",
        "--fold", "0", "--checkpoint", str(elsewhere / "checkpoint"), "--weights",
        str(elsewhere / "0.weights.h5"), "--curve", str(elsewhere / "0.csv"), "--epoch-weights",
        str(elsewhere / "checkpoints"), "--provenance", str(elsewhere), "--logs", str(elsewhere / "logs"),
    )  # fmt: skip
    results = clone.path / "results"
    assert (elsewhere / "0.weights.h5").read_bytes() == (results / "models/first/small_cnn/0.weights.h5").read_bytes()
    assert (elsewhere / "0.csv").read_text() == (results / "curves/first/small_cnn/0.csv").read_text()
    for epoch in range(1, 13):
        name = f"{epoch}.weights.h5"
        assert (elsewhere / "checkpoints" / name).read_bytes() == (
            results / "epoch_weights/first/small_cnn/0" / name
        ).read_bytes()


def test_the_state_of_a_later_round_is_bound_to_its_pseudo_labels(tmp_path: Path, through_snakemake: Clone) -> None:
    clone = through_snakemake.copy(tmp_path / "clone")
    first = {"id": "first", "pseudo_labels": "none", "weight": 0.0}

    def rounds(weight: float) -> list[dict[str, object]]:
        return [first, {"id": "second", "pseudo_labels": "first", "weight": weight}]

    clone.edit_params("train", {"epochs": 6})
    assert_no_training_goes_on(clone, "rounds", [rounds(0.3), rounds(0.2)], "second")
    run = Run(clone, "dvc", "repro", "train@round1-small_cnn-0")
    assert run.process.wait(300) == 0, run.output
    assert "resuming after epoch" in run.output
    assert not (clone.path / "results/checkpoints/second/small_cnn/0").exists()


def assert_no_training_goes_on(clone: Clone, section: str, settings: list[Any], round_id: str = "first") -> None:
    """Trainings with one setting after the other are killed, and each begins anew beside the state of the others."""
    states: set[Path] = set()
    for values in settings:
        clone.edit_params(section, values)
        run = Run(clone, "dvc", "repro", f"train@{clone.rounds()[round_id]}-small_cnn-0")
        assert run.until_state(f"results/checkpoints/{round_id}/small_cnn/0/*/epoch-*", states), run.output
        run.kill()
        assert "resuming after" not in run.output
        states |= set(clone.path.glob(f"results/checkpoints/{round_id}/small_cnn/0/*/epoch-*"))
    assert len({state.parent for state in states}) == len(settings)


def test_no_training_goes_on_with_the_state_of_another(tmp_path: Path, through_snakemake: Clone) -> None:
    clone = through_snakemake.copy(tmp_path / "clone")
    assert_no_training_goes_on(clone, "train", [{"epochs": 12, "learning_rate": rate} for rate in (0.002, 0.001)])


def test_a_second_run_in_the_same_folder_says_who_is_first(tmp_path: Path, through_snakemake: Clone) -> None:
    clone = through_snakemake.copy(tmp_path / "clone")
    clone.edit_params("ensemble", {"bootstrap_samples": 150})
    clone.gate.touch()
    first = Run(clone, "snakemake", "--cores", "1")
    assert first.until(lambda: list(first.events())), first.output
    refused = clone.snakemake(fails=True)
    assert f"another Snakemake (PID {first.process.pid}) runs in this folder: wait until it ends" in refused
    same_stage = clone.run("dvc", "repro", "--single-item", "check_params", fails=True)
    assert "is busy, it is being blocked by" in same_stage
    clone.gate.unlink()
    assert first.process.wait(300) == 0, first.output
    assert clone.started() == ["bundle", "check_params", "ensemble", "report"]

    clone.edit_params("ensemble", {"bootstrap_samples": 200})
    clone.gate.touch()
    first = Run(clone, "dvc", "repro")
    assert first.until(lambda: list(first.events())), first.output
    refused = clone.snakemake(fails=True)
    assert f"(PID {first.process.pid}): wait until it ends" in refused
    assert "another process writes results/" in refused
    clone.gate.unlink()
    assert first.process.wait(300) == 0, first.output
    assert clone.started() == ["bundle", "check_params", "ensemble", "report"]
    clone.assert_nothing_to_do()


def test_locks_that_killed_runs_left_stop_nobody(tmp_path: Path, through_snakemake: Clone) -> None:
    clone = through_snakemake.copy(tmp_path / "clone")
    # The number of a killed DVC may be another process's by now; and a list may be half-written.
    entry = {"pid": os.getpid(), "cmd": "dvc repro"}
    weights = str(clone.path / "results/models/first/small_cnn/0.weights.h5")
    for left in (f'{{"write": {{"{weights}": {json.dumps(entry)}}}, "read": {{}}}}', '{"write": {"/some'):
        (clone.path / ".dvc/tmp/rwlock").write_text(left)
        (clone.path / "results/models/first/small_cnn/0.weights.h5").unlink()
        clone.snakemake()
    clone.assert_nothing_to_do()


def test_a_lock_file_that_a_killed_dvc_left_half_written_is_named(tmp_path: Path, through_snakemake: Clone) -> None:
    clone = through_snakemake.copy(tmp_path / "clone")
    lock = clone.path / "dvc.lock"
    whole = lock.read_bytes()
    lock.write_bytes(whole[: whole.rindex(b"size:") + 2])
    said = clone.snakemake("--dry-run", fails=True)
    assert "dvc.lock'" in said
    assert ": was a `dvc repro` killed while it wrote it? `git checkout` it, or remove it" in said
    lock.unlink()
    clone.started()
    clone.snakemake()
    assert clone.started() == ["check_params"]
    assert YAML(typ="safe").load(lock) == YAML(typ="safe").load(whole)


def test_where_results_come_from_lies_beside_them(tmp_path: Path, through_snakemake: Clone) -> None:
    first = json.loads((through_snakemake.path / "results/provenance.json").read_text())
    locked = YAML(typ="safe").load(through_snakemake.path / "dvc.lock")["stages"]["ingest"]["deps"]
    data, labels = (
        next(dep["md5"] for dep in locked if dep["path"] == path) for path in ("data/demo/dataset", "labels")
    )
    assert first["data"] == {"root": "data/demo/dataset", "md5": data}
    assert first["labels"] == {"folder": "labels", "md5": labels}
    assert first["packages"]["keras"] == keras.__version__
    scores = (through_snakemake.path / "results/scores/ensemble.csv").read_bytes()
    assert first["scores"] == hashlib.md5(scores, usedforsecurity=False).hexdigest()
    assert set(first["jobs"]) == {
        f"{stage}@first-small_cnn-{fold}" for stage in ("train", "predict") for fold in (0, 1)
    }
    # The clone's first commit: its second holds the results.
    commit = through_snakemake.run("git", "rev-parse", "HEAD~1").strip()
    for job in first["jobs"].values():
        assert job["device"].startswith("CPU: ")
        assert (job["commit"], job["dirty"], job["threads"]) == (commit, False, 1)
        assert job["backend"] == "tensorflow"
        assert (job["versions"]["keras"], job["versions"]["tensorflow"]) == (keras.__version__, tf.__version__)
    assert (first["commit"], first["dirty"]) == (commit, False)

    # What was pulled or restored was not computed here, and edits make a tree dirty.
    clone = through_snakemake.copy(tmp_path / "clone")
    clone.edit_params("ensemble", {"bootstrap_samples": 101})
    (clone.path / "results/provenance/train@first-small_cnn-0.json").unlink()
    # A model keeps the versions that trained it, whatever is installed now.
    note = clone.path / "results/provenance/train@first-small_cnn-1.json"
    old = first["jobs"]["train@first-small_cnn-1"]["versions"] | {"tensorflow": "2.0.0"}
    note.write_text(json.dumps(json.loads(note.read_text()) | {"versions": old}))
    clone.snakemake()
    second = json.loads((clone.path / "results/provenance.json").read_text())
    assert second["dirty"]
    assert second["parameters"] != first["parameters"]
    assert second["jobs"]["train@first-small_cnn-0"] is None
    assert second["jobs"]["train@first-small_cnn-1"]["versions"] == old
    for stage in ("predict@first-small_cnn-0", "predict@first-small_cnn-1"):
        assert second["jobs"][stage] == first["jobs"][stage]
    metrics = (clone.path / "results/figures.json").read_text()
    assert commit not in metrics
