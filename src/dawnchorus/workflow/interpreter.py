"""The Python that stages run with."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from dawnchorus.errors import InputError


def use_this_python() -> None:
    """Put this process's environment first on PATH, unless `python` is of it already.

    The stages' commands begin with `python`. Without this, they would fail, or run with another environment's packages,
    where somebody calls `.venv/bin/snakemake` without activating the environment.

    Raises:
        InputError: this process's environment has no program `python`.
    """
    if _prefix_of_python() == sys.prefix:
        return
    folder = str(Path(sys.executable).parent)
    os.environ["PATH"] = os.pathsep.join([folder, os.environ.get("PATH", os.defpath)])
    if _prefix_of_python() != sys.prefix:
        raise InputError(
            f"stages run `python`, but {folder}, where this Snakemake is installed, has no such program: run `make "
            "env` and `source .venv/bin/activate`, then repeat the command"
        )


def _prefix_of_python() -> str | None:
    """The environment of the `python` that comes first on PATH; None if there is none."""
    python = shutil.which("python")
    if python is None:
        return None
    done = subprocess.run([python, "-c", "import sys; print(sys.prefix)"], capture_output=True, text=True)
    return done.stdout.strip()
