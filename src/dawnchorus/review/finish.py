"""`dawnchorus review finish`: merge the answers of reviews into the table that the workflow reads."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import filelock
import pandas as pd

from dawnchorus.data.answers import COLUMNS, MEASURE, SPENT, TABLE, read_answers, write_answers
from dawnchorus.errors import InputError
from dawnchorus.files import replacing
from dawnchorus.review.items import Item
from dawnchorus.review.journal import ABSENT, OTHER, PRESENT, UNSURE, Answer
from dawnchorus.review.places import Places
from dawnchorus.review.session import FOLDER, Session

ANSWERS = Path("answers")


def finish_reviews(sessions: Sequence[Session], spend: bool) -> list[str]:
    """Replace the rows of reviews in `answers/answers.csv` by their present answers.

    Args:
        sessions: the reviews.
        spend: whether samples that measure become annotations from now on, and measure no more.

    Returns:
        Lines for people.

    Raises:
        InputError: a review has no answers, two have the same name, or a file is damaged; then the table is as before.
    """
    lines, tables = [], []
    names = [session.info.name for session in sessions]
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise InputError(f"{repeated[0]}: is the name of several of these reviews; name each review once")
    ANSWERS.mkdir(exist_ok=True)
    # The lock is elsewhere, because the workflow depends on the whole folder of the table.
    FOLDER.mkdir(exist_ok=True)
    with filelock.FileLock(FOLDER / ".finish.lock"):
        before = read_answers(ANSWERS)
        places = Places()
        for session in sessions:
            answers = session.answers()
            if not answers:
                raise InputError(f"{session.folder}: has no answers yet; give some with `dawnchorus review serve`")
            table = merged(session, answers, places, spend or session.info.name in spent_reviews(before))
            lines.append(_described(session, table))
            tables.append(table)
        kept = before[~before.review.isin(names)]
        every = pd.concat([table for table in (kept, *tables) if len(table)], ignore_index=True)
        every = every.astype({"item": int}).sort_values(["review", "item", "species"], kind="stable")
        with replacing(ANSWERS / TABLE) as path:
            write_answers(path, every)
    return [*lines, f"{ANSWERS / TABLE}: {len(every)} answers. Commit it, and run the workflow again"]


def merged(session: Session, answers: Sequence[Answer], places: Places, is_spent: bool) -> pd.DataFrame:
    """The rows of a review for `answers.csv`, one for each item that was answered, and each other species in it.

    Args:
        session: the review.
        answers: those that count, by item and reviewer.
        places: finds recordings in the data set.
        is_spent: whether a sample that measures has been spent.
    """
    by_item: dict[int, list[Answer]] = {}
    for answer in answers:
        by_item.setdefault(answer.item, []).append(answer)
    rows = []
    for number, given in by_item.items():
        item = session.items[number]
        purpose = SPENT if is_spent and item.purpose == MEASURE else item.purpose
        recording_id, split = places.of(item)
        if purpose == MEASURE:
            # A sample measures what it was drawn from, which may be no split but some recordings of it.
            split = item.split
        common = {
            "review": session.info.name, "item": number, "recording_id": recording_id, "split": split,
            "t_min": item.start_s, "t_max": item.end_s, "reviewer": "; ".join(answer.reviewer for answer in given),
            "time": max((answer.time for answer in given), key=datetime.fromisoformat), "model": session.info.model,
        }  # fmt: skip
        rows.append(
            {**common, "species": item.species, "answer": majority(given), "score": item.score, "purpose": purpose,
             "stratum": item.stratum}
        )  # fmt: skip
        named = Counter(code for answer in given for code in answer.other_species)
        for code, count in named.items():
            verdict = PRESENT if 2 * count > len(given) else UNSURE if 2 * count == len(given) else None
            # Of another species, the item is no random sample, and it trains only where its own species does.
            if verdict and purpose != MEASURE:
                rows.append({**common, "species": code, "answer": verdict, "purpose": purpose, "stratum": ""})
    table = pd.DataFrame(rows, columns=COLUMNS)
    table["inclusion_probability"] = _inclusion(session.items, table)
    return table


def unmerged_reviews(sessions: Sequence[Session]) -> list[str]:
    """The names of the reviews whose present answers are not in `answers/answers.csv`."""
    known, places, found = read_answers(ANSWERS), Places(), []
    for session in sessions:
        answers = session.answers()
        before = known[known.review == session.info.name]
        after = merged(session, answers, places, session.info.name in spent_reviews(known))
        said = [set(zip(table.item.astype(int), table.species, table.answer, strict=True)) for table in (before, after)]
        if said[0] != said[1]:
            found.append(session.info.name)
    return found


def spent_reviews(answers: pd.DataFrame) -> set[str]:
    """The names of the reviews whose samples measure no more.

    Args:
        answers: table from `answers.read_answers`.
    """
    return set(answers.review[answers.purpose == SPENT])


def majority(given: Sequence[Answer]) -> str:
    """The answer that most reviewers gave; unsure if two are equally frequent. `other` counts as absent."""
    counts = Counter(ABSENT if answer.answer == OTHER else answer.answer for answer in given).most_common()
    return UNSURE if len(counts) > 1 and counts[0][1] == counts[1][1] else counts[0][0]


def _inclusion(items: Mapping[int, Item], table: pd.DataFrame) -> list[float]:
    """The inclusion probabilities of rows among the items that were answered with present or absent.

    Those that were not are taken for missing at random in their stratum, so the others stand for them, too.
    """
    drawn: Counter[tuple[str, str]] = Counter((item.species, item.stratum) for item in items.values())
    sure = table[table.answer != UNSURE]
    answered = Counter(zip(sure.species, sure.stratum, strict=True))
    found = []
    for row in table.itertuples():
        inclusion = items[int(row.item)].inclusion_probability
        key = (row.species, row.stratum)
        is_sampled = row.purpose == MEASURE and row.answer != UNSURE and inclusion is not None
        found.append(inclusion * answered[key] / drawn[key] if is_sampled and inclusion else float("nan"))
    return found


def _described(session: Session, table: pd.DataFrame) -> str:
    own = table[[row.species == session.items[int(row.item)].species for row in table.itertuples()]]
    counts = own.answer.value_counts()
    text = ", ".join(f"{counts.get(answer, 0)} {answer}" for answer in (PRESENT, ABSENT, UNSURE))
    more = len(table) - len(own)
    outside = (table.split == "").sum()
    return (
        f"{session.info.name}: {len(own)} of {len(session.items)} items have an answer: {text}"
        + (f"; {more} of other species" if more else "")
        + (f"; {outside} are about recordings that are not in the data set" if outside else "")
    )
