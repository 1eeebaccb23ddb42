"""Locks on files that end with their process, also if it is killed, and that several processes may share."""

import fcntl
from pathlib import Path
from typing import IO

from dawnchorus.errors import InputError


def lock(path: Path, held: str | None, shared: bool = False) -> IO[str]:
    """Lock a file, which is created if it is missing.

    Args:
        path: the file, in an existing folder.
        held: the error's message where another process holds it; None to wait until it does not.
        shared: whether other processes may hold it too, if they also share it.

    Returns:
        The open file; the lock ends when it is closed.

    Raises:
        InputError: another process holds it, and `held` is a message; or the file system has no locks.
    """
    # On NFS, an exclusive lock needs a file that is open for writing, a shared one a file that is open for reading.
    file = path.open("a+", encoding="utf-8")
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (fcntl.LOCK_NB if held else 0))
    except OSError as error:
        file.close()
        if held and isinstance(error, BlockingIOError | PermissionError):
            raise InputError(held) from error
        raise InputError(
            f"{path}: cannot be locked: {error.strerror}; if its file system has no locks (`flock`), choose an output "
            "folder on another one"
        ) from error
    return file
