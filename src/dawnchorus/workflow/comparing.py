"""`dawnchorus compare`: read the experiments that git and DVC keep, and compare them."""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from dawnchorus.errors import InputError
from dawnchorus.files import replacing
from dawnchorus.reporting.comparison.differences import Comparison, compare
from dawnchorus.reporting.comparison.experiments import METRICS, OUTPUTS, TRACKED, Experiment, read_experiment
from dawnchorus.reporting.comparison.page import page
from dawnchorus.reporting.comparison.tables import as_text
from dawnchorus.workflow.plan import stale_makers
from dawnchorus.workflow.revisions import WORKSPACE, Revision, find_revisions, take_snapshot


def compare_revisions(project: Path, names: Sequence[str], html: Path | None) -> str:
    """Compare revisions with the first that has results, and optionally write a page.

    A revision without results is named on standard error, and the others are compared.

    Args:
        project: the project's folder.
        names: revisions, as in `find_revisions`.
        html: file to write.

    Returns:
        Text for the terminal.

    Raises:
        InputError: there is no such revision, none has results, or a file of one is damaged.
    """
    if not (project / "dvc.yaml").exists():
        raise InputError(f"{project}: has no dvc.yaml; call `dawnchorus compare` in the project's folder")
    revisions = find_revisions(project, names)
    with tempfile.TemporaryDirectory() as folder:
        found = [_read(project, each, Path(folder) / str(number)) for number, each in enumerate(revisions)]
        experiments = [each for each in found if isinstance(each, Experiment)]
    for revision, each in zip(revisions, found, strict=True):
        if isinstance(each, str):
            print(f"{revision.name} is left out: {each}", file=sys.stderr)
    if not experiments:
        raise InputError("no revision has results to compare: run `snakemake` or `dvc repro`")
    comparison = compare(experiments)
    if html is not None:
        _write(html, comparison)
    return as_text(comparison) + (f"\n\n{html} has the differences of each species." if html else "")


def _write(html: Path, comparison: Comparison) -> None:
    with replacing(html) as path:
        path.write_text(page(comparison), encoding="utf-8")


def _read(project: Path, revision: Revision, folder: Path) -> Experiment | str:
    """Read an experiment, or say why that is not possible."""
    try:
        if revision.name == WORKSPACE and (project / METRICS).exists() and (stale := stale_makers(project / METRICS)):
            return (
                f"its results are out of date with the current parameters, code or data: {len(stale)} stages are "
                f"stale, for example {stale[0]}; run `snakemake` or `dvc repro`"
            )
        snapshot = take_snapshot(project, revision, TRACKED, OUTPUTS, folder)
        return read_experiment(revision.name, snapshot.root, snapshot.stages, snapshot.missing, _remedy(revision))
    except InputError as error:
        # A file is named by its path in the project.
        return str(error).replace(f"{folder}/", "").replace(f"{project}/", "")


def _remedy(revision: Revision) -> str:
    """How to get outputs that the cache lacks."""
    if revision.name == WORKSPACE:
        return "run `dvc pull`, or `snakemake`"
    if revision.is_experiment:
        return (
            f"`dvc exp pull origin {revision.name}` gets it with its outputs, or `dvc fetch --all-commits` those of "
            "all commits"
        )
    return f"`git checkout {revision.name}` and `dvc fetch`, or `dvc fetch --all-commits`"
