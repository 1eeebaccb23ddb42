"""Where results come from: beside them, never in them, so that the same commit gives the same bytes anywhere."""

import hashlib
import itertools
import json
import platform
import subprocess
from collections.abc import Sequence
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from dawnchorus.config.params import Params
from dawnchorus.errors import InputError
from dawnchorus.files import replacing

# What the workflow itself writes while it runs makes no tree dirty.
WRITTEN = (":!dvc.lock", ":!data/demo/dvc.lock", ":!results")


def code() -> dict[str, Any]:
    """The commit of the working folder, null where there is none, and whether tracked files differ from it."""
    commit = _git("rev-parse", "HEAD")
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", *WRITTEN)
    return {"commit": commit or None, "dirty": bool(changed)}


def processor() -> str:
    """The name of the machine's processor."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def note_job(
    folder: Path, job: str, device: str, threads: int, inputs: Sequence[Path], outputs: Sequence[Path]
) -> None:
    """Note in `<folder>/<job>.json` what computed a job, and the hashes of its model's files."""
    note = {
        **code(),
        "device": f"CPU: {processor()}" if device == "CPU" else device,
        "threads": threads,
        "inputs": md5(inputs),
        "outputs": md5(outputs),
    }
    _write(folder / f"{job}.json", note)


def write_provenance(path: Path, params: Params, lock: Path, notes: Path, predictions: Path, scores: Path) -> None:
    """Write what the results in a folder come from.

    Args:
        path: of the JSON file.
        params: the experiment.
        lock: DVC's, which holds the hash of the data.
        notes: folder of `note_job`'s files.
        predictions: folder with <round>/<backbone>/<fold>/.
        scores: the ensemble's.

    Raises:
        InputError: a note is damaged.
    """
    jobs: dict[str, dict[str, Any] | None] = {}
    for each, backbone, fold in itertools.product(params.rounds, params.backbones, params.folds):
        model = f"{each.id}-{backbone}-{fold}"
        files = sorted((predictions / each.id / backbone / str(fold)).rglob("*.*"))
        predict = _read_note(notes / f"predict@{model}.json", md5(files))
        train = predict and _read_note(notes / f"train@{model}.json", predict["inputs"])
        jobs |= {f"train@{model}": train, f"predict@{model}": predict}
    packages = {found.metadata["Name"].lower(): found.version for found in distributions()}
    content = {
        **code(),
        "parameters": hashlib.sha256(params.model_dump_json().encode()).hexdigest(),
        "data": {"root": params.data.root, "md5": _hash_of_data(lock, params.data.root)},
        "scores": md5([scores]),
        "python": platform.python_version(),
        "jobs": jobs,
        "packages": dict(sorted(packages.items())),
    }
    _write(path, content)


def md5(files: Sequence[Path]) -> str:
    """The MD5 of some files, one after the other; of a single one, DVC's."""
    digest = hashlib.md5(usedforsecurity=False)
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _read_note(path: Path, outputs: str) -> dict[str, Any] | None:
    """A job's note, or None where its outputs are not those: they were pulled or restored, not computed here."""
    if not path.exists():
        return None
    try:
        note = json.loads(path.read_text())
        return note if note["outputs"] == outputs else None
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: is no note of a job: {error}; delete the file and run again") from error


def _hash_of_data(lock: Path, root: str) -> str | None:
    """DVC's hash of the folder of the data, None where DVC did not run the stage that reads it."""
    if not lock.exists():
        return None
    stages = YAML(typ="safe").load(lock)["stages"]
    deps = stages.get("ingest", {}).get("deps", [])
    return next((dep["md5"] for dep in deps if Path(dep["path"]).resolve() == Path(root).resolve()), None)


def _git(*arguments: str) -> str:
    """What git prints; nothing where there is no git, repository or commit."""
    try:
        done = subprocess.run(["git", "--no-optional-locks", *arguments], capture_output=True, text=True)
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _write(path: Path, content: dict[str, Any]) -> None:
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n")
