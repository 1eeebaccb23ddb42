"""The folder of a review: items and answers fit together, and damage is named."""

from dataclasses import replace
from pathlib import Path

import pytest

from dawnchorus.errors import InputError
from dawnchorus.models.bundle import Species
from dawnchorus.review.items import Item, read_items, write_items
from dawnchorus.review.journal import Answer
from dawnchorus.review.session import Session, SessionInfo, read_session, write_info

ITEM = Item(1, "a/1", "data/a/1.wav", "mean", "train", "a", "2026-05-01T08:30:00+00:00", 1.5, 4.5, None, 2000.0, "s1",
            0.25, None, 0.9, "measure", "s1/3", 0.125)  # fmt: skip
INFO = SessionInfo(
    name="first", purpose="measure", created="2026-05-01T08:30:00+00:00", model="abc", results="results",
    data_root="data", seed=1, asked=["s1"], thresholds={"s1": 0.9}, precision=0.9, window_seconds=3.0,
    species=[Species(species=code, scientific_name="", common_name="") for code in ("s1", "s2")],
)  # fmt: skip


def given(answer: str = "present", **more: object) -> Answer:
    content = {"item": 1, "answer": answer, "reviewer": "Ada", "time": INFO.created, "species": "s1"}
    return Answer.of(content | more)


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    monkeypatch.chdir(tmp_path)
    folder = Path("review/first")
    write_items(folder / "items.csv", [ITEM, replace(ITEM, item=2, f_max=None, inclusion_probability=None)])
    write_info(folder, INFO)
    return read_session("first")


def test_a_review_is_read_by_its_name_and_by_its_path(session: Session) -> None:
    assert session.items[1] == ITEM
    assert session.items[2].inclusion_probability is None
    assert session.info == INFO
    assert read_session("review/first") == session


def test_an_answer_to_another_item_or_species_is_refused(session: Session) -> None:
    for answer, message in [
        (given(item=3), "item: found 3"),
        (given(species="s2"), "species: found 's2', expected that of item 1, 's1'"),
        (given("other", other_species=["s3"]), "other_species: found 's3'"),
    ]:
        with pytest.raises(ValueError, match=message):
            session.answer(answer)
    assert not session.journal.path.exists()
    session.answer(given("other", other_species=["s2"]))
    assert session.answers() == [given("other", other_species=["s2"])]


def test_an_answer_that_was_taken_back_does_not_count(session: Session) -> None:
    session.answer(given())
    session.answer(Answer(1, "undone", "Ada", INFO.created))
    assert session.answers() == []


def test_a_line_about_no_item_is_named(session: Session) -> None:
    session.journal.append(given(item=7))
    with pytest.raises(InputError, match=r"answers.jsonl: item 7 by Ada: .*correct or remove the line"):
        session.answers()


def test_a_missing_or_damaged_review_is_named(session: Session) -> None:
    with pytest.raises(InputError, match="review/second: is no review; found first;"):
        read_session("second")
    (session.folder / "session.json").write_text("{")
    with pytest.raises(InputError, match=r"session.json: is not valid JSON"):
        read_session("first")
    (session.folder / "session.json").write_text(INFO.model_dump_json().replace('"seed":1', '"seed":"x"'))
    with pytest.raises(InputError, match=r"session.json: seed: "):
        read_session("first")


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("item", "1.5", "a whole number from 1"),
        ("item", "2", "each item once"),
        ("score", "2", "a number from 0 to 1"),
        ("end_s", "1", "a time after start_s"),
        ("channel", "left", "mean, or a number from 1"),
        ("purpose", "play", "measure or improve or confirm"),
        ("inclusion_probability", "x", "a number"),
    ],
)
def test_a_wrong_cell_of_the_items_is_named(session: Session, column: str, value: str, message: str) -> None:
    path = session.folder / "items.csv"
    header, first, *others = path.read_text().splitlines()
    cells = first.split(",")
    cells[header.split(",").index(column)] = value
    path.write_text("\n".join([header, ",".join(cells), *others]))
    with pytest.raises(InputError, match=rf"items.csv: line [23], column {column}: .*{message}"):
        read_items(path)
