"""What DVC knows of the stages, as inputs of the rules.

Required inputs: dvc.yaml, params.yaml, and whatever the stages depend on.
Outputs: .snakemake/dvc/plan.json, and a stamp beside it for each stage.

A stage runs if `dvc status` calls it stale or if it descends from one that runs. Its stamp is then new, and else older
than any output. All other inputs are `ancient()` unless a stage that runs makes them, so modification times, which
mean nothing after a run through DVC, a pull or a checkout, trigger nothing by themselves. What check_params writes is a
constant: it runs after every change of params.yaml and hands nothing on to its descendants.
"""

import gc
import json
import os
import re
import sys
import uuid
from pathlib import Path

import filelock
import psutil

from snakemake.exceptions import WorkflowError

sys.path.insert(0, str(Path(workflow.basedir) / "src"))

from dawnchorus.errors import InputError
from dawnchorus.config.loading import load_params
from dawnchorus.models.declarations import require_backbones

FOLDER = Path(".snakemake/dvc")
# Held until this process ends, however it ends; Snakemake's own lock, which a killed run leaves, is off in the profile.
RUN = filelock.FileLock(FOLDER / "run.lock", timeout=0)


def make_plan():
    """By the address of each stage: its outputs, the stages that make its inputs, and whether it runs."""
    # Imported here because jobs that Snakemake starts on other machines only read the plan.
    import networkx
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        require_backbones(load_params("params.yaml"))
        with Repo() as repo:
            refuse_other_writers(repo)
            stale = repo.status()
            graph, root = repo.index.graph, repo.root_dir
    except (InputError, DvcException) as error:
        # DVC writes it in place; the rules' jobs do not.
        remedy = (
            ": was a `dvc repro` killed while it wrote it? `git checkout` it, or remove it where git has none, "
            "and run again: finished stages come back from DVC's cache"
        )
        said = str(error)
        raise WorkflowError(said + remedy if "dvc.lock'" in said else said) from error
    except (OSError, UnicodeError) as error:
        raise WorkflowError(
            f"DVC cannot read a file that a stage depends on: {error}; a broken link in data.root, "
            "or a name that is not UTF-8?"
        ) from error
    wanted = {stage for stage in graph if stage.path == os.path.join(root, "dvc.yaml")}
    wanted |= {parent for stage in wanted for parent in networkx.descendants(graph, stage)}
    # A file that someone tracks with `dvc add` is a stage without a command.
    stages = {stage for stage in wanted if stage.cmd}
    runs = {stage for stage in stages if stage.addressing in stale}
    for stage in list(runs):
        if stage.name != "check_params" or not all(out.exists for out in stage.outs):
            runs |= networkx.ancestors(graph, stage) & stages
    for stage in sorted(runs, key=lambda stage: stage.addressing):
        refuse_read_only(stage, root)
    return {
        stage.addressing: {
            "outputs": [os.path.relpath(out.fs_path, root) for out in stage.outs],
            "parents": [
                parent.addressing for parent in graph.successors(stage) if parent in stages
            ],
            "runs": stage in runs,
        }
        for stage in sorted(stages, key=lambda stage: stage.addressing)
    }


def refuse_read_only(stage, root):
    """Make sure that a stage may write where its outputs go; Snakemake itself would end with a traceback."""
    for out in stage.outs:
        folder = next(parent for parent in Path(out.fs_path).parents if parent.exists())
        if not os.access(folder, os.W_OK | os.X_OK):
            raise WorkflowError(
                f"{os.path.relpath(folder, root)}: Permission denied, and {stage.addressing} writes there: "
                "give this user the permission to write"
            )


def stamp(address):
    return FOLDER / (re.sub(r"[^\w@.-]", "_", address) + ".stamp")


def hold_folder():
    """Take the lock of this folder, or say who has it."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    holder = FOLDER / "run.pid"
    try:
        RUN.acquire()
    except filelock.Timeout as error:
        raise WorkflowError(
            f"another Snakemake (PID {holder.read_text()}) runs in this folder: wait until it ends, or end it; "
            "nothing has to be unlocked afterwards"
        ) from error
    holder.write_text(str(os.getpid()))


def refuse_other_writers(repo):
    """Make sure that no other DVC writes outputs: a `dvc repro`, or a job that outlived its Snakemake."""
    from dvc.rwlock import RWLockFileCorruptedError, _edit_rwlock

    def lives(entry):
        try:
            command = " ".join(psutil.Process(entry["pid"]).cmdline())
            return "dvc" in command or "dawnchorus.workflow.run_stage" in command
        except psutil.NoSuchProcess:
            return False
        except psutil.AccessDenied:
            # Another user's: it may be a colleague's DVC in this folder.
            return True

    hardlinks = repo.config["core"].get("hardlink_lock", False)
    try:
        with _edit_rwlock(repo.tmp_dir, repo.fs, hardlinks) as locks:
            writers = {path: entry for path, entry in locks["write"].items() if lives(entry)}
            # A killed one's number may be another process's by now, and DVC would wait for that.
            locks["write"] = writers
            locks["read"] = {
                path: [entry for entry in entries if lives(entry)]
                for path, entries in locks["read"].items()
            }
    except RWLockFileCorruptedError:
        # One was killed while it wrote this list, and DVC would stop at what is left of it.
        os.remove(os.path.join(repo.tmp_dir, "rwlock"))
        return
    for path, entry in writers.items():
        raise WorkflowError(
            f"another process writes {os.path.relpath(path)}: {entry['cmd']} (PID {entry['pid']}): "
            "wait until it ends, or end it"
        )


def write_plan():
    plan = make_plan()
    for address, stage in plan.items():
        if stage["runs"]:
            stamp(address).write_text(uuid.uuid4().hex)
        else:
            stamp(address).touch()
            os.utime(stamp(address), (1, 1))
    (FOLDER / "plan.json").write_text(json.dumps(plan, indent=1))


def all_outputs():
    return [out for stage in PLAN.values() for out in stage["outputs"]]


def stage_address(pattern, wildcards):
    """The address of the stage that is `pattern`, filled in with the wildcards; DVC numbers the rounds of a matrix."""
    names = dict(wildcards)
    if "round" in names:
        names["round"] = ROUNDS.get(names["round"], names["round"])
    return pattern.format(**names)


def dvc_inputs(pattern):
    """An input function for the stage whose address is `pattern`, filled in with the wildcards."""

    def inputs(wildcards):
        address = stage_address(pattern, wildcards)
        if address not in PLAN:
            raise WorkflowError(f"dvc.yaml has no stage {address}: params.yaml does not name it")
        stage = PLAN[address]
        made = [
            out if stage["runs"] and PLAN[parent]["runs"] else ancient(out)
            for parent in stage["parents"]
            for out in PLAN[parent]["outputs"]
        ]
        return [str(stamp(address)), *made]

    return inputs


def print_failures(snakemake_logs):
    """End a failed run with the reason of each failed job and the paths of its logs.

    On a cluster these are the stage's and the scheduler's; an attempt that another followed is left out.
    """
    text = "".join(Path(path).read_text() for path in snakemake_logs)
    errors = re.finditer(
        r"^Error in .*\n(?:    .*\n)*?    jobid: (\d+)\n(?:    .*\n)*?    log: (.*) \(check log",
        text,
        re.MULTILINE,
    )
    logs = [
        error[2]
        for error in errors
        if f"Trying to restart job {error[1]}." not in text[error.end() :]
    ]
    for path in dict.fromkeys(path for paths in logs for path in paths.split(", ")):
        lines = Path(path).read_text().splitlines() if Path(path).exists() else []
        starts = [row for row, line in enumerate(lines) if line.startswith("error: ")]
        end = lines[starts[-1] :] if starts else lines[-5:]
        killed = [line for line in lines if line.startswith("slurmstepd")]
        print("", *(killed or end), f"The whole log: {path}", sep="\n", file=sys.stderr)


if workflow.is_main_process:
    hold_folder()
    write_plan()
PLAN = json.loads((FOLDER / "plan.json").read_text())
ROUNDS = {
    each.id: f"round{number}" for number, each in enumerate(load_params("params.yaml").teachers)
}
# The modules of Snakemake and DVC stay until the end: without this, Python's searches for garbage, that at the end
# above all, go through them again, for a seventh of the time in which Snakemake finds that there is nothing to do.
gc.freeze()
