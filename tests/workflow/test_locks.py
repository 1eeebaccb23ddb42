"""Who may write what: processes are told apart by node, process id and start time."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from dvc.lock import LockError

from dawnchorus.errors import InputError
from dawnchorus.workflow import locks
from dawnchorus.workflow.locks import State, hold_folder, is_local, overlap, refuse_writers, rwlock, state, this_process

THIS, OTHER = "login", "node7"
NOBODY = 4_194_305  # above Linux's highest process id


@pytest.fixture(autouse=True)
def on_this_node(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with a name of the tests' own."""
    monkeypatch.setattr(socket, "gethostname", lambda: THIS)
    monkeypatch.delenv("DAWNCHORUS_RUN", raising=False)


@pytest.fixture
def tmp_dir(tmp_path: Path) -> Path:
    """A project's .dvc/tmp."""
    folder = tmp_path / ".dvc/tmp"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every folder lies on a file system that other machines share."""
    monkeypatch.setattr(locks, "is_local", lambda _: False)


@pytest.fixture
def a_dvc() -> Iterator[int]:
    """The number of a living process that looks like a DVC."""
    with subprocess.Popen([sys.executable, "-c", "input()", "dvc", "repro"], stdin=subprocess.PIPE) as process:
        yield process.pid
        process.communicate(b"\n")


def job(node: str, stage: str = "train@a-0", run: str = "none", pid: int = 1, started: float = 1.0) -> dict[str, Any]:
    return {"pid": pid, "cmd": f"run_stage {stage} (node {node}, started {started}, run {run})"}


def write_list(tmp_dir: Path, write: dict[str, Any], read: dict[str, Any] | None = None) -> bytes:
    content = json.dumps({"write": write, "read": read or {}}).encode()
    (tmp_dir / "rwlock").write_bytes(content)
    return content


def listed(tmp_dir: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((tmp_dir / "rwlock").read_text())
    return content


def test_a_job_is_known_by_node_number_and_start() -> None:
    mine = this_process("train@a-0")
    assert state(mine, local=False) is State.ALIVE
    # The number is another process's by now.
    started = psutil.Process().create_time()
    assert state(job(THIS, pid=os.getpid(), started=started - 60), local=False) is State.ENDED
    assert state(job(THIS, pid=NOBODY), local=False) is State.ENDED
    # Processes of another node are not in this node's table, whatever their numbers.
    for pid in (os.getpid(), NOBODY):
        assert state(job(OTHER, pid=pid, started=started), local=True) is State.UNKNOWN


def test_a_process_that_has_ended_and_not_been_waited_for_is_over() -> None:
    with subprocess.Popen(["true"]) as process:
        started = psutil.Process(process.pid).create_time()
        while psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE:
            pass
        assert state(job(THIS, pid=process.pid, started=started), local=True) is State.ENDED


def test_a_plain_dvc_is_alive_unless_only_this_machine_can_have_started_it(a_dvc: int) -> None:
    for local, otherwise in ((True, State.ENDED), (False, State.UNKNOWN)):
        assert state({"pid": a_dvc, "cmd": "/bin/dvc repro"}, local) is State.ALIVE
        assert state({"pid": NOBODY, "cmd": "/bin/dvc repro"}, local) is otherwise
        # This process is no DVC.
        assert state({"pid": os.getpid(), "cmd": "/bin/dvc repro"}, local) is otherwise


def test_a_local_disk_is_told_from_a_shared_file_system(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    mounts = [("/", "ext4"), (str(tmp_path), "nfs4"), (str(tmp_path / "scratch"), "xfs")]
    parts = [SimpleNamespace(mountpoint=mount, fstype=kind) for mount, kind in mounts]
    monkeypatch.setattr(psutil, "disk_partitions", lambda all: parts)  # noqa: A006
    is_local.cache_clear()
    assert is_local(Path("/etc"))
    assert not is_local(tmp_path / "project/.dvc/tmp")
    assert is_local(tmp_path / "scratch/project")
    is_local.cache_clear()


def test_folders_overlap_with_what_lies_in_them() -> None:
    assert overlap("/a/b", "/a/b")
    assert overlap("/a/b", "/a/b/c")
    assert overlap("/a/b/c", "/a/b")
    assert not overlap("/a/b", "/a/bc")


def test_planning_names_a_living_writer_and_changes_nothing(tmp_dir: Path, tmp_path: Path, a_dvc: int) -> None:
    before = write_list(tmp_dir, {f"{tmp_path}/results/x": {"pid": a_dvc, "cmd": "/bin/dvc repro"}})
    with pytest.raises(InputError) as refused:
        refuse_writers(tmp_path, hardlink=False)
    assert str(refused.value) == (
        f"another process writes results/x: /bin/dvc repro (PID {a_dvc}): wait until it ends, or end it"
    )
    assert (tmp_dir / "rwlock").read_bytes() == before


@pytest.mark.parametrize("writer", [job(OTHER), {"pid": NOBODY, "cmd": "/bin/dvc repro"}])
@pytest.mark.usefixtures("shared")
def test_planning_says_what_to_remove_where_a_writer_cannot_be_seen(
    tmp_dir: Path, tmp_path: Path, writer: dict[str, Any]
) -> None:
    before = write_list(tmp_dir, {f"{tmp_path}/results/x": writer})
    with pytest.raises(InputError, match="another process may write results/x") as refused:
        refuse_writers(tmp_path, hardlink=False)
    assert f"cannot be seen from {THIS}" in str(refused.value)
    assert f"if it does not, remove {tmp_dir}/rwlock while nothing runs in this folder" in str(refused.value)
    assert (tmp_dir / "rwlock").read_bytes() == before


def test_planning_passes_over_ended_writers_readers_and_half_a_list(tmp_dir: Path, tmp_path: Path) -> None:
    refuse_writers(tmp_path, hardlink=False)
    ended = {f"{tmp_path}/x": job(THIS, pid=NOBODY), f"{tmp_path}/y": {"pid": NOBODY, "cmd": "dvc repro"}}
    before = write_list(tmp_dir, ended, {f"{tmp_path}/z": [job(OTHER)]})
    refuse_writers(tmp_path, hardlink=False)
    assert (tmp_dir / "rwlock").read_bytes() == before
    (tmp_dir / "rwlock").write_bytes(before[:-20])
    refuse_writers(tmp_path, hardlink=False)
    assert (tmp_dir / "rwlock").read_bytes() == before[:-20]


def test_a_job_lists_itself_in_dvcs_form_as_long_as_it_runs(tmp_dir: Path) -> None:
    from dvc.rwlock import SCHEMA

    ended, elsewhere = job(THIS, pid=NOBODY), job(OTHER)
    write_list(tmp_dir, {"/x": ended, "/far": elsewhere}, {"/data": [ended, elsewhere], "/old": [ended]})
    mine = this_process("train@b-0")
    with rwlock("train@b-0", str(tmp_dir), ["/data"], ["/x"], hardlink=False):
        assert SCHEMA(listed(tmp_dir)) == {
            "write": {"/far": elsewhere, "/x": mine},
            "read": {"/data": [elsewhere, mine]},
        }
        # A block within releases nothing of the outer one's.
        with rwlock("train@b-0", str(tmp_dir), ["/data", "/x"], ["/x"], hardlink=False):
            assert listed(tmp_dir)["read"]["/x"] == [mine]
        assert listed(tmp_dir) == {"write": {"/far": elsewhere, "/x": mine}, "read": {"/data": [elsewhere, mine]}}
    assert listed(tmp_dir) == {"write": {"/far": elsewhere}, "read": {"/data": [elsewhere]}}


@pytest.mark.parametrize("kind", ["read", "write"])
def test_a_job_evicts_no_living_holder_even_of_the_same_stage(tmp_dir: Path, kind: str) -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as process:
        holder = job(THIS, pid=process.pid, started=psutil.Process(process.pid).create_time())
        write, read = ({"/x": holder}, {}) if kind == "write" else ({}, {"/x/y": [holder]})
        before = write_list(tmp_dir, write, read)
        with (
            pytest.raises(LockError, match=rf"'/x' is busy, it is being blocked by \(PID {process.pid}\)") as refused,
            rwlock("train@a-0", str(tmp_dir), [], ["/x"], hardlink=False),
        ):
            pass
        assert "remove" not in str(refused.value)
        assert json.loads(before) == listed(tmp_dir)
        process.communicate()


def test_an_attempt_of_the_same_run_follows_one_that_another_node_lost(
    tmp_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_list(tmp_dir, {"/x": job(OTHER, run="r1")}, {"/data": [job(OTHER, run="r1")]})
    # Of another run, another stage or none, it may still run.
    for run, stage in (("r2", "train@a-0"), ("r1", "train@a-1"), (None, "train@a-0")):
        if run:
            monkeypatch.setenv("DAWNCHORUS_RUN", run)
        else:
            monkeypatch.delenv("DAWNCHORUS_RUN")
        with (
            pytest.raises(LockError, match=rf"cannot be seen from {THIS}.*remove {tmp_dir}/rwlock"),
            rwlock(stage, str(tmp_dir), [], ["/x"], hardlink=False),
        ):
            pass
    monkeypatch.setenv("DAWNCHORUS_RUN", "r1")
    with rwlock("train@a-0", str(tmp_dir), ["/data"], ["/x"], hardlink=False):
        assert listed(tmp_dir)["write"] == {"/x": this_process("train@a-0")}
    assert listed(tmp_dir) == {"write": {}, "read": {}}


def test_a_second_snakemake_in_a_folder_is_told_of_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lock = hold_folder()
    with pytest.raises(InputError, match=rf"another Snakemake \(PID {os.getpid()}\) runs in this folder: wait until"):
        hold_folder()
    lock.release()
    hold_folder().release()
