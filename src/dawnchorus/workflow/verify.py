"""Detection of silent damage: rehash outputs and DVC's cache, without trusting the hashes that DVC remembers."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc_data.hashfile.hash import file_md5
from dvc_data.hashfile.hash_info import HashInfo
from dvc_data.hashfile.tree import Tree
from filelock import FileLock, Timeout

from dawnchorus.errors import InputError
from dawnchorus.progress import track
from dawnchorus.workflow.cores import cores
from dawnchorus.workflow.explanations import explain
from dawnchorus.workflow.locks import RUN_LOCK


@dataclass
class Verdict:
    """The result of a verification.

    Attributes:
        n_files: number of files that were hashed.
        damaged: one line for each silently damaged file; the file was removed.
        changed: outputs that differ from dvc.lock, which `dvc status` reports too; they were not removed.
        copied: intact outputs that DVC's cache did not have; they were copied into it.
    """

    n_files: int = 0
    damaged: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    copied: list[str] = field(default_factory=list)


def verify(root: Path) -> Verdict:
    """Hash every output and every object in DVC's cache, and remove the silently damaged ones.

    An object that the cache lacks, or that was removed, is copied from the workspace if its output there is intact.

    Args:
        root: the project's folder.

    Raises:
        InputError: DVC cannot read the project, or another DVC or Snakemake is using it.
    """
    try:
        with Repo(str(root)) as repo, repo.lock, FileLock(root / RUN_LOCK, timeout=0):
            return _verify(repo)
    except Timeout as error:
        raise InputError(f"a Snakemake runs in {root}: verify again after it has ended") from error
    except DvcException as error:
        raise InputError(f"DVC cannot verify {root}: {explain(error)}") from error


def _verify(repo: Any) -> Verdict:
    # A stage that has never run has no hashes.
    outs = [out for out in repo.index.outs if out.hash_info and out.exists]
    cache = repo.cache.local
    objects = {cache.oid_to_path(oid): oid for oid in cache.all()} if os.path.isdir(cache.path) else {}
    members = {out: sorted(repo.dvcignore.find(out.fs, out.fs_path)) if out.isdir() else [out.fs_path] for out in outs}
    hashes = _hashes([*(path for paths in members.values() for path in paths), *objects])

    damaged = {
        path: f"output of {out.stage.addressing}"
        for out, paths in members.items()
        for path in paths
        if _remembered(repo, path) not in (None, hashes[path])
    }
    actual = {out: _contents(out, {path: hashes[path] for path in paths}) for out, paths in members.items()}
    whole = [out for out in outs if out.hash_info.value in actual[out]]
    lost = {path: oid for path, oid in objects.items() if hashes[path] != oid.removesuffix(".dir")}
    # The bundle has copies of weights; they belong to the stage that made them, which comes first.
    owners = {oid: out for out in reversed(list(repo.index.outs)) for oid in _objects_of(out, objects, lost)}
    for path, oid in lost.items():
        owner = owners.get(oid)
        damaged[path] = (
            f"DVC's copy of {owner} of {owner.stage.addressing}" if owner else "DVC's copy of an earlier output"
        )
    for path in damaged:
        Path(path).unlink()
    kept = set(objects.values()) - set(lost.values())
    uncached = [out for out in whole if out.use_cache and not actual[out].keys() <= kept]
    for out in uncached:
        out.commit(relink=False)
    for stage in {out.stage for out in uncached}:
        # `dvc repro --no-commit` does not record the run either, and without that DVC restores no earlier outputs.
        if set(stage.outs) <= set(whole) and not stage.changed_stage() and all(dep.exists for dep in stage.deps):
            repo.stage_cache.save(stage)
    lines = [
        f"{os.path.relpath(path, repo.root_dir)}: {what}{', restored from it' if os.path.exists(path) else ''}"
        for path, what in damaged.items()
    ]
    unseen = {out for out, paths in members.items() if not damaged.keys().isdisjoint(paths)}
    return Verdict(
        n_files=len(hashes),
        damaged=lines,
        changed=[str(out) for out in outs if out not in whole and out not in unseen],
        copied=[str(out) for out in uncached if actual[out].keys().isdisjoint(lost.values())],
    )


def _hashes(paths: list[str]) -> dict[str, str]:
    with ThreadPoolExecutor(cores()) as pool:
        return dict(zip(paths, track(pool.map(file_md5, paths), len(paths), "files hashed"), strict=True))


def _remembered(repo: Any, path: str) -> str | None:
    """The hash that DVC remembers for a file as long as its size, time stamp and inode are unchanged."""
    _, hash_info = repo.state.get(path, repo.cache.local.fs)
    return hash_info.value if hash_info else None


def _contents(out: Any, hashes: dict[str, str]) -> dict[str, str]:
    """The cache objects that an output in the workspace corresponds to, and their files in the workspace."""
    contents = {value: path for path, value in hashes.items()}
    if out.isdir():
        tree = Tree()
        for path, value in hashes.items():
            tree.add(Path(path).relative_to(out.fs_path).parts, None, HashInfo("md5", value))
        tree.digest()
        contents[tree.oid] = out.fs_path
    return contents


def _objects_of(out: Any, objects: dict[str, str], lost: dict[str, str]) -> list[str]:
    """The cache objects that belong to an output. The files of a folder are included if its list is intact."""
    if not out.hash_info:
        return []
    oid = out.hash_info.value
    path = out.cache.oid_to_path(oid)
    if not oid.endswith(".dir") or path not in objects or path in lost:
        return [oid]
    return [oid, *(entry["md5"] for entry in json.loads(Path(path).read_text()))]
