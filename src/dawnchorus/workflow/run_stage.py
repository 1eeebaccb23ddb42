"""Run one stage: `dvc --wait-for-lock repro --single-item <stage>`, with another way to write what jobs share.

DVC reads and rewrites the whole of dvc.lock for each stage, in place. With hundreds of models that takes it half a
minute a job, while all others wait, and a job that is killed meanwhile leaves a file that no DVC can read. Here a job
reads and replaces its own stage's lines only, in a new file that then takes the old one's name. The bytes are those
that DVC writes.

DVC's list of who reads and writes what, .dvc/tmp/rwlock, is replaced in the same way, so that a job that is killed
while it changes the list stops no other.
"""

import argparse
import gc
import json
import os
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dvc.dvcfile
import dvc.rwlock
from dvc.cli import main
from dvc.fs import LocalFileSystem
from dvc.lock import make_lock
from dvc.stage import PipelineStage
from dvc.stage.serialize import to_lockfile
from dvc.utils.serialize import dumps_yaml, parse_yaml

from dawnchorus.files import replacing

HEADING = "schema: '2.0'\nstages:\n"


def find_entry(text: str, stage: str) -> re.Match[str] | None:
    """Where the lines of a stage, its name's first, stand in the text of a dvc.lock."""
    return re.search(rf"^  {re.escape(stage)}:\n(?:   .*\n)*", text, re.MULTILINE)


def replace_entry(text: str, stage: str, entry: str) -> str:
    """The text of a dvc.lock with other lines of a stage; those of a new one come last."""
    found = find_entry(text, stage)
    if found:
        return text[: found.start()] + entry + text[found.end() :]
    return (text or HEADING) + entry


class LockOfOneStage(dvc.dvcfile.Lockfile):
    """A dvc.lock of which a single stage's lines are read and written."""

    stage: str

    def load(self, **kwargs: Any) -> dict:
        """What it holds of the stage, in DVC's form."""
        found = find_entry(self._text(), self.stage)
        return self.validate(parse_yaml(HEADING + found[0], self.path), self.path) if found else {}

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


@contextmanager
def edit_rwlock(lock_dir: str, fs: LocalFileSystem, hardlink: bool) -> Iterator[dict]:
    """Change DVC's list of readers and writers, in DVC's form; in place of `dvc.rwlock._edit_rwlock`.

    Without what an earlier attempt at this job left: Snakemake starts the next one when that has ended, though its
    number may be another process's by now, here or on another node. Where many jobs change the list, each waits for its
    turn.
    """
    path = Path(lock_dir, dvc.rwlock.RWLOCK_FILE)
    guard = str(path.with_name(dvc.rwlock.RWLOCK_LOCK))
    with make_lock(guard, tmp_dir=lock_dir, hardlink_lock=hardlink, wait=True):
        try:
            users = dvc.rwlock.SCHEMA(json.loads(path.read_text()) if path.exists() else {})
        except json.JSONDecodeError as error:
            raise dvc.rwlock.RWLockFileCorruptedError(path) from error
        mine = " ".join(sys.argv)

        def earlier(user: dict) -> bool:
            return user["cmd"] == mine and user["pid"] != os.getpid()

        reads = {name: [user for user in several if not earlier(user)] for name, several in users["read"].items()}
        writes = {name: user for name, user in users["write"].items() if not earlier(user)}
        edited = {"read": defaultdict(list, reads), "write": defaultdict(dict, writes)}
        yield edited
        with replacing(path) as new:
            new.write_text(json.dumps(edited))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage", help="its name, after its dvc.yaml and a colon where that is not the first folder's")
    address = parser.parse_args().stage
    LockOfOneStage.stage = address.rpartition(":")[2]
    dvc.dvcfile.Lockfile = LockOfOneStage
    dvc.rwlock._edit_rwlock = edit_rwlock
    code = main(["--wait-for-lock", "repro", "--single-item", address])
    # Before it ends, Python looks for garbage among all objects; with DVC's that is a fifth of this process's work.
    gc.freeze()
    sys.exit(code)
