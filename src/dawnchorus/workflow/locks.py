"""Locks: the run lock of the folder, and DVC's list of the processes that read and write outputs.

Only one Snakemake at a time may work in a folder. It holds the run lock until it ends, even if it is killed. DVC lists
readers and writers in .dvc/tmp/rwlock by process id and command, and looks the ids up in the process table of the
machine on which it runs. Jobs of a cluster share this file across machines. Therefore our jobs append to the command
the node, the start time of the process, and the Snakemake run. `rwlock` replaces DVC's function of that name in our
jobs:

- A process of this node is alive if its id is in use by a process with the same start time.
- A process of another node is not visible from here, so it counts as alive. The exception is an earlier attempt at the
  same stage in the same run: Snakemake starts an attempt only after the previous one has ended.
- A plain `dvc` records no node. On a local disk, this node's process table decides. On a file system that other
  machines may share, the process table can only prove that a process is alive, so all others count as alive too.

Only a job that takes its own locks removes the entries of ended processes. Planning removes nothing.
"""

import json
import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

import filelock
import psutil

from dawnchorus.errors import InputError
from dawnchorus.files import replacing

FOLDER = Path(".snakemake/dvc")
RUN_LOCK = FOLDER / "run.lock"
LIST = Path(".dvc/tmp/rwlock")
# The Snakemake run that started a job.
RUN_VARIABLE = "DAWNCHORUS_RUN"
# Tolerance for the start time of a process: it is computed from the system clock, so two readings can differ.
SECONDS_APART = 1.0
LOCAL_FILE_SYSTEMS = {"apfs", "btrfs", "ext2", "ext3", "ext4", "f2fs", "overlay", "tmpfs", "xfs", "zfs"}

User = dict[str, Any]  # an entry of DVC's list: {"pid": ..., "cmd": ...}
Users = dict[str, dict[str, Any]]  # {"write": {path: user}, "read": {path: [users]}}


class State(Enum):
    """Whether a listed process is alive."""

    ALIVE = "alive"
    ENDED = "ended"
    UNKNOWN = "unknown"


def hold_folder() -> filelock.FileLock:
    """Acquire this folder's run lock. It lasts until the process ends or the returned lock is released.

    Raises:
        InputError: another Snakemake holds the lock.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    holder = FOLDER / "run.pid"
    lock = filelock.FileLock(RUN_LOCK, timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout as error:
        raise InputError(
            f"another Snakemake (PID {holder.read_text()}) runs in this folder: wait until it ends, or end it; "
            "there is no need to unlock anything afterwards"
        ) from error
    holder.write_text(str(os.getpid()))
    return lock


def this_process(stage: str) -> User:
    """The list entry of this process while it runs a stage."""
    started = psutil.Process().create_time()
    run = os.environ.get(RUN_VARIABLE, "none")
    owner = f"(node {socket.gethostname()}, started {started:.2f}, run {run})"
    return {"pid": os.getpid(), "cmd": f"run_stage {stage} {owner}"}


def state(user: User, local: bool) -> State:
    """Find out on this machine whether a listed process is alive.

    Args:
        user: entry of DVC's list.
        local: whether the list is on a local file system, so that all entries are of this machine.
    """
    owner = re.search(r" \(node (\S+), started ([\d.]+), run \S+\)$", user["cmd"])
    if owner and owner[1] != socket.gethostname():
        return State.UNKNOWN
    try:
        process = psutil.Process(user["pid"])
        if process.status() == psutil.STATUS_ZOMBIE:
            return State.ENDED if owner or local else State.UNKNOWN
        if owner:
            same = abs(process.create_time() - float(owner[2])) < SECONDS_APART
            return State.ALIVE if same else State.ENDED
        command = " ".join(process.cmdline())
    except psutil.AccessDenied:
        # The process of another user, possibly a colleague's DVC in this folder.
        return State.ALIVE
    except psutil.NoSuchProcess:
        return State.ENDED if owner or local else State.UNKNOWN
    # DVC's list has the program's path, the process table may have `python -m`. The arguments are the same in both.
    if "dvc" in command or command.endswith(user["cmd"].partition(" ")[2]):
        return State.ALIVE
    return State.ENDED if local else State.UNKNOWN


@cache
def is_local(path: Path) -> bool:
    """Whether a path is on a file system that other machines cannot share."""
    mounts = {Path(mount.mountpoint): mount.fstype for mount in psutil.disk_partitions(all=True)}
    resolved = path.resolve()
    return next((mounts[above] for above in [resolved, *resolved.parents] if above in mounts), "") in LOCAL_FILE_SYSTEMS


def overlap(one: str, other: str) -> bool:
    """Whether two paths of the same form are equal, or one is a folder that contains the other."""
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")


def _entries(users: Users, kind: str) -> Iterator[tuple[str, User]]:
    for path, listed in users[kind].items():
        for user in listed if isinstance(listed, list) else [listed]:
            yield path, user


def refuse_writers(root: Path, hardlink: bool) -> None:
    """Refuse to run while another process writes outputs, such as a `dvc repro` or a job that outlived its Snakemake.

    DVC's list is not changed.

    Args:
        root: the project's folder.
        hardlink: DVC's setting `core.hardlink_lock`.

    Raises:
        InputError: another process writes outputs, or may write them.
    """
    local = is_local(root)
    # A plain DVC overwrites the list in place, so read it under DVC's lock.
    with _guard(root / LIST, hardlink):
        users = _read_list(root / LIST)
    for path, user in _entries(users, "write"):
        found = state(user, local)
        name = os.path.relpath(path, root)
        who = f"{user['cmd']} (PID {user['pid']})"
        if found is State.ALIVE:
            raise InputError(f"another process writes {name}: {who}: wait until it ends, or end it")
        if found is State.UNKNOWN:
            raise InputError(f"another process may write {name}: {who}: {_remedy(root / LIST)}")


def _remedy(path: Path) -> str:
    return (
        f"whether it still runs cannot be seen from {socket.gethostname()}. If it runs, wait until it ends, or end it; "
        f"if it does not, remove {path} while nothing runs in this folder"
    )


def _read_list(path: Path) -> Users:
    """Read DVC's list. A half-written list, left by a killed DVC, counts as empty."""
    try:
        users = json.loads(path.read_text()) if path.exists() else {}
    except json.JSONDecodeError:
        users = {}
    return {"write": users.get("write", {}), "read": users.get("read", {})}


def _guard(path: Path, hardlink: bool) -> Any:
    """DVC's lock of its list. Acquiring it waits until it is free."""
    from dvc.lock import make_lock

    guard = str(path.with_name("rwlock.lock"))
    return make_lock(guard, tmp_dir=str(path.parent), hardlink_lock=hardlink, wait=True)


@contextmanager
def edited_list(path: Path, hardlink: bool) -> Iterator[Users]:
    """Edit DVC's list under DVC's lock. The file is replaced atomically, in DVC's format.

    Args:
        path: path of the list.
        hardlink: DVC's setting `core.hardlink_lock`.
    """
    with _guard(path, hardlink):
        users = _read_list(path)
        yield users
        with replacing(path) as new:
            new.write_text(json.dumps(users))


def remove_ended(users: Users, mine: User, local: bool) -> None:
    """Remove the entries of ended processes, and of earlier attempts at the same stage in the same Snakemake run."""

    def attempt(user: User) -> tuple[str, ...]:
        found = re.search(r"^run_stage (.*) \(node .*, run (\S+)\)$", user["cmd"])
        return found.groups() if found and found[2] != "none" else ()

    @cache
    def ended(pid: int, cmd: str) -> bool:
        user = {"pid": pid, "cmd": cmd}
        found = state(user, local)
        earlier = user != mine and attempt(user) != () and attempt(user) == attempt(mine)
        return found is State.ENDED or (found is State.UNKNOWN and earlier)

    users["write"] = {path: user for path, user in users["write"].items() if not ended(user["pid"], user["cmd"])}
    reads = {
        path: [user for user in several if not ended(user["pid"], user["cmd"])]
        for path, several in users["read"].items()
    }
    users["read"] = {path: several for path, several in reads.items() if several}


def refuse_blockers(users: Users, mine: User, read: list[str], write: list[str], local: bool, path: Path) -> None:
    """Refuse to run if another process writes what this one reads or writes, or reads what this one writes.

    Args:
        users: the list, without ended processes.
        mine: the entry of this process.
        read: absolute paths that this process reads.
        write: absolute paths that this process writes.
        local: whether the list is on a local file system.
        path: path of the list, for the message.

    Raises:
        LockError: another process uses a path. DVC prints this error without a traceback.
    """
    from dvc.lock import LockError

    for kind, wanted in (("write", [*read, *write]), ("read", write)):
        for used, user in _entries(users, kind):
            if user == mine:
                continue
            for each in wanted:
                if overlap(used, each):
                    hint = "" if state(user, local) is State.ALIVE else f"; {_remedy(path)}"
                    raise LockError(
                        f"'{each}' is busy, it is being blocked by (PID {user['pid']}): {user['cmd']}{hint}"
                    )


@contextmanager
def rwlock(stage: str, tmp_dir: str, read: list[str], write: list[str], hardlink: bool) -> Iterator[None]:
    """List this process as a reader and writer of paths while the context is active.

    Args:
        stage: address of the stage that this process runs.
        tmp_dir: DVC's folder of temporary files.
        read: absolute paths that it reads.
        write: absolute paths that it writes.
        hardlink: DVC's setting `core.hardlink_lock`.
    """
    path = Path(tmp_dir, LIST.name)
    mine, local = this_process(stage), is_local(path.parent)
    with edited_list(path, hardlink) as users:
        remove_ended(users, mine, local)
        refuse_blockers(users, mine, read, write, local, path)
        # DVC nests these contexts. Each context releases only what it added.
        reads = [name for name in dict.fromkeys(read) if mine not in users["read"].get(name, [])]
        writes = [name for name in dict.fromkeys(write) if users["write"].get(name) != mine]
        for name in reads:
            users["read"].setdefault(name, []).append(mine)
        users["write"] |= dict.fromkeys(writes, mine)
    try:
        yield
    finally:
        with edited_list(path, hardlink) as users:
            for name in writes:
                if users["write"].get(name) == mine:
                    del users["write"][name]
            for name in reads:
                left = [user for user in users["read"].get(name, []) if user != mine]
                users["read"].pop(name, None)
                if left:
                    users["read"][name] = left


@contextmanager
def unlisted() -> Iterator[None]:
    """Let DVC inspect stages without listing this process, and without removing entries of other processes."""
    import dvc.rwlock

    @contextmanager
    def nothing(*_: Any) -> Iterator[None]:
        yield

    listing = dvc.rwlock.rwlock
    dvc.rwlock.rwlock = nothing
    try:
        yield
    finally:
        dvc.rwlock.rwlock = listing
