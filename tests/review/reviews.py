"""A small review for tests of the page, and its server as a process of its own."""

import argparse
import json
import os
import resource
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import soundfile
from tiny import ROOT

from dawnchorus.models.bundle import Species
from dawnchorus.review.command import add_review
from dawnchorus.review.items import MEASURE, Item, Purpose, write_items
from dawnchorus.review.session import Session, SessionInfo, read_session, write_info

RATE = 16_000
SECONDS = 10.0
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
CODES = ["wren", "robin"]


def make_review(project: Path, n_items: int = 6, purpose: Purpose = MEASURE, **changes: Any) -> Session:
    """Make `review/one` in a project with one recording, a tone that rises from 1 to 6 kHz.

    Args:
        project: folder of the project.
        n_items: number of items; the first half is about the first species.
        purpose: of the review.
        changes: values of all items, such as the file.
    """
    sound = project / "sounds/site/a.wav"
    sound.parent.mkdir(parents=True)
    times = np.arange(int(SECONDS * RATE)) / RATE
    soundfile.write(sound, 0.3 * np.sin(2 * np.pi * (1000 + 250 * times) * times), RATE)
    folder = project / "review/one"
    folder.mkdir(parents=True)
    items = []
    for number in range(1, n_items + 1):
        item = Item(
            item=number, recording_id="site/a", file="sounds/site/a.wav", channel="mean", split="", site="site",
            clock_time="", start_s=2.0 + number % 5, end_s=4.0 + number % 5, f_min=None, f_max=None,
            species=CODES[number > (n_items + 1) // 2], score=number / (n_items + 1), probability=0.5, threshold=None,
            purpose=purpose, stratum="", inclusion_probability=0.5 if purpose == MEASURE else None,
        )  # fmt: skip
        items.append(replace(item, **changes))
    write_items(folder / "items.csv", items)
    species = [Species(species=code, scientific_name=f"{code} sp.", common_name="") for code in [*CODES, "dunnock"]]
    write_info(
        folder,
        SessionInfo(
            name="one", purpose=purpose, created="2026-05-01T10:00:00+00:00",
            model="0", results="results", data_root="sounds", seed=1, asked=CODES, species=species,
            thresholds={"wren": 0.25}, precision=0.9, window_seconds=2.0,
        ),
    )  # fmt: skip
    return read_session(str(folder))


def answer(item: int = 1, verdict: str = "present", reviewer: str = "Anna", **changes: Any) -> dict[str, Any]:
    """An answer as the page sends it, to an item of the first species."""
    return {"item": item, "species": "wren", "answer": verdict, "reviewer": reviewer, **changes}


def journal(project: Path) -> list[dict[str, Any]]:
    """The lines of the journal."""
    path = project / "review/one/answers.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def review(*options: str) -> None:
    """Run an action of `dawnchorus review` in this process."""
    parser = argparse.ArgumentParser()
    add_review(parser.add_subparsers())
    chosen = parser.parse_args(["review", *options])
    chosen.command(chosen)


@dataclass
class Server:
    """`dawnchorus review serve` as a process.

    Attributes:
        project: the folder in which it runs.
        process: the process.
        url: the address that it printed, with the token.
    """

    project: Path
    process: "subprocess.Popen[str]"
    url: str

    @classmethod
    def start(cls, project: Path) -> "Server":
        """Start it in a project, and wait until it answers; its log is `project/log.txt`."""
        command = [sys.executable, "-m", "dawnchorus.command", "review", "serve", "one"]
        with (project / "log.txt").open("a") as log:
            process = subprocess.Popen(
                command, cwd=project, stdout=subprocess.PIPE, stderr=log, text=True,
                env=ENVIRONMENT,
            )  # fmt: skip
        stream = process.stdout
        if stream is None:
            raise RuntimeError("no output")
        for line in stream:
            if line.strip().startswith("http://"):
                return cls(project, process, line.strip())
        raise RuntimeError((project / "log.txt").read_text())

    @property
    def origin(self) -> str:
        """The address without the token."""
        return self.url.partition("?")[0].rstrip("/")

    @property
    def token(self) -> str:
        """The secret."""
        return self.url.partition("token=")[2]

    def client(self) -> httpx.Client:
        """A program that has the token."""
        return httpx.Client(base_url=self.origin, headers={"Authorization": f"Bearer {self.token}"}, timeout=20)

    def start_again(self) -> None:
        """Start it after `kill`."""
        again = Server.start(self.project)
        self.process, self.url = again.process, again.url

    def fill_disk(self) -> None:
        """Let files grow by 50 bytes: to a program, a file that may not grow is a full disk."""
        path = self.project / "review/one/answers.jsonl"
        size = path.stat().st_size if path.exists() else 0
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (size + 50, resource.RLIM_INFINITY))

    def empty_disk(self) -> None:
        """Let files grow again."""
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
