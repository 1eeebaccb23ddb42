"""Snakemake runs stages with the Python of its own environment, whatever PATH says."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from clone import Clone

from dawnchorus.errors import InputError
from dawnchorus.workflow.interpreter import use_this_python

OURS = Path(sys.executable).parent


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A folder with the `python` of another environment, which has nothing installed."""
    folder = tmp_path / "foreign"
    folder.mkdir()
    python = folder / "python"
    python.write_text(f'#!/bin/sh\ncase "$*" in *sys.prefix*) echo {tmp_path};; *) exit 1;; esac\n')
    python.chmod(0o755)
    return folder


def test_an_active_environment_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", path := f"/somewhere:{OURS}:{os.environ['PATH']}")
    use_this_python()
    assert os.environ["PATH"] == path


def test_another_python_is_not_used(monkeypatch: pytest.MonkeyPatch, foreign: Path) -> None:
    for path in (str(foreign), f"{foreign}:{OURS}", "/nowhere"):
        monkeypatch.setenv("PATH", path)
        use_this_python()
        assert os.environ["PATH"] == f"{OURS}:{path}"


def test_an_environment_without_a_program_python_is_refused(
    monkeypatch: pytest.MonkeyPatch, foreign: Path, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(foreign))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin/python3"))
    with pytest.raises(InputError, match=rf"{tmp_path}/bin.* has no such program: run `make env` and `source .venv"):
        use_this_python()


@pytest.mark.slow
def test_snakemake_runs_without_activating_the_environment(
    through_snakemake: Clone, tmp_path: Path, foreign: Path
) -> None:
    clone = through_snakemake.copy(tmp_path / "clone")
    clone.edit_params("ensemble", {"bootstrap_samples": 150})
    subprocess.run(
        [OURS / "snakemake", "--cores", "2"], cwd=clone.path, check=True,
        env=clone.environment | {"PATH": f"{foreign}:/usr/bin:/bin"},
    )  # fmt: skip
    clone.assert_neither_engine_has_anything_to_do()
