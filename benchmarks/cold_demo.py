"""`make demo` in a new clone: the time during which no stage ran, and the cost of importing libraries."""

import os
import resource
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from rows import Row

ROOT = Path(__file__).parent.parent

# Placed first on PATH as `python`. It logs the start, the end and the script of each process.
TIMED_PYTHON = """#!/bin/sh
began=$(date +%s.%N)
{python} "$@"
status=$?
echo "$began $(date +%s.%N) $1" >> {log}
exit $status
"""


@dataclass(frozen=True)
class StageRun:
    """One process of a stage: its start and end, in s, and its script."""

    began: float
    ended: float
    script: str


def measure(folder: Path) -> list[Row]:
    """Measure two rows: the share of wall time during which no stage's process ran, and the CPU time of imports."""
    clone = clone_of_project(folder / "clone")
    python, log = folder / "tools/python", folder / "runs.log"
    python.parent.mkdir()
    python.write_text(TIMED_PYTHON.format(python=sys.executable, log=log))
    python.chmod(0o755)
    path = os.pathsep.join([str(python.parent), str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = os.environ | {"PATH": path}
    timed = ["python", "-c", "import os"]  # marks the start and the end of the run in the log's own clock
    subprocess.run(timed, cwd=clone, env=environment, check=True)
    subprocess.run(["make", "--assume-old=env", "demo"], cwd=clone, env=environment, check=True, capture_output=True)
    subprocess.run(timed, cwd=clone, env=environment, check=True)
    first, *runs, last = [
        StageRun(float(began), float(ended), script) for began, ended, script in map(str.split, log.open())
    ]
    # Processes that run a module belong to an engine.
    stages = [run for run in runs if run.script.startswith("workflow/scripts/")]
    wall = last.began - first.ended
    imports = sum(
        times * _processor_seconds(clone, script) for script, times in Counter(run.script for run in stages).items()
    )
    idle = 100 * (1 - covered([(run.began, run.ended) for run in stages]) / wall)
    return [
        Row("make demo, cold: no stage running", "% of the time", idle, faster_is_more=False),
        Row("make demo, cold: CPU time of imports", "s", imports, faster_is_more=False),
    ]


def covered(stretches: list[tuple[float, float]]) -> float:
    """The total length covered by intervals, each given as start and end."""
    total, reached = 0.0, float("-inf")
    for start, end in sorted(stretches):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total


def clone_of_project(path: Path) -> Path:
    """Copy the project's files as they are, without results, into a new repository at `path`."""
    files = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    for name in files:
        if (ROOT / name).exists() and not name.endswith("dvc.lock"):
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, path / name, follow_symlinks=False)
    subprocess.run(["git", "init", "--quiet"], cwd=path, check=True)
    return path


def _processor_seconds(clone: Path, script: str) -> float:
    """CPU time in s that a script needs for its imports, which all precede the parsing of its arguments."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, script, "--help"], cwd=clone, env=os.environ | {"PYTHONPATH": "src"}, check=True,
        capture_output=True,
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
