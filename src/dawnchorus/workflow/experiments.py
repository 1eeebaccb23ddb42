"""Experiments that run in a temporary copy of the project: `dvc exp run --temp`, and those of DVC's queue.

DVC makes the copy from a commit and its cache, and removes it afterwards, also if the experiment was interrupted.
"""

import os
from pathlib import Path

from dawnchorus.errors import InputError

# The stage `synthesize` makes this folder.
EMBEDDED = Path("data/demo/dataset")
# States of interrupted trainings in temporary copies, below the project's folder.
CHECKPOINTS = Path(".dvc/tmp/checkpoints")


def project_of_copy() -> Path | None:
    """The folder of the project, if the working directory is a temporary copy of it; else None."""
    # DVC sets it for each stage's command, in a copy to the project.
    project = Path(os.environ.get("DVC_ROOT", os.curdir)).resolve()
    return project if project / ".dvc/tmp" in Path.cwd().parents else None


def lasting_checkpoints() -> Path | None:
    """The folder for states of trainings that outlives the temporary copy in which this process runs, if it does."""
    project = project_of_copy()
    return project and project / CHECKPOINTS


def require_folder(key: str, folder: str) -> None:
    """Refuse a folder of the data set that does not exist, unless a stage or `dvc pull` makes it.

    DVC's own message would be "[Errno 2] No such file or directory".

    Args:
        key: the parameter that names it.
        folder: its path; a relative one is relative to the working directory.

    Raises:
        InputError: there is no such folder.
    """
    path = Path(os.path.normpath(folder))
    tracked = any(Path(f"{each}.dvc").exists() for each in (path, *path.parents))
    if path.exists() or path == EMBEDDED or tracked:
        return
    project = project_of_copy()
    if project is None or not (project / path).exists():
        raise InputError(
            f"params.yaml: {key}: found {folder!r}, but there is no such folder; correct the path, or create the folder"
        )
    raise InputError(
        f"params.yaml: {key}: {folder!r} is missing in the temporary copy of the project in which this experiment "
        f"runs, because git does not track it; set {key} to the absolute path, {(project / path).resolve()}, or "
        "run the experiment without `--temp` and `--queue`, or track the folder with `dvc add`"
    )
