"""The answers that count, kept up to date while several processes may add to the journal."""

import threading

from dawnchorus.review.journal import UNDONE, Answer
from dawnchorus.review.session import Session


class StandingAnswers:
    """Reads of the journal only what has been added since the last time."""

    def __init__(self, session: Session) -> None:
        """Read the whole journal.

        Raises:
            InputError: a line is no answer to an item of the review.
        """
        session.answers()
        self._session = session
        self._lock = threading.Lock()
        self._offset = 0
        self._found: dict[tuple[int, str], Answer] = {}

    def current(self) -> dict[tuple[int, str], Answer]:
        """The answers by item and reviewer, the newest last.

        Raises:
            InputError: a new line is no answer.
        """
        with self._lock:
            added, self._offset = self._session.journal.read_from(self._offset)
            for answer in added:
                key = (answer.item, answer.reviewer)
                # Removed first, so that the newest is the last.
                self._found.pop(key, None)
                if answer.answer != UNDONE:
                    self._found[key] = answer
            return dict(self._found)
