"""`make clean` removes every output of the workflow and nothing else."""

import itertools
import os
import re
import shutil
import subprocess
from fnmatch import fnmatch
from pathlib import Path

from ruamel.yaml import YAML
from tiny import ROOT

# What jobs and the engines write that is not an output of a stage.
BESIDE_OUTPUTS = {
    ".snakemake", "dvc_plots", "logs/*.log", "logs/*", "results/checkpoints/*/*/*", "results/provenance/*@*.json",
    "results/logs", "results/.prune.lock", "data/embeddings/*/.unfinished-*",
}  # fmt: skip
# An output that git tracks.
TRACKED = {"results/metrics.json"}
# A user's own files, beside outputs of each kind.
OWN = [
    "data/prevalence.csv", "data/mine.csv", "data/rfcx/train_tp.csv", "data/own/recordings.csv", "inputs/prior.csv",
    "data/spectrograms/notes.txt", "data/embeddings/notes.txt",
    "data/pretrained/mine.weights.h5", "data/demo/mine.wav", "presets/mine.yaml",
    "results/notes.txt", "results/mine/metrics.json", "results/models/best.weights.h5",
    "results/models/first/notes.txt",
    "results/predictions/mine.csv", "results/checkpoints/notes.txt", "results/provenance/notes.txt", "logs/notes.txt",
]  # fmt: skip


def declared() -> set[str]:
    """The outputs in the dvc.yaml files, with a * for each axis of a matrix whose values are parameters."""
    found = set()
    for file in ("dvc.yaml", "data/demo/dvc.yaml"):
        for stage in YAML(typ="safe").load(ROOT / file)["stages"].values():
            folder = os.path.join(os.path.dirname(file), stage.get("wdir", "."))
            listed = {axis: values for axis, values in stage.get("matrix", {}).items() if isinstance(values, list)}
            outs = [out for kind in ("outs", "metrics", "plots") for out in stage.get(kind, [])]
            names = [out if isinstance(out, str) else next(iter(out)) for out in outs]
            for name, values in itertools.product(names, itertools.product(*listed.values())):
                for axis, value in zip(listed, values, strict=True):
                    name = name.replace(f"${{item.{axis}}}", value)
                found.add(os.path.normpath(os.path.join(folder, re.sub(r"\$\{[^}]*\}", "*", name))))
    # Some of the student's are named as those of other models.
    return {name for name in found if not any(fnmatch(name, other) for other in found - {name})}


def test_every_declared_output_is_removed_and_no_other() -> None:
    plan = subprocess.run(["make", "--dry-run", "clean"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    (command,) = (line for line in plan.replace("\\\n", " ").splitlines() if line.startswith("rm -rf "))
    removed = [word.rstrip("/") for word in command.split()[2:]]
    assert sorted(removed) == sorted((declared() - TRACKED) | BESIDE_OUTPUTS)


def write(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("content")


def test_a_users_own_files_survive(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    for pattern in declared() | BESIDE_OUTPUTS:
        path = tmp_path / pattern.replace("*", "x")
        # Without a suffix it is a folder.
        write(path if path.suffix else path / "file")
    for name in OWN:
        write(tmp_path / name)
    # The second time there is nothing to remove.
    for _ in range(2):
        subprocess.run(["make", "clean"], cwd=tmp_path, check=True)
        left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
        assert left == {"Makefile", *OWN, *TRACKED}
    assert not (tmp_path / "results/models/x").exists()
