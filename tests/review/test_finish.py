"""`dawnchorus review finish`: what reviewers answered becomes rows that the workflow reads."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from windows import scored_windows

from dawnchorus.config.params import Params
from dawnchorus.data.answers import COLUMNS, add_answers, read_answers
from dawnchorus.data.dataset import Dataset
from dawnchorus.errors import InputError
from dawnchorus.review.finish import finish_reviews
from dawnchorus.review.journal import Answer
from dawnchorus.review.session import Session, read_session
from dawnchorus.review.start import start_review

NOW = datetime(2026, 5, 1, 8, 30, tzinfo=UTC)
TABLE = Path("answers/answers.csv")


@pytest.fixture
def project(params: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the reviews `m` (measure) and `i` (improve) about OWL, and the data set's recordings."""
    monkeypatch.chdir(tmp_path)
    scored = scored_windows(params)
    for name, purpose in (("m", "measure"), ("i", "improve")):
        start_review(scored, Path("results"), purpose, ["OWL"], 12, name, 1, NOW)  # type: ignore[arg-type]
    return tmp_path


def as_dataset(files: list[str]) -> None:
    """Make params.yaml and data/recordings.csv of a data set with these files, relative to data/own."""
    root = Path(__file__).parents[2]
    text = (root / "params.yaml").read_text()
    Path("params.yaml").write_text(text.replace("root: data/demo/dataset", "root: data/own"))
    Path("data").mkdir(exist_ok=True)
    pd.DataFrame({
        "recording_id": [file.split("/", 1)[1].removesuffix(".wav") for file in files], "file": files,
        "split": [file.split("/")[0] for file in files], "site": "", "group": "", "start": "", "seconds": 60.0,
        "sample_rate": 48_000, "channels": 1, "usable": 1, "problem": "", "peak": "", "rms": "", "digest": "",
    }).to_csv("data/recordings.csv", index=False)  # fmt: skip


def give(session: Session, item: int, answer: str, reviewer: str = "Ada", *others: str) -> None:
    session.answer(Answer(item, answer, reviewer, NOW.isoformat(), "OWL", others))


def finished(*names: str, spend: bool = False) -> pd.DataFrame:
    finish_reviews([read_session(name) for name in names], spend)
    return read_answers(Path("answers")).set_index(["review", "item", "species"])


def test_the_majority_decides_and_ties_are_unsure(project: Path) -> None:
    session = read_session("i")
    for item, answers in {
        1: ["present", "present", "absent"],
        2: ["present", "absent"],
        3: ["absent", "other"],
        4: ["unsure"],
        5: ["present", "unsure"],
    }.items():
        for reviewer, answer in zip(["Ada", "Bo", "Cy"], answers, strict=False):
            give(session, item, answer, reviewer, *(["LARK"] if answer == "other" else []))
    table = finished("i")
    owl = table.xs("OWL", level="species").droplevel("review")
    assert owl.answer.to_dict() == {"1": "present", "2": "unsure", "3": "absent", "4": "unsure", "5": "unsure"}
    assert owl.reviewer["1"] == "Ada; Bo; Cy"
    # One of two reviewers heard a LARK.
    assert table.xs("LARK", level="species").answer.tolist() == ["unsure"]


def test_finishing_twice_changes_nothing_and_later_answers_replace_earlier_ones(project: Path) -> None:
    session = read_session("i")
    give(session, 1, "present")
    give(read_session("m"), 1, "absent")
    finished("i", "m")
    before = TABLE.read_bytes()
    finished("m")
    finished("i")
    assert TABLE.read_bytes() == before
    give(session, 1, "absent")
    assert finished("i").loc[("i", "1", "OWL"), "answer"] == "absent"
    assert len(read_answers(Path("answers"))) == 2


def test_weights_of_a_sample_add_up_to_all_windows_also_if_answers_are_missing(project: Path) -> None:
    session = read_session("m")
    by_stratum: dict[str, int] = {}
    for item in session.items.values():
        by_stratum[item.stratum] = by_stratum.get(item.stratum, 0) + 1
        give(session, item.item, "unsure" if by_stratum[item.stratum] == 1 else "absent")
    table = finished("m")
    assert (table.answer == "unsure").sum() == len(by_stratum)
    sure = table[table.answer == "absent"]
    assert (1 / sure.inclusion_probability).sum() == pytest.approx(400)
    assert table.inclusion_probability[table.answer == "unsure"].isna().all()


def test_a_sample_measures_until_it_is_spent(project: Path) -> None:
    session = read_session("m")
    give(session, 1, "other", "Ada", "LARK")
    assert finished("m").purpose.tolist() == ["measure"]
    spent = finished("m", spend=True)
    assert spent.purpose.tolist() == ["spent", "spent"]
    assert spent.answer.to_dict() == {("m", "1", "LARK"): "present", ("m", "1", "OWL"): "absent"}
    # It stays spent.
    assert finished("m").purpose.tolist() == ["spent", "spent"]


def test_a_review_is_named_once(project: Path) -> None:
    give(read_session("m"), 1, "present")
    before = finished("m")
    with pytest.raises(InputError, match="m: is the name of several of these reviews"):
        finished("m", "review/m")
    pd.testing.assert_frame_equal(finished("m"), before)


def test_a_sample_of_some_recordings_measures_no_split(project: Path, params: Params) -> None:
    """As those that `dawnchorus detect` was run on, which may be recordings of the data set."""
    scored = replace(scored_windows(params), is_whole=False)
    start_review(scored, Path("results"), "measure", ["OWL"], 12, "some", 1, NOW)
    as_dataset([file.removeprefix("data/own/") for file in scored.recordings.file])
    for name in ("m", "some"):
        give(read_session(name), 1, "present")
    assert finished("m", "some").split.to_dict() == {("m", "1", "OWL"): "test", ("some", "1", "OWL"): ""}


def test_a_review_without_answers_is_refused_and_the_table_stays(project: Path) -> None:
    give(read_session("i"), 1, "present")
    finished("i")
    before = TABLE.read_bytes()
    with pytest.raises(InputError, match="review/m: has no answers yet"):
        finished("i", "m")
    assert TABLE.read_bytes() == before


def test_a_recording_is_found_in_the_data_set_by_path_or_by_its_bytes(project: Path) -> None:
    session = read_session("i")
    first, second, third = (session.items[number] for number in (1, 2, 3))
    as_dataset([first.file.removeprefix("data/own/"), "train/copied/" + Path(second.file).name])
    for file, content in (
        (second.file, b"sound"), (f"data/own/train/copied/{Path(second.file).name}", b"sound"),
        (third.file, b"other"),
    ):  # fmt: skip
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        Path(file).write_bytes(content)
    for item in (1, 2, 3):
        give(session, item, "present")
    table = finished("i").droplevel(["review", "species"])
    assert table.split.to_dict() == {"1": "train", "2": "train", "3": ""}
    assert table.recording_id["1"] == first.recording_id
    assert table.recording_id["2"] == f"copied/{Path(second.file).stem}"


def dataset(*present: tuple[str, float, float]) -> Dataset:
    labels = pd.DataFrame(
        [(name, "OWL", begin, end, np.nan, np.nan, "present", "", "labels.csv", 2) for name, begin, end in present],
        columns=["recording_id", "species", "t_min", "t_max", "f_min", "f_max", "label", "annotator", "table", "line"],
    )
    files = {"train": {name: Path(f"{name}.wav") for name in ("a", "b")}, "test": {"t": Path("t.wav")}}
    return Dataset(Path(), files, labels, ["OWL", "LARK"], pd.Series(dtype=str), pd.DataFrame(), {}, [])


def answers(*rows: tuple) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["recording_id", "split", "species", "answer", "purpose"])
    table = table.assign(review="r", item=range(len(rows)), t_min=3.0, t_max=6.0, reviewer="Ada", time="", model="",
                         score=0.5, stratum="", inclusion_probability=np.nan)  # fmt: skip
    return table[COLUMNS]


def test_answers_become_annotations_of_their_species_only() -> None:
    found = add_answers(
        dataset(("b", 0, 1)),
        answers(
            ("a", "train", "OWL", "present", "improve"), ("a", "train", "LARK", "absent", "confirm"),
            ("b", "train", "LARK", "unsure", "spent"), ("b", "train", "OWL", "absent", "measure"),
            ("t", "test", "OWL", "present", "improve"), ("x", "", "OWL", "present", "improve"),
            ("a", "train", "WREN", "present", "improve"),
        ),
    )  # fmt: skip
    rows = found.annotations[["recording_id", "species", "label", "t_min", "t_max", "annotator"]]
    assert rows.to_numpy().tolist() == [
        ["b", "OWL", "present", 0, 1, ""],
        ["a", "OWL", "present", 3, 6, "Ada"],
        ["a", "LARK", "absent", 3, 6, "Ada"],
        ["b", "LARK", "uncertain", 3, 6, "Ada"],
    ]
    said = "\n".join(found.remarks)
    for part in ("1 answers are no annotations: those which measure", "1 .* about test recordings",
                 "1 .* about recordings that are not in the data set", "1 .* about species without a label",
                 "3 answers of reviewers are annotations: 1 present, 1 absent, 1 unsure"):  # fmt: skip
        assert pd.Series([said]).str.contains(part).all(), part


def test_reviews_that_contradict_each_other_leave_a_stretch_uncertain() -> None:
    rows = [("a", "train", "OWL", said, "improve") for said in ("present", "absent")]
    found = add_answers(dataset(), answers(*rows, ("a", "train", "LARK", "present", "improve")))
    assert found.annotations[["species", "label"]].to_numpy().tolist() == [["OWL", "uncertain"], ["LARK", "present"]]


def test_labels_stand_where_answers_contradict_them() -> None:
    table = answers(("a", "train", "OWL", "absent", "improve"))
    found = add_answers(dataset(("a", 4, 5)), table)
    assert found.annotations.label.tolist() == ["present", "absent"]
    assert "1 answers say absent where a label says present, which stands; first answers.csv line" in found.remarks[-1]
    assert len(add_answers(dataset(("a", 8, 9)), table).remarks) == 1


def test_without_a_table_nothing_changes(tmp_path: Path) -> None:
    before = dataset(("a", 4, 5))
    assert read_answers(tmp_path).empty
    assert add_answers(before, read_answers(tmp_path)) is before


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("answer", "yes", "present or absent or unsure"),
        ("purpose", "play", "measure or improve or confirm or spent"),
        ("split", "validation", "train, test or nothing"),
        ("t_max", "1", "a time after the row's t_min"),
        ("score", "7", "a number from 0 to 1, or nothing"),
        ("inclusion_probability", "0", "a number above 0, because the purpose is measure"),
    ],
)
def test_a_wrong_cell_of_the_table_is_named(project: Path, column: str, value: str, message: str) -> None:
    give(read_session("m"), 1, "absent")
    finished("m")
    table = pd.read_csv(TABLE, dtype=str, keep_default_na=False)
    table[column] = value
    table.to_csv(TABLE, index=False)
    with pytest.raises(InputError, match=rf"answers.csv: line 2, column {column}: found .*{message}"):
        read_answers(Path("answers"))


def test_an_answer_after_the_last_undo_counts(project: Path) -> None:
    session = read_session("i")
    give(session, 1, "present")
    session.answer(replace(Answer(1, "undone", "Ada", NOW.isoformat())))
    give(session, 2, "absent")
    assert finished("i").answer.to_dict() == {("i", "2", "OWL"): "absent"}
