"""Experiments that git and DVC keep: which there are, and the files that each has.

Files come from git, and outputs of stages from DVC's cache by the hashes in `dvc.lock`. Nothing is checked out, nothing
is downloaded, and the workspace stays as it is.
"""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from dawnchorus.errors import InputError

WORKSPACE = "workspace"
HEAD = "HEAD"
# DVC keeps an experiment as the git reference refs/exps/<first 2 digits of its baseline>/<other 38>/<name>.
EXPERIMENTS = "refs/exps"


@dataclass(frozen=True)
class Revision:
    """A version of the project.

    Attributes:
        name: what the user calls it.
        commit: its hash; empty for the workspace.
        is_experiment: whether it is one of DVC's experiments.
    """

    name: str
    commit: str = ""
    is_experiment: bool = False


def find_revisions(root: Path, names: Sequence[str]) -> list[Revision]:
    """Find revisions by their names: commits, branches, tags, DVC's experiments and "workspace".

    Args:
        root: the project's folder.
        names: without any, HEAD, the experiments that were derived from it, and the workspace.

    Raises:
        InputError: there is no git repository, no commit, or no revision of a name; or several experiments have it.
    """
    head = _git(root, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    if not head:
        raise InputError(f"{root}: git has no commit there; compare experiments in the project's folder")
    experiments = _experiments(root)
    if not names:
        derived = [Revision(name, commit, True) for name, base, commit in experiments if base == head]
        return [Revision(HEAD, head), *derived, Revision(WORKSPACE)]
    return [_find(root, name, head, experiments) for name in dict.fromkeys(names)]


def _find(root: Path, name: str, head: str, experiments: list[tuple[str, str, str]]) -> Revision:
    if name == WORKSPACE:
        return Revision(WORKSPACE)
    named = {base: commit for each, base, commit in experiments if each == name}
    if head in named or len(named) == 1:
        return Revision(name, named.get(head) or next(iter(named.values())), True)
    if named:
        hashes = ", ".join(commit[:7] for commit in named.values())
        raise InputError(f"{name}: {len(named)} experiments have this name; give the hash of one: {hashes}")
    # An option is no revision.
    commit = "" if name.startswith("-") else _git(root, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    if not commit:
        raise InputError(
            f"{name}: is no commit, branch, tag or experiment here; `dvc exp list --all-commits` lists the "
            "experiments, `dvc exp pull` gets those of others"
        )
    return Revision(name, commit, any(commit == each for _, _, each in experiments))


def _experiments(root: Path) -> list[tuple[str, str, str]]:
    """Name, baseline and commit of each of DVC's experiments, the oldest first."""
    lines = _git(
        root, "for-each-ref", "--sort=creatordate", "--format=%(refname) %(objectname)", f"{EXPERIMENTS}/??/*/*"
    ).splitlines()
    found = []
    for line in lines:
        reference, commit = line.rsplit(" ", 1)
        _, _, start, rest, name = reference.split("/", 4)
        found.append((name, start + rest, commit))
    return found


def _git(root: Path, *arguments: str) -> str:
    """Run git and return its output; empty if it fails."""
    done = subprocess.run(
        ["git", "--no-optional-locks", *arguments], cwd=root, capture_output=True, text=True, errors="replace"
    )
    return done.stdout.strip() if done.returncode == 0 else ""


@dataclass(frozen=True)
class Snapshot:
    """The files of a revision, laid out in a folder as in the project.

    Attributes:
        revision: the revision.
        root: the folder; the project's own for the workspace.
        stages: the entries of its `dvc.lock`.
        missing: outputs that neither the cache nor the workspace has.
    """

    revision: Revision
    root: Path
    stages: dict[str, Any]
    missing: list[str]


def take_snapshot(
    project: Path, revision: Revision, files: Sequence[str], outputs: Sequence[str], folder: Path
) -> Snapshot:
    """Lay out files of a revision.

    Args:
        project: the project's folder.
        revision: the revision.
        files: paths of files that git tracks. Those that the revision does not have are left out.
        outputs: paths of outputs of stages, or of folders with such.
        folder: a new folder for links to DVC's cache and copies from git.

    Raises:
        InputError: `dvc.lock` is damaged.
    """
    if not revision.commit:
        stages = _stages(project, revision)
        missing = [path for path in _outs(stages, outputs) if not (project / path).exists()]
        return Snapshot(revision, project, stages, missing)
    folder.mkdir()
    for name in files:
        content = subprocess.run(
            ["git", "--no-optional-locks", "show", f"{revision.commit}:./{name}"], cwd=project, capture_output=True
        )
        if content.returncode == 0:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content.stdout)
    stages = _stages(project, revision)
    objects = _cache(project)
    missing = [path for path, md5 in _outs(stages, outputs).items() if not _link(objects, md5, folder / path)]
    return Snapshot(revision, folder, stages, missing)


def _stages(project: Path, revision: Revision) -> dict[str, Any]:
    if revision.commit:
        text = _git(project, "show", f"{revision.commit}:./dvc.lock")
    else:
        text = (project / "dvc.lock").read_text() if (project / "dvc.lock").exists() else ""
    try:
        return YAML(typ="safe").load(text)["stages"] if text else {}
    except (YAMLError, KeyError, TypeError) as error:
        raise InputError(f"{revision.name}: dvc.lock is not that of a finished run: {error}; run again") from error


def _outs(stages: dict[str, Any], wanted: Sequence[str]) -> dict[str, str]:
    """The hashes of outputs at or below the wanted paths, by path."""
    outs = [out for stage in stages.values() for out in stage.get("outs", [])]
    return {
        out["path"]: out["md5"]
        for out in outs
        if "md5" in out and any(out["path"] == path or out["path"].startswith(f"{path}/") for path in wanted)
    }


@cache
def _cache(project: Path) -> Path:
    """The folder of DVC's cache in which the name of a file is its hash."""
    from dvc.repo import Repo

    with Repo(str(project)) as repo:
        return Path(repo.cache.local.path)


def _link(objects: Path, md5: str, target: Path) -> bool:
    """Link a file, or a folder's files, to the cache; False if the cache lacks any."""
    source = objects / md5[:2] / md5[2:]
    if not source.is_file():
        return False
    if not md5.endswith(".dir"):
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            target.symlink_to(source)
        return True
    target.mkdir(parents=True, exist_ok=True)
    entries = json.loads(source.read_text())
    return all(_link(objects, entry["md5"], target / entry["relpath"]) for entry in entries)
