"""The folder of a review, `review/<name>/`.

    session.json    what was asked for, and of which model
    items.csv       the windows to listen to, drawn once
    answers.jsonl   what reviewers answered

Git ignores it; `dawnchorus review finish` merges its answers into `answers/answers.csv`.
"""

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pydantic import ValidationError

from dawnchorus.config.section import Section
from dawnchorus.errors import InputError
from dawnchorus.files import replacing
from dawnchorus.models.bundle import Species
from dawnchorus.review.items import Item, Purpose, read_items
from dawnchorus.review.journal import UNDONE, Answer, AnswerJournal, standing_answers

FOLDER = Path("review")
INFO, ITEMS, ANSWERS = "session.json", "items.csv", "answers.jsonl"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class SessionInfo(Section):
    """The content of `session.json`.

    Attributes:
        name: of the review, and of its folder.
        purpose: why the items were drawn.
        created: when, ISO 8601 with a zone.
        model: hash of the model that gave the scores.
        results: folder that the scores are from.
        data_root: folder of the recordings; items lie in it.
        seed: of the random draws.
        asked: codes of the species that items are about.
        species: all species of the model, in the order of scores.
        thresholds: of each asked species that has one, by code.
        precision: that the thresholds were chosen for.
        window_seconds: length of a window, s.
    """

    name: str
    purpose: Purpose
    created: str
    model: str
    results: str
    data_root: str
    seed: int
    asked: list[str]
    species: list[Species]
    thresholds: dict[str, float]
    precision: float
    window_seconds: float


@dataclass(frozen=True)
class Session:
    """A review.

    Attributes:
        folder: its folder.
        info: what was asked for.
        items: the windows to listen to, by number.
    """

    folder: Path
    info: SessionInfo
    items: dict[int, Item]

    @cached_property
    def journal(self) -> AnswerJournal:
        """What reviewers answered."""
        return AnswerJournal(self.folder / ANSWERS)

    @cached_property
    def codes(self) -> set[str]:
        """The codes of all species of the model."""
        return {each.species for each in self.info.species}

    def answer(self, answer: Answer) -> None:
        """Check an answer against the items and species, and put it on disk.

        Raises:
            ValueError: there is no such item, or it is about another species; nothing is written.
            OSError: it could not be written.
        """
        self.check(answer)
        self.journal.append(answer)

    def check(self, answer: Answer) -> None:
        """Check that an answer is about an item of this review.

        Raises:
            ValueError: it is not.
        """
        item = self.items.get(answer.item)
        if item is None:
            raise ValueError(f"item: found {answer.item}, expected the number of an item in {self.folder / ITEMS}")
        if answer.species != item.species and not (answer.answer == UNDONE and not answer.species):
            raise ValueError(f"species: found {answer.species!r}, expected that of item {item.item}, {item.species!r}")
        unknown = [code for code in answer.other_species if code not in self.codes]
        if unknown:
            raise ValueError(f"other_species: found {unknown[0]!r}, expected species of the model")

    def answers(self) -> list[Answer]:
        """The answers that count, by item and reviewer.

        Raises:
            InputError: a line of the journal is no answer, or none to an item of this review.
        """
        found = standing_answers(self.journal.read())
        for answer in found.values():
            try:
                self.check(answer)
            except ValueError as error:
                raise InputError(
                    f"{self.journal.path}: item {answer.item} by {answer.reviewer}: {error}; correct or remove the line"
                ) from error
        return list(found.values())


def write_info(folder: Path, info: SessionInfo) -> None:
    """Write `session.json`."""
    with replacing(folder / INFO) as path:
        path.write_text(info.model_dump_json(indent=2) + "\n", encoding="utf-8")


def read_session(name: str) -> Session:
    """Read a review.

    Args:
        name: of the review, or the path of its folder.

    Raises:
        InputError: there is none of this name, or a file of it is damaged.
    """
    folder = Path(name) if (Path(name) / INFO).is_file() else FOLDER / name
    path = folder / INFO
    try:
        info = SessionInfo.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        known = ", ".join(session_names()) or "none"
        raise InputError(f"{folder}: is no review; found {known}; `dawnchorus review start` makes one") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{path}: {key or 'the content'}: {first['msg']}; start another review") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: is not valid JSON: {error}; start another review") from error
    return Session(folder, info, {item.item: item for item in read_items(folder / ITEMS)})


def session_names() -> Sequence[str]:
    """The names of the reviews in this project, sorted."""
    return sorted(path.parent.name for path in FOLDER.glob(f"*/{INFO}"))


def review_lines() -> list[str]:
    """A line for each review: what it is for, and how many of its items each reviewer has answered."""
    sessions = [read_session(name) for name in session_names()]
    lines = []
    for session in sessions:
        counts = Counter(answer.reviewer for answer in session.answers())
        done = ", ".join(f"{count} by {reviewer}" for reviewer, count in sorted(counts.items())) or "none"
        lines.append(
            f"{session.info.name}  {session.info.purpose}  {', '.join(session.info.asked)}: "
            f"{len(session.items)} items, answered: {done}"
        )
    return lines or ["No reviews yet; `dawnchorus review start` makes one."]
