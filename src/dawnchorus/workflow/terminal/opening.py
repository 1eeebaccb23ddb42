"""The beginning of a run on the terminal: what will run, and how long it takes."""

from collections.abc import Mapping
from pathlib import Path

from dawnchorus.config.loading import load_params
from dawnchorus.config.params import Params
from dawnchorus.progress import duration
from dawnchorus.wording import counted
from dawnchorus.workflow.terminal.jobs import TARGET, Jobs

PARAMS, DEFAULT = Path("params.yaml"), Path("presets/default.yaml")
# The stage with which the embedded data set begins.
SYNTHESIS = "synthesize"
# Measured for the committed parameters, on fast and on slow processors: minutes that one core works alone, minutes of
# work that cores share, and the most cores that can share it.
ALONE, SHARED, MOST_CORES = (1.0, 2.5), (7.0, 25.0), 6


def opening_lines(jobs: Jobs, counts: Mapping[str, int], cores: int | None, dry_run: bool) -> list[str]:
    """What a run does, and how long it takes by earlier runs, or else a first run of the embedded data set.

    Args:
        jobs: those of the run, none of which has started.
        counts: number of jobs of each rule.
        cores: number of cores; None if the jobs run elsewhere.
        dry_run: whether Snakemake only tells what it would do.
    """
    seconds, is_known = jobs.estimate()
    if dry_run:
        return [f"{counted(jobs.total, 'job')} would run:"]
    rules = [
        rule if count == 1 else f"{count} {rule}" for rule, count in counts.items() if rule not in (TARGET, "total")
    ]
    where = f" on {counted(cores, 'core')}" if cores else ""
    lines = [f"{counted(jobs.total, 'job')}{where}: {', '.join(rules)}."]
    is_demo = SYNTHESIS in counts and DEFAULT.exists()
    params = load_params(PARAMS) if is_demo else None
    if params is not None:
        lines.insert(0, _demo(params))
    if seconds:
        lines.append(f"By earlier runs here, they take {'about' if is_known else 'more than'} {duration(seconds)}.")
    elif params is not None and cores and params == load_params(DEFAULT):
        low, high = first_run_minutes(cores)
        lines.append(f"A first run takes {low:.0f} to {high:.0f} min with {counted(cores, 'core')}.")
    else:
        lines.append("How long they take is not known before they have run once.")
    return lines


def first_run_minutes(cores: int) -> tuple[float, float]:
    """The least and the most time that the demo takes with some cores, min."""
    low, high = (alone + shared / min(cores, MOST_CORES) for alone, shared in zip(ALONE, SHARED, strict=True))
    return low, high


def _demo(params: Params) -> str:
    demo = params.demo
    species = f"{demo.species} invented species" if demo.clips is None else f"{demo.species} species in {demo.clips}"
    return (
        f"The demo synthesizes {demo.train_recordings + demo.test_recordings} recordings of {species}, trains "
        f"{' and '.join(params.members)} on {len(params.folds)} folds, and measures how well they find the species in "
        "recordings that they were not trained on."
    )
