"""What the terminal shows of a run: Snakemake's events become lines that stay and rows that are redrawn."""

import logging
import textwrap
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from snakemake.settings.enums import Quietness
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_interface_logger_plugins.settings import OutputSettingsLoggerInterface

from dawnchorus.progress import duration
from dawnchorus.reporting.closing import closing_lines
from dawnchorus.wording import counted
from dawnchorus.workflow.job_logs import failure, instead_of_run, warnings, was_interrupted, why_run
from dawnchorus.workflow.plan import PLAN_FILE, Plan, read_plan
from dawnchorus.workflow.terminal.durations import FILE, Durations
from dawnchorus.workflow.terminal.jobs import TARGET, Job, Jobs, asked_by, kind_of, name_of
from dawnchorus.workflow.terminal.opening import opening_lines
from dawnchorus.workflow.terminal.screen import Screen, can_redraw

SECONDS_BETWEEN_DRAWINGS = 0.5
# Rows of jobs that are redrawn; the others are counted.
MOST_ROWS = 8
MOST_NAMED = 5
# For each running job, whose log is read.
SECONDS_FOR_A_JOB = 0.05
# A message with this attribute is for people, and shown as it is. Rules name it, too, which jobs read.
FOR_PEOPLE = {"for_people": True}
NOTHING_TO_DO = "Nothing to be done"
STOPPING = "Terminating processes on user request"
GO_ON = "the same command goes on where this run stopped"
# Errors that repeat what the display tells about a job.
REPEATED = (
    "At least one job did not complete successfully",
    "CalledProcessError in file",
    "Exiting because a job execution failed",
)


class Display:
    """Shows one run of Snakemake, or what a dry run would do."""

    def __init__(self, stream: TextIO, settings: OutputSettingsLoggerInterface) -> None:
        """Begin.

        Args:
            stream: where to write.
            settings: Snakemake's settings of its output.
        """
        self._quiet = set(settings.quiet or ())
        live = can_redraw(stream) and not (settings.dryrun or settings.nocolor or self._quiet or settings.verbose)
        self._screen = Screen(stream, live)
        self._settings = settings
        self._provided: dict[str, int] = {}
        self._jobs: Jobs | None = None
        self._plan: Plan | None = None
        self._began = time.monotonic()
        self._is_stopped = self._is_ended = False
        self._lock = threading.RLock()
        self._closed = threading.Event()
        if live:
            threading.Thread(target=self._keep_drawing, daemon=True).start()

    def handle(self, record: logging.LogRecord, text: str) -> None:
        """Show an event.

        Args:
            record: Snakemake's.
            text: its message as Snakemake would print it.
        """
        events: dict[Any, Any] = {
            LogEvent.RESOURCES_INFO: self._provide,
            LogEvent.RUN_INFO: self._begin,
            LogEvent.JOB_INFO: self._start,
            LogEvent.JOB_FINISHED: self._finish,
            LogEvent.JOB_ERROR: self._fail,
            LogEvent.PROGRESS: self._end,
        }
        event = getattr(record, "event", None)
        with self._lock:
            if event in events:
                events[event](record)
            elif text.startswith(NOTHING_TO_DO):
                self._nothing_to_do(text)
            elif text.startswith(STOPPING):
                self._is_stopped = True
                self._say("stopping: waiting until the running jobs have ended")
            elif self._is_wanted(record, event, text):
                self._screen.print(text.rstrip("\n"))

    def stop(self) -> None:
        """Draw no more."""
        self._closed.set()

    def close(self) -> None:
        """Show how the run ended, and leave the terminal as it was."""
        self.stop()
        with self._lock:
            self._screen.show([])
            if self._jobs is None or self._settings.dryrun or self._is_ended:
                return
            done = f"{self._jobs.done} of {self._jobs.total} jobs are done"
            if self._is_stopped:
                self._print_wrapped(f"Interrupted: {done}; {GO_ON}.")
            elif self._jobs.failed:
                failed = list(self._jobs.failed.values())
                more = f" and {len(failed) - MOST_NAMED} more" if failed[MOST_NAMED:] else ""
                names = ", ".join(failed[:MOST_NAMED]) + more
                self._print_wrapped(f"Failed: {names}; {done}. Mend the cause, and {GO_ON}.")

    def _is_wanted(self, record: logging.LogRecord, event: Any, text: str) -> bool:
        """Whether to show a message that is no event of a job."""
        if event == LogEvent.SHELLCMD:
            return self._settings.printshellcmds and bool(text)
        if event == LogEvent.DEBUG_DAG or record.levelno == logging.DEBUG:
            return self._settings.verbose or (self._settings.debug_dag and event == LogEvent.DEBUG_DAG)
        if record.levelno >= logging.WARNING:
            return event != LogEvent.GROUP_ERROR and not any(each in text for each in REPEATED)
        return getattr(record, "for_people", False) and Quietness.ALL not in self._quiet

    def _say(self, *lines: str) -> None:
        if not self._quiet:
            self._screen.print(*lines)

    def _print_closing(self) -> None:
        if not self._quiet:
            self._print_wrapped(*closing_lines(Path()))

    def _print_wrapped(self, *lines: str) -> None:
        """Print lines, on a terminal broken between words."""
        width = self._screen.size()[0] - 1
        self._screen.print(
            *(part for line in lines for part in (_wrapped(line, width) if self._screen.live else [line]))
        )

    def _provide(self, record: Any) -> None:
        for name in ("cores", "nodes"):
            if getattr(record, name, None):
                self._provided[name] = getattr(record, name)
        limits = getattr(record, "provided_resources", None) or {}
        # Snakemake wraps the limits of a profile.
        values = {name: getattr(limit, "value", limit) for name, limit in limits.items() if not name.startswith("_")}
        self._provided |= {name: value for name, value in values.items() if isinstance(value, int)}

    def _begin(self, record: Any) -> None:
        # A dry run says it twice.
        if self._jobs is not None:
            return
        self._plan = _plan_with(record.stats)
        self._jobs = Jobs.of(record.stats, self._plan, Durations(FILE if self._plan else None), self._provided)
        cores = None if self._settings.dryrun or "nodes" in self._provided else self._provided.get("cores")
        lines = opening_lines(self._jobs, record.stats, cores, self._settings.dryrun)
        if not self._quiet:
            self._print_wrapped(*lines)

    def _start(self, record: Any) -> None:
        if self._jobs is None or record.rule_name == TARGET:
            return
        rules = {rule.name: rule for rule in self._plan.rules} if self._plan else {}
        rule, wildcards = record.rule_name, record.wildcards or {}
        address = self._plan.address(rules[rule], wildcards) if self._plan else None
        job = Job(
            name=name_of(rule, wildcards, rules),
            kind=kind_of(rule, wildcards),
            key=self._jobs.key(address, rule),
            logs=[Path(log) for log in record.log or []],
            reason=self._plan.stages[address].reason if self._plan and address else "",
        )
        why = f": {job.reason}" if job.reason else ""
        if self._settings.dryrun:
            self._say(f"{job.name}{why}")
            return
        self._jobs.start(record.jobid, job, asked_by(record, self._provided))
        if not self._screen.live:
            self._say(f"{job.name} starts{why}")

    def _finish(self, record: Any) -> None:
        if self._jobs is None or self._settings.dryrun:
            return
        job = self._jobs.running.get(record.job_id)
        instead = instead_of_run(job.logs[0]) if job and job.logs else ""
        if job is None or self._jobs.finish(record.job_id, ran=not instead) is None:
            return
        text = f"{job.name}: {instead or f'took {duration(job.seconds())}'}"
        if self._screen.live:
            # DVC knows the reason better when the stages before have run.
            why = (why_run(job.logs[0]) if job.logs and not instead else "") or job.reason
            self._say(self._screen.fit([f"{text} ({why})" if why else text]))
        else:
            self._say(f"{text} | {self._jobs.summary(self._jobs.reported())}")
        if job.logs and not instead and not self._quiet:
            self._print_wrapped(*warnings(job.logs[0]))
        if self._screen.live:
            self._screen.show(self._rows())

    def _fail(self, record: Any) -> None:
        job = self._jobs.fail(record.jobid) if self._jobs else None
        if job is None or self._is_stopped:
            return
        logs = [Path(log) for log in record.log or []]
        if logs and was_interrupted(logs[0]):
            return
        paths = [f"the whole log: {log}" for log in logs if log.exists()]
        self._screen.print(f"{job.name} failed after {duration(job.seconds())}:", failure(logs), *paths)

    def _end(self, record: Any) -> None:
        if self._jobs is None or record.done != record.total or self._settings.dryrun:
            return
        self._is_ended = True
        self._screen.show([])
        self._say(f"{counted(self._jobs.total, 'job')} took {duration(time.monotonic() - self._began)}.")
        if self._plan and not self._jobs.stages_left():
            self._print_closing()

    def _nothing_to_do(self, text: str) -> None:
        self._say(text)
        is_whole = PLAN_FILE.exists() and not any(stage.runs for stage in read_plan().stages.values())
        if is_whole and not self._settings.dryrun:
            self._print_closing()

    def redraw(self) -> None:
        """Draw the rows as they are now."""
        with self._lock:
            if self._jobs is not None and not self._closed.is_set() and not self._is_ended:
                self._screen.show(self._rows())

    def _keep_drawing(self) -> None:
        seconds = SECONDS_BETWEEN_DRAWINGS
        while not self._closed.wait(seconds):
            self.redraw()
            running = len(self._jobs.running) if self._jobs else 0
            seconds = max(SECONDS_BETWEEN_DRAWINGS, running * SECONDS_FOR_A_JOB)

    def _rows(self) -> list[Sequence[str]]:
        """The texts of each row: one of each running job, and one of the whole run."""
        if self._jobs is None or not self._jobs.running:
            return []
        jobs = self._jobs
        reported = jobs.reported()
        rows: list[Sequence[str]] = []
        for number, job in list(jobs.running.items())[:MOST_ROWS]:
            found, left = reported[number], jobs.left(job, reported[number])
            texts = found.describe() if found else [duration(job.seconds())]
            if found is None and left is not None:
                texts = [f"{texts[0]}, about {duration(left)} left", *texts]
            rows.append([f"{job.name}: {text}" for text in texts])
        if len(jobs.running) > MOST_ROWS:
            rows.append([f"and {len(jobs.running) - MOST_ROWS} more jobs"])
        whole = jobs.summary(reported)
        if len(rows) == 1:
            joined = [f"{text} | {whole}" for text in rows[0]]
            if any(self._screen.fits(text) for text in joined):
                return [joined]
        return [*rows, [whole]]


def _plan_with(counts: dict[str, int]) -> Plan | None:
    """The plan of the stages, if these are the jobs of a run; `snakemake detect` has none.

    Args:
        counts: number of jobs of each rule.
    """
    plan = read_plan() if PLAN_FILE.exists() else None
    rules = {rule.name for rule in plan.rules} if plan else set()
    return plan if counts.keys() - {TARGET, "total"} <= rules else None


def _wrapped(line: str, width: int) -> list[str]:
    """Break a line between words, so that a terminal breaks it nowhere else; what follows is indented as the line."""
    indent = " " * (len(line) - len(line.lstrip()))
    return textwrap.wrap(
        line, max(width, 20), subsequent_indent=indent, drop_whitespace=True, break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip
