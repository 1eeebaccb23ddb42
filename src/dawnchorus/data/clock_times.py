"""When recordings start, from what recorders write into file names and headers. A time is never guessed.

Sources: the header comment and the hexadecimal names of AudioMoth (https://www.openacousticdevices.info), GUANO
metadata (https://guano-md.org), and the names of Song Meter, Swift, BAR and AudioMoth, which have date and time.
"""

import re
from datetime import UTC, datetime, tzinfo
from pathlib import PurePosixPath

GUANO = re.compile(r"^Timestamp:[ \t]*(.*:.*?)[ \t]*$", re.MULTILINE)
AUDIOMOTH = re.compile(
    r"Recorded at (\d{2}:\d{2}:\d{2})(?:\.\d{3})? (\d{2}/\d{2}/\d{4}) \(UTC(?:([+-])(\d{1,2})(?::(\d{2}))?)?\)"
)
# The seconds since 1970, as early AudioMoths name files.
HEXADECIMAL = re.compile(r"[0-9A-F]{8}")
# Date and time, apart from other digits; a zone, or the T of a triggered AudioMoth recording, may follow.
DATE_AND_TIME = re.compile(
    r"(?<![0-9A-Za-z])(\d{8})[_T](\d{6})(?:\.\d{3})?(Z|[+-]\d{4})?(?:T(?![0-9A-Za-z]))?(?![0-9])"
)
# No recorder is older, and what a name gives beyond is no time.
FIRST, LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2038, 1, 1, tzinfo=UTC)


def start_of(name: str, notes: str, local: tzinfo | None) -> datetime | None:
    """Find when a recording starts.

    The header tells first, then the name.

    Args:
        name: of the file, or its recording_id.
        notes: texts from the header.
        local: the time zone of clocks whose zone the recorder did not write; None if it is not known.

    Returns:
        The start with its zone; None if nothing tells it, or no zone is known.
    """
    found = _from_notes(notes)
    if found is None:
        found = _from_name(PurePosixPath(name).name)
    if found is None or (found.tzinfo is None and local is None):
        return None
    found = found if found.tzinfo else found.replace(tzinfo=local)
    return found if FIRST <= found < LAST else None


def _from_notes(notes: str) -> datetime | None:
    guano = GUANO.search(notes)
    if guano:
        try:
            return datetime.fromisoformat(guano[1])
        except ValueError:
            return None
    comment = AUDIOMOTH.search(notes)
    if not comment:
        return None
    clock, day, sign, hours, minutes = comment.groups()
    zone = f"{sign or '+'}{int(hours or 0):02}{int(minutes or 0):02}"
    return _parsed(f"{day} {clock} {zone}", "%d/%m/%Y %H:%M:%S %z")


def _from_name(name: str) -> datetime | None:
    stem = name.partition(".")[0]
    if HEXADECIMAL.fullmatch(stem) and not stem.isdigit():
        return datetime.fromtimestamp(int(stem, 16), UTC)
    matches = DATE_AND_TIME.findall(name)
    if len(matches) != 1:
        return None
    day, clock, zone = matches[0]
    return _parsed(day + clock + zone, "%Y%m%d%H%M%S%z" if zone else "%Y%m%d%H%M%S")


def _parsed(text: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(text, form)
    except ValueError:
        return None
