"""What a run shows on a terminal and in a file, by Snakemake's real events; the workflow itself is a made-up one."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from terminals import on_terminal
from tiny import ROOT

SNAKEFILE = """
import sys
sys.path.insert(0, "{src}")

rule all:
    input: expand("made/{{fold}}", fold=range(4)), "made/end"

rule train:
    output: "made/{{fold}}"
    log: "logs/train-{{fold}}.log"
    resources: gpu=0
    shell: "{{config[command]}} {{wildcards.fold}} > {{log}} 2>&1 && touch {{output}}"

rule end:
    input: expand("made/{{fold}}", fold=range(4))
    output: "made/end"
    log: "logs/end.log"
    shell: "touch {{output}} 2> {{log}}"
"""
TRAINING = """
import sys, time
for epoch in range(1, 4):
    print(f"{epoch} of 20 epochs, {40 - epoch} s left: loss 0.{epoch}500", file=sys.stderr, flush=True)
    time.sleep(0.6)
"""
FAILING = """
import sys
print("noise " * 300)
if sys.argv[1] == "2":
    print("error: data/folds.csv: row 3: found x\\n  expected a number")
    print("ERROR: failed to reproduce 'train@2': failed to run: PYTHONPATH=src python a.py --b, exited with 1")
    sys.exit(1)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "Snakefile").write_text(SNAKEFILE.format(src=ROOT / "src"))
    (tmp_path / "training.py").write_text(TRAINING)
    (tmp_path / "failing.py").write_text(FAILING)
    return tmp_path


def command(script: str, *options: str, cores: int = 2) -> list[str]:
    snakemake = [sys.executable, "-m", "snakemake", "--logger", "dawnchorus", "--cores", str(cores)]
    snakemake += ["--resources", "gpu=1"]
    return [*snakemake, *options, "--config", f"command={sys.executable} {script}" if script else "command=true"]


def environment(**changes: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "NO_COLOR")}
    return kept | {"PYTHONPATH": str(ROOT / "src"), **changes}


def test_a_row_tells_of_each_running_job_and_none_is_left(folder: Path) -> None:
    width = 60
    session = on_terminal(command("training.py"), folder, environment(), width)
    assert session.code == 0, session.raw
    last = session.screens[-1]
    # A line for each job, in the order in which they end.
    jobs = [line for line in last if ": took " in line]
    assert sorted(re.sub(r"took \d+ s", "took", line) for line in jobs) == [
        "end: took", *(f"train fold {fold}: took" for fold in range(4))
    ]  # fmt: skip
    assert re.fullmatch(r"5 jobs took \d+ s\.", last[-1])
    # One of the screens before has two jobs and the whole.
    together = [screen[-3:] for screen in session.screens if screen[-1].startswith("0 of 5 jobs")]
    row = r"train fold \d: \d/20 epochs, loss 0\.\d500, 3\d s left"
    assert any(
        all(re.fullmatch(row, each) for each in rows[:2])
        and re.fullmatch(r"0 of 5 jobs, more than \d+ s left", rows[2])
        for rows in together
    ), together
    # Nothing wraps, and a recording of the terminal has a line for each line that stays.
    assert all(len(line) < width for screen in session.screens for line in screen)
    assert session.raw.count("\n") == len(last)


def test_without_a_terminal_there_are_plain_lines(folder: Path) -> None:
    done = subprocess.run(
        command("", cores=1), cwd=folder, env=environment(), capture_output=True, text=True, check=True
    )
    assert not set("\x1b\r") & set(done.stdout + done.stderr)
    lines = done.stderr.splitlines()
    assert lines[:2] == [
        "5 jobs on 1 core: 4 train, end.",
        "How long they take is not known before they have run once.",
    ]
    assert len(lines) == 2 + 2 * 5 + 1
    assert re.fullmatch(r"train fold \d starts", lines[2])
    assert re.fullmatch(r"train fold \d: took \d+ s \| 1 of 5 jobs.*", lines[3])
    assert re.fullmatch(r"end: took \d+ s \| 5 of 5 jobs", lines[-2])


def test_a_failure_is_told_once_with_its_reason_and_its_log(folder: Path) -> None:
    session = on_terminal(command("failing.py", "--keep-going"), folder, environment())
    assert session.code == 1
    lines = session.screens[-1]
    start = next(row for row, line in enumerate(lines) if "failed" in line)
    assert re.fullmatch(r"train fold 2 failed after \d+ s:", lines[start])
    assert lines[start + 1 : start + 4] == [
        "error: data/folds.csv: row 3: found x", "  expected a number", "the whole log: logs/train-2.log"
    ]  # fmt: skip
    end = "Mend the cause, and the same command goes on where this run stopped."
    assert " ".join(lines[-2:]) == f"Failed: train fold 2; 3 of 5 jobs are done. {end}"
    text = "\n".join(lines)
    assert text.count("data/folds.csv") == text.count("logs/train-2.log") == 1
    for chatter in ("noise", "PYTHONPATH", "CalledProcessError", "Exiting"):
        assert chatter not in text
    assert "noise" in (folder / "logs/train-2.log").read_text()


def test_ctrl_c_ends_with_how_to_go_on(folder: Path) -> None:
    # On a busy machine, the key would come after the end of a job that is short.
    (folder / "training.py").write_text(TRAINING + "time.sleep(100)\n")
    session = on_terminal(command("training.py"), folder, environment(), interrupt=lambda text: "/20 epochs" in text)
    assert session.code != 0
    last = session.screens[-1]
    assert last[-1] == "Interrupted: 0 of 5 jobs are done; the same command goes on where this run stopped."
    assert not any("failed" in line or "Traceback" in line or "Error" in line for line in last)


def test_a_dry_run_lists_jobs_and_shell_commands_on_request(folder: Path) -> None:
    def said(*options: str) -> list[str]:
        call = command("training.py", "--dry-run", *options)
        return subprocess.run(
            call, cwd=folder, env=environment(), capture_output=True, text=True, check=True
        ).stdout.splitlines()

    jobs = [f"train fold {fold}" for fold in range(4)]
    first, *others = said()
    assert first == "5 jobs would run:"
    assert sorted(others) == ["end", *jobs]
    assert sum("training.py" in line for line in said("--printshellcmds")) == 4


def test_errors_of_the_snakefile_are_shown_without_its_lines(folder: Path) -> None:
    with (folder / "Snakefile").open("a") as file:
        file.write('from snakemake.exceptions import WorkflowError\nraise WorkflowError("params.yaml: is missing")\n')
    done = subprocess.run(command("x"), cwd=folder, env=environment(), capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "error: params.yaml: is missing"
