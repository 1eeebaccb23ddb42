"""Provenance: which code, parameters, data and machines produced the results.

It is written to separate files, never into the results, so that the same commit gives the same bytes on any machine.
"""

import hashlib
import itertools
import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from dawnchorus.config.params import Params
from dawnchorus.errors import InputError
from dawnchorus.files import replacing

# Libraries whose versions can change what a model computes.
LIBRARIES = ("h5py", "jax", "jaxlib", "keras", "numpy", "scipy", "tensorflow")
# Files that the workflow itself writes. Changes in them do not count as changed code.
WRITTEN = (":!dvc.lock", ":!data/demo/dvc.lock", ":!results")


def code() -> dict[str, Any]:
    """Return the commit of the working directory (None if there is none) and whether tracked files differ from it."""
    commit = _git("rev-parse", "HEAD")
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", *WRITTEN)
    return {"commit": commit or None, "dirty": bool(changed)}


def processor() -> str:
    """Return the name of the machine's processor, or its architecture if the name is unknown."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def versions() -> dict[str, str]:
    """Return the versions of Python and of those `LIBRARIES` that this process has imported."""
    imported = {name: sys.modules[name].__version__ for name in LIBRARIES if name in sys.modules}
    return {"python": platform.python_version(), **imported}


def note_job(
    folder: Path, job: str, device: str, threads: int, inputs: Sequence[Path], outputs: Sequence[Path]
) -> None:
    """Write `<folder>/<job>.json`: code, device, threads, backend and versions of a job, and the hashes of its files.

    Args:
        folder: folder of all notes.
        job: name of the job, for example "train@first-small_cnn-0".
        device: "CPU" or the name of the GPU.
        threads: number of CPU threads.
        inputs: files of the model that the job read.
        outputs: files that the job wrote.
    """
    note = {
        **code(),
        "device": f"CPU: {processor()}" if device == "CPU" else device,
        "threads": threads,
        "backend": os.environ["KERAS_BACKEND"],
        "versions": versions(),
        "inputs": md5(inputs),
        "outputs": md5(outputs),
    }
    _write(folder / f"{job}.json", note)


def write_provenance(path: Path, params: Params, lock: Path, notes: Path, predictions: Path, scores: Path) -> None:
    """Write the provenance of an experiment's results.

    The entries `python` and `packages` describe the process that calls this function. Each job has its own versions.

    Args:
        path: JSON file to write.
        params: parameters of the experiment.
        lock: `dvc.lock`, which has the hash of the data.
        notes: folder of the files from `note_job`.
        predictions: folder that contains `<round>/<backbone>/<fold>/`.
        scores: file of the ensemble's scores.

    Raises:
        InputError: a note is damaged.
    """
    jobs: dict[str, dict[str, Any] | None] = {}
    for each, name, fold in itertools.product(params.rounds, params.members, params.folds):
        model = f"{'_head' if name in params.embeddings else ''}@{each.id}-{name}-{fold}"
        files = files_below(predictions / each.id / name / str(fold))
        predict = _read_note(notes / f"predict{model}.json", md5(files))
        train = predict and _read_note(notes / f"train{model}.json", predict["inputs"])
        jobs |= {f"train{model}": train, f"predict{model}": predict}
    stages = _read_lock(lock)
    packages = {found["Name"].lower(): found["Version"] for found in (each.metadata for each in distributions())}
    content = {
        **code(),
        "parameters": hashlib.sha256(params.model_dump_json().encode()).hexdigest(),
        "data": {"root": params.data.root, "md5": _hash_of(stages, params.data.root)},
        "labels": {"folder": params.data.labels, "md5": _hash_of(stages, params.data.labels)},
        "scores": md5([scores]),
        "python": platform.python_version(),
        "jobs": jobs,
        "packages": dict(sorted(packages.items())),
    }
    _write(path, content)


def require_same_inputs(params: Params, lock: Path) -> None:
    """Refuse models that dvc.lock records with different inputs, because an edit came between their jobs.

    Args:
        params: parameters of the experiment.
        lock: `dvc.lock`.

    Raises:
        InputError: two training or two prediction stages of the experiment differ in a shared input.
    """
    stages = _read_lock(lock)
    members = {"train": params.backbones, "predict": params.backbones}
    members |= {"train_head": params.embeddings, "predict_head": params.embeddings}
    for kind, names in members.items():
        first: dict[str, tuple[str, Any]] = {}
        for number, member, fold in itertools.product(range(len(params.rounds)), names, params.folds):
            name = f"{kind}@round{number}-{member}-{fold}"
            entry = stages.get(name, {})
            inputs = {dep["path"]: dep.get("md5") for dep in entry.get("deps", [])}
            for file, values in entry.get("params", {}).items():
                inputs |= {f"{key} in {file}": value for key, value in values.items()}
            for what, value in inputs.items():
                other, expected = first.setdefault(what, (name, value))
                if value != expected:
                    raise InputError(
                        f"{what} changed between {other} and {name}, so their models cannot be combined; run again"
                    )


def files_below(folder: Path) -> list[Path]:
    """All files in a folder and the folders in it, sorted; not those that are still being written."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))


def md5(files: Sequence[Path]) -> str:
    """Compute the MD5 hash of the concatenated files. For a single file it equals DVC's hash."""
    digest = hashlib.md5(usedforsecurity=False)
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _read_note(path: Path, outputs: str) -> dict[str, Any] | None:
    """Read the note of a job. Return None if there is none, or if it describes other outputs.

    The note describes other outputs if the present ones were pulled or restored instead of computed here.
    """
    if not path.exists():
        return None
    try:
        note = json.loads(path.read_text())
        return note if note["outputs"] == outputs else None
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path}: is not a valid note of a job: {error}; delete the file and repeat the command"
        ) from error


def hash_of_data(lock: Path, folder: str) -> str | None:
    """Return DVC's hash of a folder of the data set, or None if DVC did not run the stage that reads it."""
    return _hash_of(_read_lock(lock), folder)


def _hash_of(stages: dict[str, Any], folder: str) -> str | None:
    deps = stages.get("ingest", {}).get("deps", [])
    return next((dep["md5"] for dep in deps if Path(dep["path"]).resolve() == Path(folder).resolve()), None)


def _read_lock(lock: Path) -> dict[str, Any]:
    """Return the stages of `dvc.lock`; none if DVC has not written it."""
    return YAML(typ="safe").load(lock)["stages"] if lock.exists() else {}


def _git(*arguments: str) -> str:
    """Run git and return its output; empty if there is no git, repository or commit."""
    try:
        done = subprocess.run(["git", "--no-optional-locks", *arguments], capture_output=True, text=True)
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _write(path: Path, content: dict[str, Any]) -> None:
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n")
