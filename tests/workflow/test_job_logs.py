"""What a job's log tells: its progress and the reason of its failure."""

import os
from pathlib import Path

import pytest

from dawnchorus.progress import hours_line, progress_line
from dawnchorus.workflow.job_logs import failure, instead_of_run, progress, was_interrupted

DVCS = """reason: never run
Running stage 'train@0':
> PYTHONPATH=src python train.py --and many more options
"""
FAILED = "ERROR: failed to reproduce 'train@0': failed to run: PYTHONPATH=src python train.py, exited with {}\n"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "train.log"


@pytest.mark.parametrize(
    ("line", "texts"),
    [
        (
            f"{progress_line(12, 20, 'epochs', 72)}: loss 0.15, precision 0.9",
            [
                "12/20 epochs, loss 0.15, precision 0.9, 43 s left",
                "12/20 epochs, loss 0.15, 43 s left",
                "12/20 epochs, 43 s left",
            ],
        ),
        (progress_line(40, 160, "train recordings cached", 9), ["40/160 train recordings cached, 22 s left"]),
        (
            hours_line(0, 1, "recordings scored", 12, 24, 600),
            ["0/1 recordings scored, 12.0 of 24.0 h, 72 times real time, 10 min left"],
        ),
    ],
)
def test_the_last_line_on_progress_counts(log: Path, line: str, texts: list[str]) -> None:
    log.write_text(f"{DVCS}1 of 20 epochs, 500 s left\n{line}\nWARNING: noise\n")
    os.utime(log, (1000, 1000))
    # Five seconds have passed since; minutes are too coarse to show them.
    left = 0 if "min" in line else 5
    found = progress(log, since=990, now=1000 + left)
    assert found
    said = found.describe()
    if left:
        texts = [text.replace("48 s", "43 s").replace("27 s", "22 s") for text in texts]
    assert said[: len(texts)] == texts


def test_a_log_of_another_run_tells_no_progress(log: Path) -> None:
    assert progress(log, since=0, now=0) is None
    log.write_text("12 of 20 epochs, 48 s left\n")
    os.utime(log, (1000, 1000))
    assert progress(log, since=1001, now=1002) is None


def test_a_failure_has_the_message_of_the_stage_without_dvcs(log: Path, tmp_path: Path) -> None:
    log.write_text(f"{DVCS}error: old\nnoise\nerror: no space left\n  on /data\n{FAILED.format(1)}")
    assert failure([log]) == "error: no space left\n  on /data"
    log.write_text(f"{DVCS}ERROR: failed to reproduce 'train@0': inputs changed while the stage ran: a.py\n")
    assert failure([log]) == "ERROR: failed to reproduce 'train@0': inputs changed while the stage ran: a.py"
    log.write_text(f"{DVCS}Traceback (most recent call last):\n  File x\nRuntimeError: oh\n{FAILED.format(1)}")
    assert failure([log]) == "Traceback (most recent call last):\n  File x\nRuntimeError: oh"
    log.write_text(f"{DVCS}1 of 20 epochs\n{FAILED.format(-9)}")
    assert failure([log]) == "error: the command was killed (signal 9), perhaps because memory ran out"
    slurm = tmp_path / "7.log"
    slurm.write_text("noise\nslurmstepd-n1: error: exceeded memory limit\nmore noise\n")
    assert failure([log, slurm]) == "slurmstepd-n1: error: exceeded memory limit"
    slurm.write_text("a\nb\n")
    assert failure([tmp_path / "missing.log", slurm]) == "a\nb"
    assert failure([tmp_path / "missing.log"]) == ""


def test_what_dvc_did_instead_of_running(log: Path) -> None:
    log.write_text("Stage 'train@0' is cached - skipping run, checking out outputs\n")
    assert instead_of_run(log) == "restored from DVC's cache"
    log.write_text("Stage 'train@0' didn't change, skipping\n")
    assert instead_of_run(log) == "unchanged, so not run"
    log.write_text(DVCS)
    assert instead_of_run(log) == ""
    assert not was_interrupted(log)
    log.write_text(f"{DVCS}Traceback (most recent call last):\n  ...\nKeyboardInterrupt\n")
    assert was_interrupted(log)
