"""Training jobs that were interrupted: the state after the last finished epoch, kept outside of all outputs."""

import hashlib
import json
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dawnchorus.files import replacing

# Libraries whose versions may change the last bits of a training.
LIBRARIES = ("jax", "keras", "numpy", "scipy", "tensorflow")


class Checkpoint:
    """The folder of one job: `epoch-<n>/` with its state after that epoch, and `kept/` for what is to last."""

    def __init__(self, folder: Path) -> None:
        """Take a folder that belongs to this job alone; it need not exist."""
        self._folder = folder

    @property
    def kept(self) -> Path:
        """A folder for files of earlier epochs that the job hands over when it is done."""
        return self._folder / "kept"

    def latest(self) -> tuple[int, Path] | None:
        """The last finished epoch, from 1, and the folder of its state; None where there is none."""
        found = {int(path.name.removeprefix("epoch-")): path for path in self._folder.glob("epoch-*")}
        return max(found.items(), default=None)

    @contextmanager
    def saving(self, epoch: int) -> Iterator[Path]:
        """Give an empty folder for the state after an epoch, from 1; when it is complete, earlier ones go."""
        earlier = list(self._folder.glob("epoch-*"))
        with replacing(self._folder / f"epoch-{epoch}") as state:
            state.mkdir()
            yield state
        for path in earlier:
            shutil.rmtree(path)

    def remove(self) -> None:
        """Remove the folder: the job is done, or its state is damaged."""
        if self._folder.exists():
            shutil.rmtree(self._folder)


def fingerprint(settings: str, files: Iterable[Path], folders: Iterable[Path]) -> str:
    """A hash of all that a job depends on, so that no job goes on with another's state.

    Beside what is given, the modules of the package that this process has imported, its script and the versions of
    libraries count.

    Args:
        settings: parameters and whatever else tells jobs apart.
        files: their contents count.
        folders: names, sizes and times of the files in them count.
    """
    versions = [sys.version, *(sys.modules[name].__version__ for name in LIBRARIES if name in sys.modules)]
    digest = hashlib.sha256(json.dumps([settings, versions]).encode())
    ours = [name for name in sorted(sys.modules) if name == "__main__" or name.startswith("dawnchorus")]
    modules = [Path(file) for name in ours if (file := getattr(sys.modules[name], "__file__", None))]
    for path in (*modules, *files):
        content = path.read_bytes()
        digest.update(f"{path.name} {len(content)}\n".encode() + content)
    for folder in folders:
        for path in sorted(folder.iterdir()):
            found = path.stat()
            digest.update(f"{path.name} {found.st_size} {found.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]
