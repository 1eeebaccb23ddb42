"""Run one stage: `dvc --wait-for-lock repro --single-item <stage>`, with another way to write what jobs share.

DVC reads and rewrites the whole of dvc.lock for each stage, in place. With hundreds of models that takes it half a
minute a job, while all others wait, and a job that is killed meanwhile leaves a file that no DVC can read. Here a job
reads and replaces its own stage's lines only, in a new file that then takes the old one's name. The bytes are those
that DVC writes.

`locks.py` replaces what DVC does with its list of readers and writers. A job that is asked to end (SIGTERM, by which
Slurm cancels) ends its command and takes itself off that list.
"""

import argparse
import gc
import re
import signal
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import dvc.dvcfile
import dvc.rwlock
import psutil
from dvc.cli import main
from dvc.stage import PipelineStage
from dvc.stage.serialize import to_lockfile
from dvc.utils.serialize import dumps_yaml, parse_yaml

from dawnchorus.files import replacing
from dawnchorus.workflow.locks import rwlock

# Slurm itself waits 30 s before it kills.
SECONDS_TO_END = 10
HEADING = "schema: '2.0'\n"
# The mapping of stages, up to the next top-level key.
STAGES = re.compile(r"^stages:(?: \{\})?\n(?P<entries>(?:[ #].*\n|\n)*)", re.MULTILINE)


def find_entry(text: str, stage: str) -> re.Match[str] | None:
    """Where the lines of a stage, its name's first, stand in the text of a dvc.lock."""
    section = STAGES.search(text)
    entry = re.compile(rf"^  {re.escape(stage)}:\n(?:   .*\n|\n)*", re.MULTILINE)
    return entry.search(text, section.start("entries"), section.end("entries")) if section else None


def replace_entry(text: str, stage: str, entry: str) -> str:
    """The text of a dvc.lock with other lines of a stage; those of a new one follow the other stages'."""
    found = find_entry(text, stage)
    if found:
        return text[: found.start()] + entry + text[found.end() :]
    section = STAGES.search(text)
    if section:
        return f"{text[: section.start()]}stages:\n{section['entries']}{entry}{text[section.end() :]}"
    return f"{text or HEADING}stages:\n{entry}"


def only_entry(text: str, stage: str) -> str:
    """The text of a dvc.lock without the lines of other stages."""
    found, section = find_entry(text, stage), STAGES.search(text)
    if section is None:
        return text
    entries = f"stages:\n{found[0]}" if found else ""
    return text[: section.start()] + entries + text[section.end() :]


class LockOfOneStage(dvc.dvcfile.Lockfile):
    """A dvc.lock of which a single stage's lines are read and written."""

    stage: str

    def load(self, **kwargs: Any) -> dict:
        """What it holds of the stage, in DVC's form."""
        text = self._text()
        return self.validate(parse_yaml(only_entry(text, self.stage), self.path), self.path) if text else {}

    def dump_stages(self, stages: list[PipelineStage], **kwargs: Any) -> None:
        """Write what DVC now knows of stages."""
        text = self._text()
        for stage in stages:
            entry = dumps_yaml({"stages": to_lockfile(stage, **kwargs)}).removeprefix("stages:\n")
            text = replace_entry(text, stage.name, entry)
        with replacing(Path(self.path)) as path:
            path.write_text(text)

    def _text(self) -> str:
        return Path(self.path).read_text() if self.exists() else ""


def end(*_: Any) -> None:
    """End the stage's command and this process, in order."""
    children = psutil.Process().children(recursive=True)
    for child in children:
        child.terminate()
    for child in psutil.wait_procs(children, timeout=SECONDS_TO_END)[1]:
        child.kill()
    sys.exit(128 + signal.SIGTERM)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage", help="its name, after its dvc.yaml and a colon where that is not the first folder's")
    address = parser.parse_args().stage

    def listed(
        tmp_dir: str, _: Any, __: str, read: list[str], write: list[str], hardlink: bool
    ) -> AbstractContextManager:
        """What DVC calls as its `rwlock`."""
        return rwlock(address, tmp_dir, read, write, hardlink)

    LockOfOneStage.stage = address.rpartition(":")[2]
    dvc.dvcfile.Lockfile = LockOfOneStage
    dvc.rwlock.rwlock = listed
    signal.signal(signal.SIGTERM, end)
    code = main(["--wait-for-lock", "repro", "--single-item", address])
    # Before it ends, Python looks for garbage among all objects; with DVC's that is a fifth of this process's work.
    gc.freeze()
    sys.exit(code)
