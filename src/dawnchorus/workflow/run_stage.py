"""Run one stage: `dvc --wait-for-lock repro --single-item <stage>`, with safer writes of the files that jobs share.

For each stage, DVC reads and rewrites the whole dvc.lock in place. With hundreds of models this takes half a minute per
job, while all other jobs wait. A job that is killed while it writes leaves a file that DVC cannot read. Here, a job
parses and replaces only the lines of its own stage, and replaces the file atomically. The content is the same as DVC's.

DVC hashes a stage's dependencies before and after its command. Here, a job fails if they differ. The stage's script
checks this too (see `inputs.py`), but not while DVC waits for its lock after the command.

DVC keeps each run of a stage as a file in a folder of its cache. A job that is killed just then leaves an empty folder
or a part of a file, on which DVC fails. Here, a job looks at complete files only.

`locks.py` replaces DVC's handling of its list of readers and writers. On SIGTERM, which Slurm sends to cancel a job, a
job ends its command and removes itself from that list.
"""

import argparse
import gc
import re
import signal
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import dvc.dvcfile
import dvc.rwlock
import dvc.stage.cache
import psutil
from dvc.cli import main
from dvc.exceptions import DvcException
from dvc.stage import PipelineStage
from dvc.stage.serialize import to_lockfile
from dvc.utils.serialize import dumps_yaml, parse_yaml

from dawnchorus.errors import InputError
from dawnchorus.files import replacing
from dawnchorus.workflow.job_logs import REASON
from dawnchorus.workflow.locks import rwlock
from dawnchorus.workflow.reasons import reason_of
from dawnchorus.workflow.stage_inputs import remove_leftovers

# Slurm waits 30 s between SIGTERM and SIGKILL.
SECONDS_TO_END = 10
HEADING = "schema: '2.0'\n"
# The mapping `stages`, up to the next top-level key.
STAGES = re.compile(r"^stages:(?: \{\})?\n(?P<entries>(?:[ #].*\n|\n)*)", re.MULTILINE)


def find_entry(text: str, stage: str) -> re.Match[str] | None:
    """Find the lines of a stage, starting with its name, in the text of a dvc.lock."""
    section = STAGES.search(text)
    entry = re.compile(rf"^  {re.escape(stage)}:\n(?:   .*\n|\n)*", re.MULTILINE)
    return entry.search(text, section.start("entries"), section.end("entries")) if section else None


def replace_entry(text: str, stage: str, entry: str) -> str:
    """Replace the lines of a stage in the text of a dvc.lock. A new stage is added after the other stages."""
    found = find_entry(text, stage)
    if found:
        return text[: found.start()] + entry + text[found.end() :]
    section = STAGES.search(text)
    if section:
        return f"{text[: section.start()]}stages:\n{section['entries']}{entry}{text[section.end() :]}"
    return f"{text or HEADING}stages:\n{entry}"


def only_entry(text: str, stage: str) -> str:
    """Remove the lines of all other stages from the text of a dvc.lock."""
    found, section = find_entry(text, stage), STAGES.search(text)
    if section is None:
        return text
    entries = f"stages:\n{found[0]}" if found else ""
    return text[: section.start()] + entries + text[section.end() :]


class LockOfOneStage(dvc.dvcfile.Lockfile):
    """A dvc.lock of which only the lines of one stage are parsed and written."""

    stage: str

    def load(self, **kwargs: Any) -> dict:
        """Load the entry of the stage, in DVC's form."""
        text = self._text()
        return self.validate(parse_yaml(only_entry(text, self.stage), self.path), self.path) if text else {}

    def dump_stages(self, stages: list[PipelineStage], **kwargs: Any) -> None:
        """Write the entries of stages."""
        text = self._text()
        for stage in stages:
            entry = dumps_yaml({"stages": to_lockfile(stage, **kwargs)}).removeprefix("stages:\n")
            text = replace_entry(text, stage.name, entry)
        with replacing(Path(self.path)) as path:
            path.write_text(text)

    def _text(self) -> str:
        return Path(self.path).read_text() if self.exists() else ""


def refusing_changes(save_deps: Callable[..., None]) -> Callable[..., None]:
    """Wrap DVC's function that hashes a stage's dependencies: it raises an error if a later call finds others."""
    first: dict[str, Any] = {}

    def save(stage: PipelineStage, **kwargs: Any) -> None:
        save_deps(stage, **kwargs)
        now = {str(dep): dep.hash_info.value for dep in stage.deps}
        changed = [path for path, value in now.items() if first.setdefault(path, value) != value]
        if changed:
            raise DvcException(
                f"inputs changed while the stage ran: {', '.join(changed)}. Its results are not recorded, because they "
                "may come from either version; run again"
            )

    return save


def last_run(runs: dvc.stage.cache.StageCache, stage: PipelineStage) -> dict[str, Any] | None:
    """Find the last run of a stage with its present command and dependencies in DVC's cache."""
    key = dvc.stage.cache._get_stage_hash(stage)
    # The names of files that are being written begin with a dot.
    complete = sorted(Path(runs._get_cache_dir(key)).glob("[!.]*"), key=lambda path: path.stat().st_mtime)
    return runs._load_cache(key, complete[-1].name) if complete else None


def telling_why(run: Callable[..., None]) -> Callable[..., None]:
    """Wrap DVC's function that runs a stage: it first prints why the stage runs."""

    def tell_and_run(stage: PipelineStage, **kwargs: Any) -> None:
        why = reason_of(stage)
        if why:
            print(f"{REASON}{why}", flush=True)
        run(stage, **kwargs)

    return tell_and_run


def end(*_: Any) -> None:
    """End the stage's command, then this process."""
    children = psutil.Process().children(recursive=True)
    for child in children:
        child.terminate()
    for child in psutil.wait_procs(children, timeout=SECONDS_TO_END)[1]:
        child.kill()
    sys.exit(128 + signal.SIGTERM)


if __name__ == "__main__":
    # DVC makes many objects and little garbage; looking for it takes a tenth of this process's time.
    gc.disable()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage", help="name of the stage, or <dvc.yaml>:<name> for one in a subfolder")
    address = parser.parse_args().stage
    # Before DVC hashes the dependencies.
    try:
        remove_leftovers(address)
    except InputError as error:
        sys.exit(f"error: {error}")

    def listed(
        tmp_dir: str, _: Any, __: str, read: list[str], write: list[str], hardlink: bool
    ) -> AbstractContextManager:
        """Replacement of DVC's `rwlock`."""
        return rwlock(address, tmp_dir, read, write, hardlink)

    LockOfOneStage.stage = address.rpartition(":")[2]
    dvc.dvcfile.Lockfile = LockOfOneStage
    dvc.rwlock.rwlock = listed
    dvc.stage.cache.StageCache._load = last_run
    PipelineStage.save_deps = refusing_changes(PipelineStage.save_deps)
    PipelineStage.run = telling_why(PipelineStage.run)
    signal.signal(signal.SIGTERM, end)
    code = main(["--wait-for-lock", "repro", "--single-item", address])
    # Skip the garbage collection at exit: with DVC's many objects it takes a fifth of this process's time.
    gc.freeze()
    sys.exit(code)
