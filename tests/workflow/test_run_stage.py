"""Jobs keep dvc.lock as DVC does, and stop no other job, however they end."""

import json
import os
from pathlib import Path

import pytest
from clone import Clone
from dvc.utils.serialize import load_yaml, modify_yaml
from tiny import ROOT

from dawnchorus.workflow.run_stage import find_entry, replace_entry

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

    def list_writer(command: str) -> None:
        """As if a living process, this one, wrote the constant."""
        listed.write_text(json.dumps({"write": {str(constant): {"pid": os.getpid(), "cmd": command}}}))

    # An earlier attempt at the same job is over, though its number may be another process's by now.
    list_writer(f"{clone.path}/src/dawnchorus/workflow/run_stage.py check_params")
    clone.run(*job)
    assert constant.exists()
    # Anybody else counts.
    constant.unlink()
    list_writer("dvc repro")
    said = clone.run(*job, fails=True)
    assert "is busy, it is being blocked by" in said
    assert f"(PID {os.getpid()}): dvc repro" in said
