"""A review as one HTML file with its sound, for a reviewer elsewhere, and the file of answers that comes back."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from dawnchorus.errors import InputError
from dawnchorus.files import replacing
from dawnchorus.review.journal import Answer
from dawnchorus.review.page_files import one_page
from dawnchorus.review.review_data import require_reviewer, review_data, review_id
from dawnchorus.review.session import Session
from dawnchorus.review.sounds import (
    OutsideError,
    Reference,
    ReviewSound,
    item_sound,
    read_references,
    reference_facts,
    reference_sound,
    require_root,
)

# On both sides of an item's window, s.
MARGIN = 1.5
REFERENCES = 2


@dataclass(frozen=True)
class Imported:
    """What a file of answers brought.

    Attributes:
        new: number of answers that the review did not have.
        known: number of those that it had, or for which it has a newer one.
        reviewers: names in the file.
    """

    new: int
    known: int
    reviewers: list[str]


def export_page(session: Session, output: Path, most_mb: float) -> int:
    """Write a review as one HTML file.

    Args:
        session: the review.
        output: the file.
        most_mb: size that it may have, in millions of bytes.

    Returns:
        The file's size, bytes.

    Raises:
        InputError: `output` is no name of an HTML file, a recording cannot be read, or the file would be larger.
    """
    if output.suffix.lower() != ".html" or output.is_dir():
        raise InputError(f"{output}: is no name of a file that ends in .html")
    root = Path(session.info.data_root)
    require_root(root)
    references = _first(read_references())
    facts: dict[str, dict[str, Any]] = {"sounds": {}, "reference_sounds": {}}
    elements, size = [], 0
    n_done = 0
    for group, number, sound in _sounds(session, root, references):
        facts[group][str(number)] = sound.facts
        kind = "sound" if group == "sounds" else "reference"
        elements.append(
            f'<script type="text/plain" id="{kind}-{number}">{base64.b64encode(sound.flac).decode()}</script>\n'
        )
        size += len(elements[-1])
        n_done += kind == "sound"
        if size > most_mb * 1e6:
            raise InputError(
                f"{output}: would be larger than {most_mb:g} MB, as {n_done} of {len(session.items)} items fill them; "
                "start a review of fewer items, raise --limit, or use `dawnchorus review serve`"
            )
    by_species: dict[str, list[dict[str, Any]]] = {}
    for one in references:
        by_species.setdefault(one.species, []).append(reference_facts(one))
    content = {"review": review_data(session), "references": by_species, **facts}
    # Nothing in the data may end its element.
    data = json.dumps(content).replace("<", "\\u003c")
    page = one_page(f'<script type="application/json" id="offline-data">{data}</script>\n{"".join(elements)}')
    with replacing(output) as path:
        path.write_text(page, encoding="utf-8")
    return output.stat().st_size


def _first(references: list[Reference]) -> list[Reference]:
    """The first references of each species."""
    found: dict[str, list[Reference]] = {}
    for one in references:
        found.setdefault(one.species, []).append(one)
    return [one for several in found.values() for one in several[:REFERENCES]]


def _sounds(session: Session, root: Path, references: list[Reference]) -> Iterator[tuple[str, int, ReviewSound]]:
    for item in session.items.values():
        try:
            yield "sounds", item.item, item_sound(item, root, MARGIN)
        except OutsideError as error:
            raise InputError(f"item {item.item}: {error}") from error
    asked = {item.species for item in session.items.values()}
    for one in references:
        if one.species in asked:
            yield "reference_sounds", one.number, reference_sound(one)


def import_answers(session: Session, path: Path) -> Imported:
    """Add the answers of a file that a page from `export_page` saved. A second import of the file adds nothing.

    Raises:
        InputError: the file is damaged or of another review; then nothing is added.
        OSError: an answer could not be written; another import adds the rest.
    """
    answers = _read(session, path)
    times: dict[tuple[int, str], datetime] = {}
    for known in session.journal.read():
        key = (known.item, known.reviewer)
        times[key] = max(times.get(key, _time(known)), _time(known))
    new = 0
    for answer in answers:
        key = (answer.item, answer.reviewer)
        # The last line counts, so an old answer must not follow a newer one.
        if key in times and _time(answer) <= times[key]:
            continue
        session.answer(answer)
        times[key] = _time(answer)
        new += 1
    return Imported(new, len(answers) - new, sorted({answer.reviewer for answer in answers}))


def _time(answer: Answer) -> datetime:
    return datetime.fromisoformat(answer.time)


def _read(session: Session, path: Path) -> list[Answer]:
    try:
        # Notes may have other line separators inside.
        lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8 text; expected a file that the page saved") from error
    if lines == [""]:
        raise InputError(f"{path}: is empty; expected a file that the page saved")
    answers = []
    for number, line in enumerate(lines, start=1):
        try:
            found = json.loads(line)
            if number == 1:
                if not isinstance(found, dict) or found.keys() != {"review"}:
                    raise ValueError("the first line does not name a review")
                if found["review"] != review_id(session):
                    raise ValueError(f"is of the review {found['review']!r}, expected {review_id(session)!r}")
                continue
            answer = Answer.of(found)
            require_reviewer(answer.reviewer)
            session.check(answer)
        except (ValueError, OverflowError, RecursionError) as error:
            raise InputError(
                f"{path}: line {number}: {error}; expected a file that this review's page saved; nothing is imported"
            ) from error
        answers.append(answer)
    return answers
