"""The store of answers: nothing that was acknowledged is lost, and damage is named or repaired."""

import errno
import json
import os
import resource
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from dawnchorus.errors import InputError
from dawnchorus.review.journal import Answer, AnswerJournal, standing_answers

TIME = "2026-05-01T08:30:00+00:00"


def given(item: int, answer: str = "present", reviewer: str = "Ada", **more: object) -> Answer:
    return Answer.of({"item": item, "answer": answer, "reviewer": reviewer, "time": TIME, "species": "s1"} | more)


@pytest.fixture
def journal(tmp_path: Path) -> AnswerJournal:
    return AnswerJournal(tmp_path / "answers.jsonl")


def test_answers_come_back_as_they_were_given(journal: AnswerJournal) -> None:
    answers = [given(1, note="Regen, höre\nnichts"), given(2, "other", other_species=["s2"], seconds=1.5)]
    for answer in answers:
        journal.append(answer)
    assert journal.read() == answers
    first = json.loads(journal.path.read_text(encoding="utf-8").splitlines()[0])
    assert first == {"item": 1, "species": "s1", "answer": "present", "other_species": [], "reviewer": "Ada",
                     "time": TIME, "note": "Regen, höre\nnichts", "seconds": None}  # fmt: skip


def test_a_journal_that_does_not_exist_yet_has_no_answers(journal: AnswerJournal) -> None:
    assert journal.read() == []


def test_the_last_answer_of_each_reviewer_counts() -> None:
    answers = [given(1), given(1, "absent", "Bo"), given(1, "absent"), given(2), given(2, "undone"), given(3, "undone")]
    standing = standing_answers(answers)
    assert {key: answer.answer for key, answer in standing.items()} == {(1, "Ada"): "absent", (1, "Bo"): "absent"}


@pytest.mark.parametrize("torn", [b'{"item": 3, "answ', b"\0" * 100, b'{"item": 3}', b'{"item": 3, "note": "\xc3'])
def test_a_line_torn_by_a_power_cut_is_left_out_and_removed(journal: AnswerJournal, torn: bytes) -> None:
    journal.append(given(1))
    whole = journal.path.read_bytes()
    journal.path.write_bytes(whole + torn)
    assert journal.read() == [given(1)]
    journal.append(given(2))
    assert journal.read() == [given(1), given(2)]
    assert journal.path.read_bytes().startswith(whole + b'{"item": 2')


def test_a_long_torn_line_is_removed_too(journal: AnswerJournal) -> None:
    journal.append(given(1))
    with journal.path.open("ab") as file:
        file.write(b'{"note": "' + b"x" * 20_000)
    journal.append(given(2))
    assert journal.read() == [given(1), given(2)]


def test_a_whole_last_line_without_a_line_break_counts(journal: AnswerJournal) -> None:
    journal.append(given(1))
    journal.path.write_bytes(journal.path.read_bytes().rstrip(b"\n"))
    assert journal.read() == [given(1)]
    journal.append(given(2))
    assert journal.read() == [given(1), given(2)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"item": 0}, "item: found 0, expected a whole number from 1"),
        ({"item": True}, "item: found True"),
        ({"answer": "yes"}, "answer: found 'yes', expected present or absent"),
        ({"reviewer": " "}, "reviewer: found ' '"),
        ({"time": "2026-05-01T08:30:00"}, "time: found .*, with a zone"),
        ({"time": None}, "time: found None"),
        ({"species": ""}, "has no species"),
        ({"answer": "other"}, "without other_species; expected at least one code"),
        ({"answer": "other", "other_species": ["s1"]}, "the item's own species"),
        ({"other_species": "s2"}, "expected a list of codes"),
        ({"seconds": float("nan")}, "seconds: found nan"),
        ({"score": 1}, "found the key 'score'"),
    ],
)
def test_a_malformed_answer_is_named(journal: AnswerJournal, changes: dict[str, object], message: str) -> None:
    content = {"item": 1, "answer": "present", "reviewer": "Ada", "time": TIME, "species": "s1"} | changes
    refuse_line(journal, json.dumps(content), message)


@pytest.mark.parametrize(
    ("line", "message"),
    [("nonsense", "is no JSON"), ("[1]", r"found \[1\], expected an object"), ('{"item": 1}', "has no answer")],
)
def test_a_malformed_line_is_named(journal: AnswerJournal, line: str, message: str) -> None:
    refuse_line(journal, line, message)


def refuse_line(journal: AnswerJournal, line: str, message: str) -> None:
    journal.append(given(1))
    with journal.path.open("a") as file:
        file.write(f"{line}\n")
    journal.append(given(2))
    with pytest.raises(InputError, match=rf"answers.jsonl: line 2: .*{message}.*; correct or remove the line"):
        journal.read()


def test_later_answers_can_be_read_by_themselves(journal: AnswerJournal) -> None:
    journal.append(given(1))
    assert journal.read_from(0)[0] == [given(1)]
    end = journal.read_from(0)[1]
    assert journal.read_from(end) == ([], end)
    journal.append(given(2))
    later, end = journal.read_from(end)
    assert later == [given(2)]
    assert end == journal.path.stat().st_size
    with journal.path.open("a") as file:
        file.write("nonsense\n")
    with pytest.raises(InputError, match="line 3: is no JSON"):
        journal.read_from(end)


def _append_many(path: Path, reviewer: str) -> None:
    for number in range(1, 51):
        AnswerJournal(path).append(given(number, reviewer=reviewer))


def test_several_processes_may_append_at_once(journal: AnswerJournal) -> None:
    reviewers = ["Ada", "Bo", "Cy"]
    with ProcessPoolExecutor(3, get_context("spawn")) as pool:
        list(pool.map(_append_many, [journal.path] * 3, reviewers))
    answers = journal.read()
    assert len(answers) == 150
    for reviewer in reviewers:
        assert [answer.item for answer in answers if answer.reviewer == reviewer] == list(range(1, 51))


@pytest.fixture
def limit_files() -> Iterator[Callable[[int], None]]:
    """A function that sets the largest size of a file, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_loses_no_answer(journal: AnswerJournal, limit_files: Callable[[int], None]) -> None:
    journal.append(given(1))
    before = journal.path.read_bytes()
    limit_files(len(before) + 30)
    with pytest.raises(OSError, match=os.strerror(errno.EFBIG)) as caught:
        journal.append(given(2))
    limit_files(resource.RLIM_INFINITY)
    assert caught.value.filename == str(journal.path)
    assert journal.path.read_bytes() == before
    journal.append(given(2))
    assert journal.read() == [given(1), given(2)]


def test_an_answer_is_synced_before_it_is_acknowledged(journal: AnswerJournal, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = []
    sync = os.fsync

    def watched(file: int) -> None:
        synced.append(os.fstat(file).st_size)
        sync(file)

    monkeypatch.setattr(os, "fsync", watched)
    journal.append(given(1))
    assert journal.path.stat().st_size in synced
