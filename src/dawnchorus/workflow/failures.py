"""The reasons why jobs of a run failed, from Snakemake's log and the job logs that it names."""

import re
from collections.abc import Iterable
from pathlib import Path

# A job's error in Snakemake's log: the job id, the log of the stage and, on a cluster, the log of the scheduler.
ERROR = re.compile(
    r"^Error in .*\n(?:    .*\n)*?    jobid: (\d+)\n(?:    .*\n)*?    log: (.*) \(check log", re.MULTILINE
)


def failures(snakemake_logs: Iterable[str]) -> str:
    """The reason of each failed job and the paths of its logs. Attempts that were retried are omitted.

    Args:
        snakemake_logs: paths of Snakemake's logs.
    """
    text = "".join(Path(path).read_text() for path in snakemake_logs)
    logs = [
        path
        for error in ERROR.finditer(text)
        if f"Trying to restart job {error[1]}." not in text[error.end() :]
        for path in error[2].split(", ")
    ]
    return "\n".join(f"\n{reason(Path(path))}\nThe whole log: {path}" for path in dict.fromkeys(logs))


def reason(log: Path) -> str:
    """The reason of a failure in a job's log: Slurm's message, else the last error message, else the last lines."""
    lines = log.read_text().splitlines() if log.exists() else []
    killed = [line for line in lines if line.startswith("slurmstepd")]
    starts = [row for row, line in enumerate(lines) if line.startswith("error: ")]
    return "\n".join(killed or (lines[starts[-1] :] if starts else lines[-5:]))
