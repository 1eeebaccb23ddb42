"""What the page must know of a review before it shows the first clip, and what is expected of a reviewer's name."""

from typing import Any

from dawnchorus.review.session import Session

MOST_LETTERS = 60
# Of an item; the page needs neither where its file is nor how it was drawn.
SHOWN = [
    "item", "recording_id", "site", "clock_time", "start_s", "end_s", "f_min", "f_max", "species", "score",
    "probability",
]  # fmt: skip


def review_id(session: Session) -> str:
    """What tells a review from another one of the same name."""
    return f"{session.info.name} of {session.info.created}"


def review_data(session: Session) -> dict[str, Any]:
    """The review, its species, and its items as columns, for JSON."""
    info = session.info
    items = list(session.items.values())
    return {
        "id": review_id(session),
        "name": info.name,
        "purpose": info.purpose,
        "species": [each.model_dump() for each in info.species],
        "items": {name: [getattr(item, name) for item in items] for name in SHOWN},
    }


def require_reviewer(name: str) -> None:
    """Check a reviewer's name.

    Raises:
        ValueError: it is long, begins or ends with spaces, or has characters that cannot be printed.
    """
    if not (name.isprintable() and name == name.strip() and len(name) <= MOST_LETTERS):
        raise ValueError(f"reviewer: expected a name of at most {MOST_LETTERS} printable characters")
