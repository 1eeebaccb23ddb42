"""Checkpoints: the state of a training job after its last completed epoch, stored outside all stage outputs."""

import hashlib
import json
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

from dawnchorus.files import replacing

# Libraries whose versions can change the last bits of trained weights.
LIBRARIES = ("jax", "keras", "numpy", "scipy", "tensorflow")


class Checkpoint:
    """The checkpoint folder of one job: `epoch-<n>/` has the state after epoch n, `kept/` has files to keep."""

    def __init__(self, folder: Path) -> None:
        """Use a folder that no other job uses. It does not need to exist."""
        self._folder = folder
        self._lock = filelock.FileLock(f"{folder}.lock", timeout=0)

    def lock(self) -> bool:
        """Reserve the folder until this process ends; False if the same job runs in another process."""
        self._folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire()
        except filelock.Timeout:
            return False
        return True

    @property
    def kept(self) -> Path:
        """Folder for files of earlier epochs that become outputs when the job is done."""
        return self._folder / "kept"

    def latest(self) -> tuple[int, Path] | None:
        """Return the last completed epoch, counted from 1, and the folder of its state; None if there is none."""
        found = {int(path.name.removeprefix("epoch-")): path for path in self._folder.glob("epoch-*")}
        return max(found.items(), default=None)

    @contextmanager
    def saving(self, epoch: int) -> Iterator[Path]:
        """Provide an empty folder for the state after an epoch, counted from 1.

        Earlier states are removed once this one is complete.
        """
        earlier = list(self._folder.glob("epoch-*"))
        with replacing(self._folder / f"epoch-{epoch}") as state:
            state.mkdir()
            yield state
        for path in earlier:
            shutil.rmtree(path)

    def remove(self) -> None:
        """Remove the folder, because the job is done or its state is damaged."""
        if self._folder.exists():
            shutil.rmtree(self._folder)


def fingerprint(settings: str, files: Iterable[Path], folders: Iterable[Path], by_content: bool = False) -> str:
    """Hash everything that a job depends on, so that no job resumes from another job's state.

    The hash also covers the imported modules of this package, the script, and the versions of Python and `LIBRARIES`.

    Args:
        settings: parameters and anything else that distinguishes jobs.
        files: files that are hashed by content.
        folders: folders whose files are hashed by name, size and modification time.
        by_content: whether to hash the content of these files instead of their modification times, which takes longer.

    Returns:
        16 hexadecimal digits.
    """
    versions = [sys.version, *(sys.modules[name].__version__ for name in LIBRARIES if name in sys.modules)]
    digest = hashlib.sha256(json.dumps([settings, versions]).encode())
    ours = [name for name in sorted(sys.modules) if name == "__main__" or name.startswith("dawnchorus")]
    modules = [Path(file) for name in ours if (file := getattr(sys.modules[name], "__file__", None))]
    for path in (*modules, *files):
        content = path.read_bytes()
        digest.update(f"{path.name} {len(content)}\n".encode() + content)
    for folder in folders:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            found, name = path.stat(), path.relative_to(folder)
            state = hashlib.sha256(path.read_bytes()).hexdigest() if by_content else found.st_mtime_ns
            digest.update(f"{name} {found.st_size} {state}\n".encode())
    return digest.hexdigest()[:16]
