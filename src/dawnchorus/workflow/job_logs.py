"""What the log of a job tells: how far it is, why it runs or did not, what it warns of, and why it failed."""

import re
from dataclasses import dataclass
from pathlib import Path

from dawnchorus.progress import duration

# `run_stage` begins this line of a log.
REASON = "reason: "
# A script begins a line so that people shall see at the end of the job.
WARNING = "warning: "
# A line of `progress.py`, such as "12 of 20 epochs, 48 s left: loss 0.15".
PROGRESS = re.compile(
    r"(?P<done>\d+) of (?P<total>\d+) (?P<what>[^,]+)(?:, (?P<more>.+?))?, (?P<left>[\d.]+) (?P<unit>s|min|h) left"
    r"(?:: (?P<note>.*))?"
)
SECONDS = {"s": 1, "min": 60, "h": 3600}
# What DVC writes where it does not run a stage's command.
WITHOUT_RUN = {
    "is cached - skipping run": "restored from DVC's cache",
    "didn't change, skipping": "unchanged, so not run",
}
# DVC's message about a command that failed, which has said why itself. The command may have a thousand characters.
COMMAND_FAILED = re.compile(r"ERROR: failed to reproduce .*failed to run: .*, exited with (?P<code>-?\d+)$")
KILLED = -9
# Lines that DVC adds to every log.
OF_DVC = ("> ", "Running stage '", REASON, "Use `dvc push`")
FEW_LINES = 5
BYTES_OF_END = 8192


@dataclass(frozen=True)
class Progress:
    """How far a job is.

    Attributes:
        text: such as "12/20 epochs".
        note: such as "loss 0.15"; may be empty.
        seconds: estimated time left; 0 if it has passed.
    """

    text: str
    note: str
    seconds: float

    def describe(self) -> list[str]:
        """Texts for people, from the longest to the shortest."""
        left = f"{duration(self.seconds)} left" if self.seconds else ""
        notes = dict.fromkeys([self.note, self.note.partition(", ")[0], ""])
        return [", ".join(filter(None, [self.text, note, left])) for note in notes]


def progress(log: Path, since: float, now: float) -> Progress | None:
    """How far a job is by the end of its log; None if the log does not tell.

    Args:
        log: path of the log, which may be missing.
        since: when the job began, in seconds since the epoch. An older log is of another run.
        now: the present time.
    """
    try:
        written = log.stat().st_mtime
        lines = _end(log)
    except OSError:
        return None
    if written < since:
        return None
    for line in reversed(lines):
        found = PROGRESS.fullmatch(line)
        if found:
            seconds = float(found["left"]) * SECONDS[found["unit"]] - (now - written)
            note = ", ".join(filter(None, [found["note"], found["more"]]))
            return Progress(f"{found['done']}/{found['total']} {found['what']}", note, max(seconds, 0.0))
    return None


def why_run(log: Path) -> str:
    """Why DVC ran the stage; empty if the log does not tell."""
    return next((line.removeprefix(REASON) for line in _lines(log) if line.startswith(REASON)), "")


def instead_of_run(log: Path) -> str:
    """What DVC did instead of running the stage's command, for example "restored from DVC's cache"; empty if it ran."""
    ends = [line for line in _lines(log) if line.startswith("Stage '")]
    return next((said for line in ends for mark, said in WITHOUT_RUN.items() if mark in line), "")


def warnings(log: Path) -> list[str]:
    """The warnings of the stage's script."""
    return [line for line in _lines(log) if line.startswith(WARNING)]


def was_interrupted(log: Path) -> bool:
    """Whether the job ended because somebody pressed Ctrl-C."""
    return any(re.match(r"KeyboardInterrupt|ERROR: interrupted by the user", line) for line in _lines(log)[-50:])


def failure(logs: list[Path]) -> str:
    """The reason of a failure in a job's logs.

    It is Slurm's message, else the last error message of the stage's script, else DVC's, else the last lines.

    Args:
        logs: the stage's log and, on a cluster, the scheduler's.
    """
    lines = [line for log in logs for line in _lines(log)]
    killed = [line for line in lines if line.startswith("slurmstepd")]
    if killed:
        return "\n".join(killed)
    stage = _lines(logs[0]) if logs else []
    codes = [int(found["code"]) for line in stage if (found := COMMAND_FAILED.match(line))]
    stage = [line for line in stage if not COMMAND_FAILED.match(line) and not line.startswith(OF_DVC)]
    for mark in ("error: ", "ERROR: "):
        starts = [row for row, line in enumerate(stage) if line.startswith(mark)]
        if starts:
            return "\n".join(stage[starts[-1] :])
    if codes and codes[-1] == KILLED:
        return f"error: the command was killed (signal {-KILLED}), perhaps because memory ran out"
    return "\n".join((stage or lines)[-FEW_LINES:])


def _lines(log: Path) -> list[str]:
    return log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []


def _end(log: Path) -> list[str]:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - BYTES_OF_END))
        return file.read().decode("utf-8", errors="replace").splitlines()
