"""A clone of the project with the tiny experiment, driven by real calls of `snakemake`, `dvc` and `git`."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import soundfile
from ruamel.yaml import YAML
from tiny import ROOT, TINY

# Stage commands call `python`. This wrapper, first on PATH, logs each call and then executes the real Python. Stage
# commands wait while the gate file exists.
COUNTING_PYTHON = """#!/bin/sh
echo "$$ $*" >> "$STARTED"
case "$*" in *workflow/scripts/*) while [ -e "{gate}" ]; do sleep 0.1; done;; esac
exec {python} "$@"
"""


DATA = ["synthesize", "ingest", "split_folds", "cache_spectrograms test", "cache_spectrograms train",
        "cache_unlabelled", "fetch_weights small_cnn", "no_pseudo_labels"]  # fmt: skip
MODELS = [f"{stage} first small_cnn {fold}" for stage in ("predict", "train") for fold in (0, 1)]
# What follows from predictions.
RESULTS = ["bundle", "calibrate", "ensemble", "find_detections", "report"]
ALL = sorted(["check_params", *DATA, *MODELS, *RESULTS])


@dataclass
class Clone:
    """A working tree and the log of stage commands started in it."""

    path: Path
    _seen: int = 0
    # Edges of the stage graph, cached by the parameters that determine it.
    _edges: ClassVar[dict[str, list[tuple[str, str]]]] = {}

    @classmethod
    def new(cls, path: Path) -> "Clone":
        """Copy and commit the project's files as they are now, with the tiny experiment and without results."""
        files = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT, capture_output=True, text=True, check=True,
        ).stdout.splitlines()  # fmt: skip
        for name in files:
            if (ROOT / name).exists() and not name.endswith("dvc.lock") and not name.startswith("results/"):
                (path / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, path / name, follow_symlinks=False)
        clone = cls(path)
        for section, values in TINY.items():
            clone.edit_params(section, values)
        clone.run("git", "init", "--quiet")
        clone.commit("tiny experiment")
        return clone

    def copy(self, path: Path) -> "Clone":
        """Copy the clone with its modification times and DVC's cache."""
        shutil.copytree(self.path, path, symlinks=True)
        return Clone(path)

    def git_clone(self, path: Path) -> "Clone":
        """Clone with `git clone`, as a colleague would."""
        self.run("git", "clone", "--quiet", ".", str(path))
        return Clone(path)

    @property
    def _tools(self) -> Path:
        tools = self.path.parent / f"{self.path.name}-tools"
        tools.mkdir(exist_ok=True)
        return tools

    @property
    def gate(self) -> Path:
        """Path of the gate: while this file exists, stage commands wait at their start."""
        return self._tools / "gate"

    @property
    def environment(self) -> dict[str, str]:
        """Environment with the logging `python` first on PATH, and without this machine's git and DVC settings."""
        tools = self._tools
        python = tools / "python"
        if not python.exists():
            python.write_text(COUNTING_PYTHON.format(python=sys.executable, gate=self.gate))
            python.chmod(0o755)
            (tools / "started.log").touch()
        kept = {
            key: value
            for key, value in os.environ.items()
            if key not in ("PYTHONPATH", "VIRTUAL_ENV", "OMP_NUM_THREADS")
        }
        return kept | {
            "PATH": f"{tools}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "STARTED": str(tools / "started.log"),
            "DVC_SITE_CACHE_DIR": str(tools / "dvc"),
            "DVC_GLOBAL_CONFIG_DIR": str(tools / "dvc"),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b",
        }  # fmt: skip

    def run(self, *command: str, fails: bool = False) -> str:
        """Run a command in the clone, check that it succeeds or `fails`, and return its output."""
        done = subprocess.run(
            command, cwd=self.path, env=self.environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=600,
        )  # fmt: skip
        assert (done.returncode != 0) == fails, f"{command} ended with {done.returncode}:\n{done.stdout}"
        return done.stdout

    def snakemake(self, *options: str, fails: bool = False) -> str:
        """Run Snakemake as the README does."""
        return self.run("snakemake", "--cores", "8", "--resources", "gpu=1", *options, fails=fails)

    def commit(self, message: str) -> None:
        """Commit everything that git does not ignore."""
        self.run("git", "add", "--all")
        self.run("git", "commit", "--quiet", "--message", message)

    def started(self) -> list[str]:
        """The stage commands started since the last call, sorted, in the form "train first small_cnn 0"."""
        lines = Path(self.environment["STARTED"]).read_text().splitlines()
        new, self._seen = lines[self._seen :], len(lines)
        return sorted(stage_of(line) for line in new if "workflow/scripts/" in line)

    def edit_params(self, section: str, values: Any) -> None:
        """Update keys of a section in params.yaml, or replace a top-level list or number."""
        yaml = YAML()
        content = yaml.load(self.path / "params.yaml")
        if isinstance(values, dict):
            content[section].update(values)
        else:
            content[section] = values
        yaml.dump(content, self.path / "params.yaml")

    def rounds(self) -> dict[str, str]:
        """DVC's names of the rounds in params.yaml, by round id."""
        rounds = YAML().load(self.path / "params.yaml")["rounds"]
        return {each["id"]: f"round{number}" for number, each in enumerate(rounds)}

    def planned(self) -> set[str]:
        """The DVC stages that `snakemake --dry-run` lists."""
        output = self.snakemake("--dry-run", "--printshellcmds")
        return set(re.findall(r" -m dawnchorus\.workflow\.run_stage (\S+) ", output))

    def stale(self) -> set[str]:
        """The stages that `dvc status` calls stale, and their descendants in `dvc dag`.

        A stale check_params makes its descendants stale only if its output is missing.
        """
        stale = set(json.loads(self.run("dvc", "status", "--json", "--with-deps", "dvc.yaml")))
        parameters = YAML(typ="safe").load(self.path / "params.yaml")
        shape = json.dumps(
            [parameters[key] for key in ("data", "backbones", "embeddings", "folds", "rounds", "student")]
        )
        if shape not in self._edges:
            self._edges[shape] = re.findall(r'"([^"]+)" -> "([^"]+)"', self.run("dvc", "dag", "--dot"))
        edges = self._edges[shape]
        checked = (self.path / "results/params_checked.txt").exists()
        waiting = [stage for stage in stale if stage != "check_params" or not checked]
        while waiting:
            parent = waiting.pop()
            children = {below for above, below in edges if above == parent} - stale
            stale |= children
            waiting += children
        return stale

    def assert_engines_agree(self) -> set[str]:
        """Check that both engines call the same stages stale, and return these."""
        planned = self.planned()
        assert planned == self.stale()
        return planned

    def assert_nothing_to_do(self) -> None:
        """Check that Snakemake has nothing to do and starts no stage command."""
        self.started()
        assert "Nothing to be done" in self.snakemake()
        assert self.started() == []

    def assert_neither_engine_has_anything_to_do(self) -> None:
        """Check that neither Snakemake nor DVC starts a stage command."""
        self.assert_nothing_to_do()
        assert self.run("dvc", "status", "--with-deps", "dvc.yaml").strip() == "Data and pipelines are up to date."
        self.run("dvc", "repro")
        assert self.started() == []


def stage_of(line: str) -> str:
    """The stage of a line in the command log, in the form "train first small_cnn 0"."""
    words = line.split()
    name = next(Path(word).stem for word in words if word.startswith("workflow/scripts/"))
    options = dict(pairwise(words))
    axes = ("--round", "--backbone", "--embedding", "--fold")
    parts = [options[key] for key in axes if key in options]
    if name in ("cache_spectrograms", "embed"):
        parts.append(Path(options["--output"]).name)
    return " ".join([name, *parts])


def add_test_recording(folder: Path, name: str) -> None:
    """Add a test recording to a data set: two seconds of noise with a seed derived from the name."""
    samples = np.random.default_rng(list(name.encode())).normal(0, 0.01, 96_000)
    soundfile.write(folder / f"test/{name}.wav", samples, 48_000)
    for table_name, value in (("sample_submission.csv", 0.5), ("truth_test.csv", 1)):
        table = pd.read_csv(folder / table_name)
        table.loc[len(table)] = [name, *[value] * (table.shape[1] - 1)]
        table.to_csv(folder / table_name, index=False)


def states(folder: Path) -> dict[Path, tuple[int, int, float]]:
    """Inode, mode and modification time of everything in a folder."""
    return {path: (path.stat().st_ino, path.stat().st_mode, path.stat().st_mtime) for path in folder.rglob("*")}
