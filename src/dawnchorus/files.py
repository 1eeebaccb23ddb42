"""Write files so that an incomplete one never has its final name."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dawnchorus.errors import InputError

# Characters at the end of a long name that a temporary name keeps.
KEPT = 20


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path for a file or folder, in the same folder as `path`; rename it to `path` on success.

    The temporary name begins with a dot and keeps the suffixes, from which libraries infer the format.

    Raises:
        InputError: a file was written where a folder has that name.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".writing.{path.name}")
    if len(os.fsencode(temporary.name)) > os.pathconf(path.parent, "PC_NAME_MAX"):
        digest = hashlib.blake2b(os.fsencode(path.name), digest_size=16).hexdigest()
        temporary = path.with_name(f".writing.{digest}{path.name[-KEPT:]}")
    _remove(temporary)
    try:
        yield temporary
        if path.is_dir():
            if not temporary.is_dir():
                raise InputError(
                    f"{path}: is a folder, and would be replaced by a file; name another file, or remove it"
                )
            shutil.rmtree(path)
        temporary.replace(path)
    except OSError as error:
        # The error for a full disk does not name the file.
        error.filename = error.filename or str(path)
        raise
    finally:
        _remove(temporary)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
