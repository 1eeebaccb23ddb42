"""Run one stage: `dvc --wait-for-lock repro --single-item <stage>`, with another way to read and write dvc.lock.

DVC reads and rewrites the whole of dvc.lock for each stage, in place. With hundreds of models that takes it half a
minute a job, while all others wait, and a job that is killed meanwhile leaves a file that no DVC can read. Here a job
reads and replaces its own stage's lines only, in a new file that then takes the old one's name. The bytes are those
that DVC writes.
"""

import argparse
import gc
import re
import sys
from pathlib import Path
from typing import Any

import dvc.dvcfile
from dvc.cli import main
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


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage", help="its name, after its dvc.yaml and a colon where that is not the first folder's")
    address = parser.parse_args().stage
    LockOfOneStage.stage = address.rpartition(":")[2]
    dvc.dvcfile.Lockfile = LockOfOneStage
    code = main(["--wait-for-lock", "repro", "--single-item", address])
    # Before it ends, Python looks for garbage among all objects; with DVC's that is a fifth of this process's work.
    gc.freeze()
    sys.exit(code)
