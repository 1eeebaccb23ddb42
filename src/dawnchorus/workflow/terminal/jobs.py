"""The jobs of a run: what they are called, which run, and how long the rest will take."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dawnchorus.progress import duration
from dawnchorus.wording import counted
from dawnchorus.workflow.job_logs import Progress, progress
from dawnchorus.workflow.plan import Plan, Rule
from dawnchorus.workflow.terminal.durations import Durations, Work, time_left

# The rule that asks for everything and does nothing.
TARGET = "all"
# Tolerance for the clock of a file system.
SECONDS_APART = 2.0


@dataclass
class Job:
    """A job that Snakemake has started.

    Attributes:
        name: for people, such as "train small_cnn fold 1".
        kind: as in `Durations`.
        key: its name among all jobs of the run.
        logs: paths of its logs.
        reason: why it runs, by the plan; may be empty.
        began: when it started, in seconds since the epoch.
    """

    name: str
    kind: str
    key: str
    logs: list[Path]
    reason: str
    began: float = field(default_factory=time.time)

    def progress(self) -> Progress | None:
        """How far it is, by its log."""
        return progress(self.logs[0], self.began - SECONDS_APART, time.time()) if self.logs else None

    def seconds(self) -> float:
        """How long it has been running."""
        return time.time() - self.began


@dataclass
class Jobs:
    """The jobs of a run.

    Attributes:
        total: number of jobs, without the target.
        plan: the plan, in a run of DVC's stages.
        durations: of jobs that finished.
        work: for each unfinished job its kind and parents, by key.
        provided: what Snakemake may use: "cores" or, on a cluster, "nodes", and limits on resources such as "gpu".
        running: by Snakemake's number.
        done: number of finished jobs.
        failed: names of jobs that failed and are not tried again.
    """

    total: int
    plan: Plan | None
    durations: Durations
    work: dict[str, tuple[str, frozenset[str]]]
    provided: Mapping[str, int] = field(default_factory=dict)
    running: dict[int, Job] = field(default_factory=dict)
    done: int = 0
    failed: dict[int, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls, counts: Mapping[str, int], plan: Plan | None, durations: Durations, provided: Mapping[str, int]
    ) -> "Jobs":
        """The jobs of a run that begins.

        Args:
            counts: number of jobs of each rule.
            plan: as in the attributes.
            durations: of earlier runs.
            provided: as in the attributes.
        """
        counts = {rule: count for rule, count in counts.items() if rule not in (TARGET, "total")}
        work = {}
        if plan is not None:
            left = dict(counts)
            for address, stage in plan.stages.items():
                rule, wildcards = plan.origin(address)
                # Snakemake runs fewer stages than are stale if it is asked for some outputs only.
                if stage.runs and left.get(rule.name, 0):
                    left[rule.name] -= 1
                    work[address] = (kind_of(rule.name, wildcards), frozenset(stage.parents))
        else:
            work = {f"{rule} {number}": (rule, frozenset()) for rule in counts for number in range(counts[rule])}
        return cls(sum(counts.values()), plan, durations, work, provided)

    def start(self, number: int, job: Job, asked: Mapping[str, int]) -> None:
        """Note that a job has started, perhaps not for the first time, and what resources it asked for."""
        self.running[number] = job
        self.failed.pop(number, None)
        self.durations.asked[job.kind.partition(" ")[0]] = dict(asked)

    def finish(self, number: int, ran: bool) -> Job | None:
        """Note that a job has finished, and return it; None if it is the target.

        Args:
            number: Snakemake's.
            ran: whether it ran its command.
        """
        job = self.running.pop(number, None)
        if job is None:
            return None
        self.done += 1
        self.durations.add(job.kind, job.seconds(), ran)
        self.work.pop(job.key, None)
        return job

    def fail(self, number: int) -> Job | None:
        """Note that a job has failed, and return it; None if that is known."""
        job = self.running.pop(number, None)
        if job is not None:
            self.failed[number] = job.name
        return job

    def key(self, address: str | None, rule: str) -> str:
        """The name among `work` of a job that starts."""
        taken = {job.key for job in self.running.values()}
        if address is not None:
            return address
        return next((key for key, (kind, _) in self.work.items() if kind == rule and key not in taken), rule)

    def stages_left(self) -> int:
        """How many stages of the plan still have to run."""
        ran = self.total - len(self.work)
        return sum(stage.runs for stage in self.plan.stages.values()) - ran if self.plan else 0

    def reported(self) -> dict[int, Progress | None]:
        """How far the running jobs are by their logs, by Snakemake's number."""
        return {number: job.progress() for number, job in self.running.items()}

    def left(self, job: Job, reported: Progress | None) -> float | None:
        """Estimated time left of a job that runs, s; None if unknown."""
        if reported is not None and reported.seconds:
            return reported.seconds
        expected = self.durations.expect(job.kind)
        # One that takes longer than expected may take any time.
        return None if expected is None or job.seconds() > expected else expected - job.seconds()

    def summary(self, reported: Mapping[int, Progress | None]) -> str:
        """A text such as "7 of 19 jobs, about 4 min left".

        Args:
            reported: as from `reported`.
        """
        text = f"{self.done} of {counted(self.total, 'job')}"
        if self.failed:
            # Without --keep-going, no other job starts.
            return f"{text}, {len(self.failed)} failed"
        seconds, is_known = self.estimate(reported)
        if self.done == self.total or not seconds:
            return text
        return f"{text}, {'about' if is_known else 'more than'} {duration(seconds)} left"

    def estimate(self, reported: Mapping[int, Progress | None] | None = None) -> tuple[float, bool]:
        """The time left in s, and whether it covers all jobs; `reported` is as in `summary`."""
        running = {job.key: (number, job) for number, job in self.running.items()}
        # What running jobs say about themselves holds for others of their kind.
        told = {
            job.kind: job.seconds() + found.seconds
            for number, job in self.running.items()
            if (found := (reported or {}).get(number)) is not None
        }
        work = {}
        for key, (kind, parents) in self.work.items():
            number, job = running.get(key, (None, None))
            expected = self.durations.expect(kind)
            seconds = told.get(kind) if expected is None else expected
            if job is not None and number is not None:
                seconds = self.left(job, (reported or {}).get(number))
            share = share_of(self.durations.asked.get(kind.partition(" ")[0]), self.provided)
            work[key] = Work(seconds, share, parents, job is not None)
        return time_left(work)


def kind_of(rule: str, wildcards: Mapping[str, str]) -> str:
    """The kind of a job, as in `Durations`."""
    return " ".join([rule, *(value for axis, value in wildcards.items() if axis not in ("fold", "shard"))])


def name_of(rule: str, wildcards: Mapping[str, str], rules: Mapping[str, Rule]) -> str:
    """The name of a job for people, such as "train small_cnn fold 1".

    Args:
        rule: name of its rule.
        wildcards: its wildcards.
        rules: the plan's rules by name. An axis with a single value is not told, except the backbone and the like.
    """
    parts = [rule]
    for axis, value in wildcards.items():
        values = rules[rule].wildcards.get(axis, []) if rule in rules else []
        if axis == "round" and len(values) == 1:
            continue
        parts.append(f"{axis} {value}" if axis in ("fold", "shard") else value)
    return " ".join(parts)


def asked_by(record: Any, provided: Mapping[str, int]) -> dict[str, int]:
    """The resources that a job asks for, as far as they are limited.

    Args:
        record: Snakemake's event about the job.
        provided: as in `Jobs`.
    """
    others = {name: record.resources.get(name, 0) for name in provided if name not in ("cores", "nodes")}
    return {"cores": record.threads, **{name: amount for name, amount in others.items() if isinstance(amount, int)}}


def share_of(asked: Mapping[str, int] | None, provided: Mapping[str, int]) -> float:
    """The share of the machine that a job occupies, from 0 to 1.

    Args:
        asked: as from `asked_by`; None if unknown.
        provided: as in `Jobs`.
    """
    if provided.get("nodes"):
        return 1 / max(provided["nodes"], 1)
    if asked is None:
        return 1.0
    shares = [amount / max(provided[name], 1) for name, amount in asked.items() if name in provided]
    return min(max(shares, default=1.0), 1.0)
