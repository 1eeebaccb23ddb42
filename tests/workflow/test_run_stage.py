"""Jobs keep dvc.lock as DVC does, and stop no other job, however they end."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from clone import Clone
from dvc.utils.serialize import load_yaml, modify_yaml, parse_yaml
from tiny import ROOT

from dawnchorus.workflow.run_stage import find_entry, only_entry, replace_entry

TWO = "schema: '2.0'\nstages:\n  train@a-1:\n    cmd: x\n    deps:\n    - path: b\n  train@a-10:\n    cmd: y\n"


def test_a_stages_lines_end_where_the_next_stage_begins() -> None:
    found = find_entry(TWO, "train@a-1")
    assert found
    assert found[0] == "  train@a-1:\n    cmd: x\n    deps:\n    - path: b\n"
    assert find_entry(TWO, "rain@a-1") is None


def test_an_old_stage_keeps_its_place_and_a_new_one_comes_last() -> None:
    assert replace_entry(TWO, "train@a-1", "  train@a-1:\n    cmd: z\n") == (
        "schema: '2.0'\nstages:\n  train@a-1:\n    cmd: z\n  train@a-10:\n    cmd: y\n"
    )
    assert replace_entry(TWO, "new", "  new:\n    cmd: z\n") == TWO + "  new:\n    cmd: z\n"
    assert replace_entry("", "new", "  new:\n    cmd: z\n") == "schema: '2.0'\nstages:\n  new:\n    cmd: z\n"


def test_entries_stay_among_the_stages_whatever_else_the_file_holds() -> None:
    # A data set may have a stage's name, and its lines the form of an entry.
    datasets = "datasets:\n- name: x\n  train@a-1:\n    cmd: other\n"
    for text in (TWO + datasets, datasets + TWO):
        new = replace_entry(text, "new", "  new:\n    cmd: z\n")
        assert parse_yaml(new, "") == {
            **parse_yaml(text, ""), "stages": {**parse_yaml(TWO, "")["stages"], "new": {"cmd": "z"}}
        }  # fmt: skip
        changed = replace_entry(text, "train@a-1", "  train@a-1:\n    cmd: z\n")
        assert parse_yaml(changed, "")["stages"]["train@a-1"] == {"cmd": "z"}
        assert parse_yaml(changed, "")["datasets"] == parse_yaml(text, "")["datasets"]
        assert parse_yaml(only_entry(text, "train@a-10"), "") == {
            **parse_yaml(text, ""), "stages": {"train@a-10": {"cmd": "y"}}
        }  # fmt: skip
        assert "stages" not in parse_yaml(only_entry(text, "x"), "")
    without = f"schema: '2.0'\n{datasets}"
    assert find_entry(without, "train@a-1") is None
    for text in (without, "schema: '2.0'\nstages: {}\n" + datasets):
        new = parse_yaml(replace_entry(text, "new", "  new:\n    cmd: z\n"), "")
        assert new == {**parse_yaml(without, ""), "stages": {"new": {"cmd": "z"}}}


def test_every_stage_of_dvcs_own_lock_is_found_alone() -> None:
    text = (ROOT / "dvc.lock").read_text()
    stages = load_yaml(ROOT / "dvc.lock")["stages"]
    entries = [find_entry(text, stage) for stage in stages]
    assert "schema: '2.0'\nstages:\n" + "".join(entry[0] for entry in entries if entry) == text


@pytest.mark.slow
def test_the_lock_has_the_bytes_that_dvc_writes(through_snakemake: Clone, tmp_path: Path) -> None:
    for name in ("dvc.lock", "data/demo/dvc.lock"):
        written = (through_snakemake.path / name).read_bytes()
        (tmp_path / "dvc.lock").write_bytes(written)
        with modify_yaml(tmp_path / "dvc.lock") as content:
            assert content["stages"]
        assert (tmp_path / "dvc.lock").read_bytes() == written


# A job that is killed when it has changed the list and is about to write it.
KILLED = """
import json, os, runpy, signal, sys
json.dump = json.dumps = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
sys.argv = ["repro", "check_params"]
runpy.run_module("dawnchorus.workflow.run_stage", run_name="__main__")
"""


@pytest.mark.slow
def test_a_job_killed_while_it_lists_what_it_writes_stops_no_other(through_snakemake: Clone, tmp_path: Path) -> None:
    clone = through_snakemake.copy(tmp_path / "clone")
    constant = clone.path / "results/params_checked.txt"
    job = ("env", "PYTHONPATH=src", "python", "-m", "dawnchorus.workflow.run_stage", "check_params")
    constant.unlink()
    clone.run(*job[:3], "-c", KILLED, fails=True)
    listed = clone.path / ".dvc/tmp/rwlock"
    json.loads(listed.read_text())

    def list_writer(node: str, pid: int) -> None:
        """As if a job of another run wrote the constant, which began long ago."""
        command = f"run_stage check_params (node {node}, started 1.00, run x)"
        listed.write_text(json.dumps({"write": {str(constant): {"pid": pid, "cmd": command}}}))

    # The number of one that has ended may be another process's by now.
    list_writer(socket.gethostname(), os.getpid())
    clone.run(*job)
    assert constant.exists()
    # One on another node may still run.
    constant.unlink()
    list_writer("elsewhere", os.getpid())
    said = clone.run(*job, fails=True)
    assert f"is busy, it is being blocked by (PID {os.getpid()}): run_stage check_params (node elsewhere" in said
    assert f"remove {listed} while nothing runs in this folder" in said


# A job that is killed when it has made the folder of its run in DVC's cache, or written a part of the run.
KILLED_WHILE_IT_KEEPS_ITS_RUN = """
import os, runpy, signal, sys
from pathlib import Path
import dvc.utils.serialize

written, sys.argv = sys.argv[1], ["repro", "split_folds"]

def dump_yaml(path, data):
    if written:
        Path(path).write_text(written)
    os.kill(os.getpid(), signal.SIGKILL)

dvc.utils.serialize.dump_yaml = dump_yaml
runpy.run_module("dawnchorus.workflow.run_stage", run_name="__main__")
"""


@pytest.mark.slow
@pytest.mark.parametrize("written", ["", "cmd: x\n", "cmd: x\nde"])
def test_a_job_killed_while_it_keeps_its_run_is_done_again(
    through_snakemake: Clone, tmp_path: Path, written: str
) -> None:
    clone = through_snakemake.copy(tmp_path / "clone")
    clone.edit_params("seed", 7)
    clone.run("env", "PYTHONPATH=src", "python", "-c", KILLED_WHILE_IT_KEEPS_ITS_RUN, written, fails=True)
    runs = [path for path in (clone.path / ".dvc/cache/runs").glob("*/*") if not list(path.glob("[!.]*"))]
    assert len(runs) == 1
    clone.run("env", "PYTHONPATH=src", "python", "-m", "dawnchorus.workflow.run_stage", "split_folds")
    assert clone.started().count("split_folds") == 2
    # What was kept is found when the parameters come back.
    clone.edit_params("seed", 1)
    clone.run("dvc", "repro", "split_folds")
    clone.edit_params("seed", 7)
    clone.run("dvc", "repro", "split_folds")
    assert "split_folds" not in clone.started()


def until(happened: Callable[[], Any]) -> Any:
    """Wait until something is true, and return it."""
    deadline = time.monotonic() + 60
    while not (result := happened()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return result


@pytest.mark.slow
def test_a_cancelled_job_ends_its_command_and_leaves_no_lock(through_snakemake: Clone, tmp_path: Path) -> None:
    clone = through_snakemake.copy(tmp_path / "clone")
    (clone.path / "results/params_checked.txt").unlink()
    clone.edit_params("seed", 7)
    clone.gate.touch()
    job = subprocess.Popen(
        ["env", "PYTHONPATH=src", "python", "-m", "dawnchorus.workflow.run_stage", "check_params"],
        cwd=clone.path, env=clone.environment,
    )  # fmt: skip
    command = until(lambda: clone.started() and psutil.Process(job.pid).children(recursive=True))
    listed = clone.path / ".dvc/tmp/rwlock"
    (writer,) = json.loads(listed.read_text())["write"].values()
    assert writer["pid"] == job.pid
    job.send_signal(signal.SIGTERM)
    assert job.wait(60) == 128 + signal.SIGTERM
    assert not any(process.is_running() for process in command)
    assert json.loads(listed.read_text()) == {"write": {}, "read": {}}
    clone.gate.unlink()
    clone.snakemake()
