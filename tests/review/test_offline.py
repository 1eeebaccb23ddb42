"""One HTML file with a review's sound, and the file of answers that comes back."""

import json
from pathlib import Path

import pytest
from browsers import Reviewer
from playwright.sync_api import Browser
from reviews import journal, make_review, review

from dawnchorus.errors import InputError
from dawnchorus.review.journal import Answer
from dawnchorus.review.offline import export_page, import_answers
from dawnchorus.review.session import Session, read_session


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    monkeypatch.chdir(tmp_path)
    return make_review(tmp_path)


def lines(*answers: tuple[int, str, str], review: str = "one of 2026-05-01T10:00:00+00:00") -> str:
    """The content of a file of answers by Anna: item, answer and the second at which it was given."""
    content = [{"review": review}, *(
        {"item": item, "species": "wren", "answer": verdict, "reviewer": "Anna",
         "time": f"2026-06-01T10:00:{second}Z"} for item, verdict, second in answers
    )]  # fmt: skip
    return "".join(json.dumps(line) + "\n" for line in content)


def test_a_file_of_answers_is_imported_once(session: Session, tmp_path: Path) -> None:
    file = tmp_path / "answers.jsonl"
    file.write_text(lines((1, "present", "01"), (2, "absent", "02"), (1, "undone", "03"), (1, "unsure", "04")))
    found = import_answers(session, file)
    assert (found.new, found.known, found.reviewers) == (4, 0, ["Anna"])
    assert {one.item: one.answer for one in session.answers()} == {1: "unsure", 2: "absent"}
    again = import_answers(session, file)
    assert (again.new, again.known) == (0, 4)
    assert len(journal(tmp_path)) == 4


def test_a_note_may_have_any_letters(session: Session, tmp_path: Path) -> None:
    file = tmp_path / "answers.jsonl"
    first, answer = lines((1, "present", "01")).rstrip("\n").split("\n")
    # As browsers write it: JSON has no escapes for these separators of lines.
    note = "two\u2028lines\u0085more"
    file.write_text(f"{first}\n{json.dumps(json.loads(answer) | {'note': note}, ensure_ascii=False)}\n")
    assert import_answers(session, file).new == 1
    assert [one.note for one in session.answers()] == [note]


def test_an_old_answer_does_not_replace_a_newer_one(session: Session, tmp_path: Path) -> None:
    session.answer(Answer(1, "present", "Anna", "2026-06-01T12:00:02+02:00", "wren"))
    file = tmp_path / "answers.jsonl"
    file.write_text(lines((1, "absent", "01"), (2, "absent", "01")))
    assert import_answers(session, file).new == 1
    assert {one.item: one.answer for one in session.answers()} == {1: "present", 2: "absent"}
    file.write_text(lines((1, "absent", "03")))
    assert import_answers(session, file).new == 1
    assert {one.item: one.answer for one in session.answers()} == {1: "absent", 2: "absent"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        (lines((1, "present", "01"), review="two"), "line 1: is of the review 'two', expected 'one of 2026"),
        (lines((1, "present", "01")).partition("\n")[2], "line 1: the first line does not name a review"),
        (lines((1, "present", "01"), (99, "present", "02")), "line 3: item: found 99"),
        (lines((1, "present", "01"), (2, "maybe", "02")), "line 3: answer: found 'maybe'"),
        (lines((1, "present", "01"))[:-5], "line 2: "),
        (lines((1, "present", "01")).replace("Anna", "A\\nB"), "line 2: reviewer: expected a name"),
        ("\0" * 10, "line 1: "),
    ],
)
def test_a_wrong_file_adds_nothing(session: Session, tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "answers.jsonl"
    file.write_text(content)
    with pytest.raises(InputError) as error:
        import_answers(session, file)
    assert str(error.value).startswith(f"{file}: ")
    assert message in str(error.value)
    assert journal(tmp_path) == []


def test_a_large_review_is_not_exported(session: Session, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"page.html: would be larger than 0.2 MB, as . of 6 items fill them"):
        export_page(session, tmp_path / "page.html", 0.2)
    assert not (tmp_path / "page.html").exists()


def test_a_folder_is_not_replaced_by_the_page(session: Session, tmp_path: Path) -> None:
    for name in ("sounds", "sounds.html"):
        (tmp_path / name).mkdir(exist_ok=True)
        with pytest.raises(InputError, match=r"is no name of a file that ends in \.html"):
            export_page(session, tmp_path / name, 50)
        assert (tmp_path / name).is_dir()


def test_an_item_outside_the_recordings_is_not_exported(session: Session, tmp_path: Path) -> None:
    object.__setattr__(session.items[2], "file", "/etc/passwd")
    with pytest.raises(InputError, match="item 2: '/etc/passwd' is not below sounds"):
        export_page(session, tmp_path / "page.html", 50)


def test_names_in_the_data_do_not_end_its_element(session: Session, tmp_path: Path) -> None:
    object.__setattr__(session.items[1], "recording_id", "</script><script>alert(1)</script>")
    export_page(session, tmp_path / "page.html", 50)
    assert "alert(1)</script>" not in (tmp_path / "page.html").read_text()


def test_the_exported_page_works_alone_and_its_answers_come_back(
    session: Session, tmp_path: Path, browser: Browser
) -> None:
    size = export_page(session, tmp_path / "elsewhere.html", 50)
    assert size < 2e6
    # Nothing of the project is needed.
    (tmp_path / "sounds").rename(tmp_path / "moved")
    anna = Reviewer(browser, f"file://{tmp_path}/elsewhere.html", "Anna", offline=True)
    assert anna.text("#clip-title") == "wren sp. (wren)"
    assert anna.go("p") == 1
    assert anna.go("a") == 2
    anna.go("z")
    assert anna.item == 2
    anna.press("o", *"dun", "Enter")
    anna.go("Enter")
    # The answers outlast the tab.
    anna.page.close()
    anna.page = anna.page.context.new_page()
    anna.open(f"file://{tmp_path}/elsewhere.html")
    assert anna.item == 3
    anna.go("u")
    with anna.page.expect_download() as download:
        anna.page.click("#save-file")
    download.value.save_as(tmp_path / "answers.jsonl")
    assert anna.problems == []
    found = import_answers(session, tmp_path / "answers.jsonl")
    assert (found.new, found.reviewers) == (5, ["Anna"])
    answers = {one.item: (one.answer, one.other_species) for one in read_session("one").answers()}
    assert answers == {1: ("present", ()), 2: ("other", ("dunnock",)), 3: ("unsure", ())}
    anna.page.context.close()


def test_the_commands_tell_what_they_did(session: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    review("export", "one", "--output", "page.html")
    assert capsys.readouterr().out.startswith("page.html: 0.")
    (tmp_path / "answers.jsonl").write_text(lines((1, "present", "01")))
    review("import", "one", "answers.jsonl")
    assert capsys.readouterr().out == "1 new answers by Anna; 0 were known or older than a known one\n"


@pytest.mark.parametrize(
    "options",
    [("serve", "one", "--port", "65536"), ("serve", "one", "--port", "x"),
     ("export", "one", "--output", "a.html", "--limit", "nan")],
)  # fmt: skip
def test_a_wrong_number_is_named(
    session: Session, capsys: pytest.CaptureFixture[str], options: tuple[str, ...]
) -> None:
    with pytest.raises(SystemExit):
        review(*options)
    message = capsys.readouterr().err.splitlines()[-1]
    assert f"found '{options[-1]}', expected a number" in message
