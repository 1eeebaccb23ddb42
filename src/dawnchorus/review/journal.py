"""The answers of a review, `answers.jsonl`: a line of JSON for each, in the order in which they were given.

Lines are only ever added. An answer is on disk before `append` returns, and several processes may append at once.
To undo, a further line says so; for each reviewer and item, the last line counts. A power cut may leave a part of a
line at the end: nobody was told that this answer is safe, readers leave it out, and the next `append` removes it.
"""

import json
import math
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import filelock

from dawnchorus.errors import InputError

PRESENT, ABSENT, UNSURE, OTHER, UNDONE = "present", "absent", "unsure", "other", "undone"
CHOICES = (PRESENT, ABSENT, UNSURE, OTHER, UNDONE)


@dataclass(frozen=True)
class Answer:
    """What a reviewer said of an item.

    Attributes:
        item: number of the item, from 1.
        answer: `present`, `absent` or `unsure` of the item's species; `other`: absent, and other species call; or
            `undone`: the reviewer takes the previous answer back.
        reviewer: name of the reviewer.
        time: when it was given, ISO 8601 with a zone.
        species: code of the item's species; it may be empty where the answer is `undone`.
        other_species: codes of other species that call.
        note: free text.
        seconds: how long the reviewer took; None if it is unknown.
    """

    item: int
    answer: str
    reviewer: str
    time: str
    species: str = ""
    other_species: tuple[str, ...] = ()
    note: str = ""
    seconds: float | None = None

    @classmethod
    def of(cls, found: Any) -> "Answer":
        """Check what was parsed from JSON, a line or the body of a request.

        Raises:
            ValueError: it is no answer; the message says what was found and what was expected.
        """
        if not isinstance(found, dict):
            raise ValueError(f"found {_shown(found)}, expected an object with item, answer, reviewer and time")
        unknown = found.keys() - cls.__dataclass_fields__.keys()
        if unknown:
            raise ValueError(f"found the key {min(unknown)!r}, expected {', '.join(cls.__dataclass_fields__)}")
        for key, is_right, expected in _CHECKS:
            if key in found and not is_right(found[key]):
                raise ValueError(f"{key}: found {_shown(found[key])}, expected {expected}")
            if key not in found and key in ("item", "answer", "reviewer", "time"):
                raise ValueError(f"has no {key}; expected {expected}")
        answer = cls(**{**found, "other_species": tuple(found.get("other_species", ()))})
        if answer.answer != UNDONE and not answer.species:
            raise ValueError("has no species; expected the code of the item's species")
        if (answer.answer == OTHER) and not answer.other_species:
            raise ValueError("answer: found 'other' without other_species; expected at least one code")
        if answer.species in answer.other_species:
            raise ValueError(f"other_species: found the item's own species {answer.species!r}; expected others")
        return answer


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_time(value: Any) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except (TypeError, ValueError):
        return False


_CHECKS = [
    ("item", lambda value: type(value) is int and value >= 1, "a whole number from 1"),
    ("answer", lambda value: value in CHOICES, " or ".join(CHOICES)),
    ("reviewer", _is_text, "the name of the reviewer"),
    ("time", _is_time, "a time such as 2026-05-01T08:30:00+00:00, with a zone"),
    ("species", lambda value: isinstance(value, str), "the code of a species"),
    ("other_species", lambda value: isinstance(value, list | tuple) and all(map(_is_text, value)), "a list of codes"),
    ("note", lambda value: isinstance(value, str), "text"),
    (
        "seconds",
        lambda value: value is None or (type(value) in (int, float) and value >= 0 and math.isfinite(value)),
        "a number from 0, or null",
    ),
]  # fmt: skip


def standing_answers(answers: Iterable[Answer]) -> dict[tuple[int, str], Answer]:
    """The answer that counts for each item and reviewer, without those that were taken back, by item and reviewer."""
    last = {(answer.item, answer.reviewer): answer for answer in answers}
    return {key: answer for key, answer in sorted(last.items()) if answer.answer != UNDONE}


class AnswerJournal:
    """The file with the answers of a review."""

    def __init__(self, path: Path) -> None:
        """Open a journal, which may not exist yet."""
        self.path = path

    def append(self, answer: Answer) -> None:
        """Add an answer; when this returns, it is on disk.

        Raises:
            OSError: it could not be written; then the journal is as before.
        """
        line = (json.dumps(asdict(answer), ensure_ascii=False) + "\n").encode()
        # A lock of its own for each call: threads of one process exclude each other, too.
        with filelock.FileLock(self.path.with_name(f".{self.path.name}.lock"), thread_local=False):
            is_new = not self.path.exists()
            file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
            try:
                self._append(file, line)
            except OSError as error:
                # The error for a full disk does not name the file.
                error.filename = error.filename or str(self.path)
                raise
            finally:
                os.close(file)
            if is_new:
                _sync_folder(self.path.parent)

    def _append(self, file: int, line: bytes) -> None:
        end = os.fstat(file).st_size
        tail = _torn_tail(file, end)
        if tail and _parses(tail):
            # Only the line break is missing, as where someone edited the file.
            line = b"\n" + line
        elif tail:
            end -= len(tail)
            os.ftruncate(file, end)
        try:
            written = 0
            while written < len(line):
                written += os.write(file, line[written:])
            os.fsync(file)
        except OSError:
            os.ftruncate(file, end)
            raise

    def read(self) -> list[Answer]:
        """All answers, in the order in which they were given; none if there is no file yet.

        Raises:
            InputError: a line is no answer.
        """
        return self.read_from(0)[0]

    def read_from(self, offset: int) -> tuple[list[Answer], int]:
        """The answers from an offset on, and the offset from which to read those that come later.

        Args:
            offset: 0, or one that an earlier call returned, bytes.

        Raises:
            InputError: a line is no answer.
        """
        try:
            with self.path.open("rb") as file:
                file.seek(offset)
                content = file.read()
        except FileNotFoundError:
            return [], 0
        *lines, tail = content.split(b"\n")
        end = offset + len(content) - len(tail)
        # The line break may be missing after an edit by hand. The next call reads the line again, which does no harm.
        lines += [tail] if _parses(tail) else []
        return [self._parsed(line, number, offset) for number, line in enumerate(lines) if line.strip()], end

    def _parsed(self, line: bytes, number: int, offset: int) -> Answer:
        try:
            return Answer.of(json.loads(line))
        except (ValueError, RecursionError) as error:
            with self.path.open("rb") as file:
                before = file.read(offset).count(b"\n")
            raise InputError(
                f"{self.path}: line {before + number + 1}: {_reason(error)}; correct or remove the line"
            ) from error


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError | RecursionError):
        return f"is no JSON ({error})"
    return str(error)


def _parses(line: bytes) -> bool:
    try:
        Answer.of(json.loads(line))
    except (ValueError, RecursionError):
        return False
    return True


def _torn_tail(file: int, size: int) -> bytes:
    """What follows the last line break of a file."""
    tail = b""
    while len(tail) < size:
        step = min(4096, size - len(tail))
        tail = os.pread(file, step, size - len(tail) - step) + tail
        if b"\n" in tail:
            return tail[tail.rindex(b"\n") + 1 :]
    return tail


def _sync_folder(folder: Path) -> None:
    """Make the name of a new file last through a power cut."""
    file = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
