"""A reviewer who knows the embedded data set's true calls, and answers a review over HTTP as the page does."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dawnchorus.seeding import generator

ROOT = Path(__file__).parent.parent
NAME = "simulated reviewer"


class Truth:
    """The true calls of the embedded data set."""

    def __init__(self, calls: pd.DataFrame) -> None:
        """Keep the calls.

        Args:
            calls: recording_id, species, t_min and t_max (s).
        """
        columns = ["recording_id", "species"]
        self._calls = {
            key: table[["t_min", "t_max"]].to_numpy(float) for key, table in calls.groupby(columns, sort=False)
        }

    @classmethod
    def read(cls, path: Path) -> "Truth":
        """Read the embedded data set's calls.csv."""
        calls = pd.read_csv(path)
        return cls(calls.assign(species="s" + calls.species_id.astype(str)))

    def is_present(
        self, recording_id: str, species: str, starts: NDArray[np.floating], ends: NDArray[np.floating]
    ) -> NDArray[np.bool_]:
        """Whether each window has at least half of a call, or, of a longer call, half a window of it; shape [Windows].

        Args:
            recording_id: the recording.
            species: the code of the species.
            starts: of the windows, s, shape [Windows].
            ends: of the windows, s, shape [Windows].
        """
        calls = self._calls.get((recording_id, species), np.empty((0, 2)))
        inside = np.minimum(ends[:, None], calls[:, 1]) - np.maximum(starts[:, None], calls[:, 0])
        needed = np.minimum(calls[:, 1] - calls[:, 0], (ends - starts)[:, None]) / 2
        return (inside >= needed).any(axis=1)


class Reviewer:
    """Gives the true answer to each item, or, at the error rate, the opposite."""

    def __init__(self, truth: Truth, error_rate: float, seed: int) -> None:
        """Know the truth.

        Args:
            truth: the true calls.
            error_rate: share of wrong answers, 0 to 1.
            seed: of the errors.
        """
        self._truth = truth
        self._error_rate = error_rate
        self._seed = seed

    def answer(self, review: str, item: dict[str, Any]) -> str:
        """`present` or `absent`, for an item as `/api/review` gives it."""
        window = np.array([item["start_s"]]), np.array([item["end_s"]])
        is_present = bool(self._truth.is_present(item["recording_id"], item["species"], *window)[0])
        errs = generator(self._seed, "errors", review, item["item"]).random() < self._error_rate
        return "present" if is_present != errs else "absent"


class Page:
    """What the review page's script does, without a browser."""

    def __init__(self, url: str) -> None:
        """Open the address that `dawnchorus review serve` prints."""
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        self._base = f"{origin}{parts.path}"
        # The environment's proxies must not get between.
        self._client = httpx.Client(headers={"Origin": origin}, timeout=60, trust_env=False)
        # The page's first request has the token; the server answers with the cookie.
        self._client.get(url).raise_for_status()

    def _get(self, path: str, **values: str) -> httpx.Response:
        return self._client.get(f"{self._base}{path}", params=values).raise_for_status()

    def items(self) -> list[dict[str, Any]]:
        """The items, in the page's order."""
        columns = self._get("api/review").json()["items"]
        return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]

    def answered(self) -> set[int]:
        """The numbers of the items that the reviewer has answered."""
        return {answer["item"] for answer in self._get("api/answers", reviewer=NAME).json()}

    def sound(self, number: int) -> bytes:
        """The sound of an item, a FLAC file."""
        return self._get(f"sound/{number}", margin="1").content

    def answer(self, number: int, species: str, answer: str) -> None:
        """Give an answer; when this returns, it is on the server's disk."""
        body = {"item": number, "species": species, "answer": answer, "reviewer": NAME, "seconds": 1.0}
        self._client.post(f"{self._base}api/answers", json=body).raise_for_status()


@contextmanager
def served(project: Path, review: str) -> Iterator[str]:
    """Run `dawnchorus review serve` in a project; yields the address that it prints."""
    command = [sys.executable, "-m", "dawnchorus.command", "review", "serve", review]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    with subprocess.Popen(command, cwd=project, env=environment, stdout=subprocess.PIPE, text=True) as server:
        try:
            address = next((line.strip() for line in server.stdout or () if "http://" in line), None)
            if address is None:
                raise RuntimeError(f"{' '.join(command)}: ended with {server.wait()} and without an address")
            yield address
        finally:
            server.terminate()


def answer_review(project: Path, review: str, reviewer: Reviewer) -> int:
    """Answer all items of a review that have no answer yet, and listen to each first; returns how many are present."""
    with served(project, review) as url:
        page = Page(url)
        done = page.answered()
        n_present = 0
        for item in page.items():
            answer = reviewer.answer(review, item)
            n_present += answer == "present"
            if item["item"] not in done:
                if not page.sound(item["item"]).startswith(b"fLaC"):
                    raise RuntimeError(f"{review}: item {item['item']} has no sound")
                page.answer(item["item"], item["species"], answer)
    return n_present
