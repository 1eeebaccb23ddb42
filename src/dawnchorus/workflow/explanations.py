"""Explanations of errors for which DVC names no remedy: merge conflicts, half-written files, a project without git."""

from pathlib import Path

from dawnchorus.config.loading import conflict_line

# Files that people edit and git merges. DVC's error names at most one of them.
EDITED = ("params.yaml", "dvc.yaml", "data/demo/dvc.yaml", ".dvc/config")
LOCKS = ("dvc.lock", "data/demo/dvc.lock")


def explain(error: Exception) -> str:
    """The message of an error of DVC about the project in the working directory, and what to do where DVC omits it."""
    said = str(error)
    if "is not a git repository" in said:
        return (
            f"{said}, and DVC needs one. If the project comes from an archive, make it a repository with `git init` "
            "and `git add --all && git commit --message Dawnchorus`, then repeat the command"
        )
    # The path of the file that DVC cannot read, for example data/own.dvc.
    named = str(getattr(error, "path", ""))
    marked = {name: line for name in dict.fromkeys((*EDITED, *LOCKS, named)) if (line := _conflict(Path(name)))}
    if marked:
        return "\n".join(_resolution(name, line) for name, line in marked.items())
    if "dvc.lock'" in said:
        # A plain `dvc repro` overwrites dvc.lock in place; jobs of Snakemake replace it atomically.
        return (
            f"{said}: was a `dvc repro` killed while it wrote it? `git checkout` it, or remove it if git has no copy, "
            "and run again: finished stages are restored from DVC's cache"
        )
    return said


def _conflict(path: Path) -> int | None:
    return conflict_line(path.read_text(encoding="utf-8", errors="replace")) if path.is_file() else None


def _resolution(name: str, line: int) -> str:
    marks = f"{name}: line {line} marks a merge conflict of git"
    if name in EDITED:
        return f"{marks}: keep the lines that you want, and remove those that begin with <<<<<<<, ======= and >>>>>>>"
    return (
        f"{marks}: do not merge its hashes by hand. Take one side with `git checkout --ours {name}` or "
        f"`git checkout --theirs {name}`, and run again: what that side lacks is restored from DVC's cache or computed"
    )
