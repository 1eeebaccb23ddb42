"""Who may write what: this folder's run lock, and DVC's list of the processes that read and write outputs.

One Snakemake at a time works in a folder; it holds the run lock until it ends, however it ends. DVC lists readers and
writers in .dvc/tmp/rwlock, each as a process id and a command, and judges them by the process table of the machine that
asks. Jobs of a cluster share that file across machines, so ours append to the command the node, the time at which the
process started, and the Snakemake run. `rwlock` replaces DVC's function of that name for our jobs:

- A process of this node is alive if its id is in use by a process that started at the same time.
- A process of another node cannot be seen from here, so it counts as alive. The exception is an earlier attempt at the
  same stage in the same run: Snakemake starts an attempt when the one before has ended.
- A plain `dvc` records no node. On a local disk this node's process table decides. On a file system that other machines
  may share, only a living one is certain, so any other counts as alive.

Only a job that takes its own locks removes entries of ended processes. Planning removes nothing.
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
# Names the Snakemake run that started a job.
RUN_VARIABLE = "DAWNCHORUS_RUN"
# Of two readings of the time at which a process started: it is computed from the system's clock.
SECONDS_APART = 1.0
LOCAL_FILE_SYSTEMS = {"apfs", "btrfs", "ext2", "ext3", "ext4", "f2fs", "overlay", "tmpfs", "xfs", "zfs"}

User = dict[str, Any]  # as DVC lists it: {"pid": ..., "cmd": ...}
Users = dict[str, dict[str, Any]]  # {"write": {path: user}, "read": {path: [users]}}


class State(Enum):
    """What is known of a listed process."""

    ALIVE = "alive"
    ENDED = "ended"
    UNKNOWN = "unknown"


def hold_folder() -> filelock.FileLock:
    """Take this folder's run lock; it lasts until the process ends or the returned lock is released.

    Raises:
        InputError: another Snakemake holds it.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    holder = FOLDER / "run.pid"
    lock = filelock.FileLock(RUN_LOCK, timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout as error:
        raise InputError(
            f"another Snakemake (PID {holder.read_text()}) runs in this folder: wait until it ends, or end it; "
            "nothing has to be unlocked afterwards"
        ) from error
    holder.write_text(str(os.getpid()))
    return lock


def this_process(stage: str) -> User:
    """This process as it is listed while it runs a stage."""
    started = psutil.Process().create_time()
    run = os.environ.get(RUN_VARIABLE, "none")
    owner = f"(node {socket.gethostname()}, started {started:.2f}, run {run})"
    return {"pid": os.getpid(), "cmd": f"run_stage {stage} {owner}"}


def state(user: User, local: bool) -> State:
    """What this machine knows of a listed process.

    Args:
        user: as DVC lists it.
        local: whether no other machine can have written the list.
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
        # Another user's: it may be a colleague's DVC in this folder.
        return State.ALIVE
    except psutil.NoSuchProcess:
        return State.ENDED if owner or local else State.UNKNOWN
    # DVC's list has the program as a path, the process table perhaps as `python -m`; both have its arguments.
    if "dvc" in command or command.endswith(user["cmd"].partition(" ")[2]):
        return State.ALIVE
    return State.ENDED if local else State.UNKNOWN


@cache
def is_local(path: Path) -> bool:
    """Whether a path lies on a file system that no other machine can share."""
    mounts = {Path(mount.mountpoint): mount.fstype for mount in psutil.disk_partitions(all=True)}
    resolved = path.resolve()
    return next((mounts[above] for above in [resolved, *resolved.parents] if above in mounts), "") in LOCAL_FILE_SYSTEMS


def overlap(one: str, other: str) -> bool:
    """Whether two absolute paths are the same, or one is a folder that holds the other."""
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")


def _entries(users: Users, kind: str) -> Iterator[tuple[str, User]]:
    for path, listed in users[kind].items():
        for user in listed if isinstance(listed, list) else [listed]:
            yield path, user


def refuse_writers(root: Path, hardlink: bool) -> None:
    """Make sure that nobody writes outputs: a `dvc repro`, or a job that outlived its Snakemake. Changes nothing.

    Args:
        root: the project's folder.
        hardlink: whether DVC locks by links, as `core.hardlink_lock` says.

    Raises:
        InputError: another process writes, or may.
    """
    local = is_local(root)
    # A plain DVC writes the list in place.
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
    """DVC's list; empty where a DVC was killed while it wrote it, for then no later one can have changed it."""
    try:
        users = json.loads(path.read_text()) if path.exists() else {}
    except json.JSONDecodeError:
        users = {}
    return {"write": users.get("write", {}), "read": users.get("read", {})}


def _guard(path: Path, hardlink: bool) -> Any:
    """DVC's lock of its list, which waits for its turn."""
    from dvc.lock import make_lock

    guard = str(path.with_name("rwlock.lock"))
    return make_lock(guard, tmp_dir=str(path.parent), hardlink_lock=hardlink, wait=True)


@contextmanager
def edited_list(path: Path, hardlink: bool) -> Iterator[Users]:
    """Change DVC's list, in DVC's form, while nobody else does; a new file takes the old one's name.

    Args:
        path: of the list.
        hardlink: whether DVC locks by links.
    """
    with _guard(path, hardlink):
        users = _read_list(path)
        yield users
        with replacing(path) as new:
            new.write_text(json.dumps(users))


def remove_ended(users: Users, mine: User, local: bool) -> None:
    """Remove the entries of processes that have ended, and of earlier attempts at this process's stage in its run."""

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
    """Make sure that nobody writes what this process reads or writes, or reads what it writes.

    Args:
        users: the list, without ended processes.
        mine: this process.
        read: absolute paths.
        write: absolute paths.
        local: whether no other machine can have written the list.
        path: of the list, for the message.

    Raises:
        LockError: DVC's, which it prints without a traceback.
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
    """List this process as a reader and writer of paths as long as the block lasts.

    Args:
        stage: address of the stage that it runs.
        tmp_dir: DVC's folder of temporary files.
        read: absolute paths.
        write: absolute paths.
        hardlink: whether DVC locks by links.
    """
    path = Path(tmp_dir, LIST.name)
    mine, local = this_process(stage), is_local(path.parent)
    with edited_list(path, hardlink) as users:
        remove_ended(users, mine, local)
        refuse_blockers(users, mine, read, write, local, path)
        # DVC's blocks lie within each other: each releases only what it added.
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
    """Let DVC look at stages without listing this process, and without removing entries of others."""
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
