"""The engines' overhead with many models: planning, the cost per job, and DVC's lock, without the jobs' own work."""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from cold_demo import clone_of_project
from ruamel.yaml import YAML

BACKBONES = ["small_cnn", "small_resnet", "inception", "efficientnet", "resnet"]

# Placed first on PATH as `python`. Training, inference and ensemble only write a placeholder for each output; all other
# scripts run as usual.
EMPTY_HANDED_PYTHON = """#!/bin/bash
case "$1" in
    */train.py | */predict.py | */ensemble.py) ;;
    *) exec {python} "$@" ;;
esac
script="$1"
while [ $# -gt 0 ]; do
    case "$1" in
        --weights) [[ $script == */train.py ]] && {{ mkdir -p "$(dirname "$2")"; echo $RANDOM > "$2"; }} ;;
        --curve | --species-metrics) mkdir -p "$(dirname "$2")"; echo epoch,loss > "$2" ;;
        --provenance) [[ $script == */ensemble.py ]] && echo "{{}}" > "$2" ;;
        --metrics) echo "{{}}" > "$2" ;;
        --epoch-weights | --scores | --submissions | --output) mkdir -p "$2"; echo $RANDOM > "$2/file" ;;
    esac
    shift
done
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=100, help="number of models, a multiple of 5; each is two jobs")
    parser.add_argument("--at-once", type=int, default=16, help="number of concurrent jobs")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dawnchorus-scaling-") as folder:
        measure(Path(folder), arguments.models, arguments.at_once)


def measure(folder: Path, models: int, at_once: int) -> None:
    clone = clone_of_project(folder / "clone")
    write_params(clone / "params.yaml", models)
    python = folder / "tools/python"
    python.parent.mkdir()
    python.write_text(EMPTY_HANDED_PYTHON.format(python=sys.executable))
    python.chmod(0o755)
    path = os.pathsep.join([str(python.parent), str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = os.environ | {"PATH": path, "DVC_SITE_CACHE_DIR": str(folder / "dvc")}

    def seconds(*command: str) -> tuple[float, float]:
        """Run a command; return its wall time and its CPU time."""
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = subprocess.run(
            command, cwd=clone, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        if done.returncode:
            sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-3000:]}")
        wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
        return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    snakemake = ["snakemake", "--cores", str(at_once), "--resources", f"gpu={at_once}"]
    print(f"{models} models, {2 * models} jobs of training and inference, {at_once} at once, {os.cpu_count()} cores")
    print(f"planning before the run: snakemake {seconds(*snakemake, '--dry-run')[0]:.1f} s")
    lock = LockWatch(clone / ".dvc/tmp/lock")
    wall, processor = seconds(*snakemake)
    held = lock.stop()
    print(f"the run: {wall:.0f} s; DVC's lock was held {held:.0%} of the time")
    print(f"a job: {wall / (2 * models):.2f} s of wall time, {processor / (2 * models):.2f} s of CPU time")
    for name, command in (("snakemake", snakemake), ("dvc repro", ["dvc", "repro"])):
        print(f"nothing to do: {name} {seconds(*command)[0]:.1f} s")
    print(f"dvc.lock: {len((clone / 'dvc.lock').read_text().splitlines())} lines")


def write_params(path: Path, models: int) -> None:
    """Change parameters to small data and the given number of models."""
    folds = models // len(BACKBONES)
    content = YAML().load(path)
    content["backbones"], content["folds"] = BACKBONES, list(range(folds))
    # Enough for each fold to get a recording with a TP box.
    content["demo"].update(
        species=8, train_recordings=max(16, 2 * folds), tp_per_species=max(16, folds), test_recordings=4, seconds=4.0
    )
    # Large enough images for all backbones.
    content["spectrogram"]["n_mels"] = 96
    YAML().dump(content, path)


class LockWatch:
    """Samples how often a lock file is held, until stopped."""

    def __init__(self, path: Path) -> None:
        self._path, self._held, self._looks = path, 0, 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def stop(self) -> float:
        """Stop sampling; return the fraction of the time during which the lock was held."""
        self._ended.set()
        self._thread.join()
        return self._held / self._looks

    def _watch(self) -> None:
        while not self._ended.wait(0.05):
            self._looks += 1
            if self._path.exists():
                # The kernel's list of locks identifies files by inode.
                self._held += f":{self._path.stat().st_ino} " in Path("/proc/locks").read_text()


if __name__ == "__main__":
    main()
