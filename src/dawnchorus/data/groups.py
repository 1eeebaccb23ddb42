"""Groups of recordings, such as sites, whose names may be spelled in several ways."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from decimal import Decimal

NUMBER = re.compile(r"[+-]?\d+([.,]\d*)?([eE][+-]?\d{1,3})?")


def merged_spellings(names: Iterable[str]) -> dict[str, str]:
    """Give the names that mean one group one spelling.

    Names mean one group if they differ only in upper and lower case, spaces, Unicode form, or how they write a number:
    1, 1.0 and 01. To take two groups for one costs little, whereas to take one for two leaks it into training.

    Args:
        names: names of groups, of which some may be equal.

    Returns:
        The first spelling of each name's group, by name.
    """
    first: dict[str | Decimal, str] = {}
    return {name: first.setdefault(_key(name), " ".join(name.split())) for name in names}


def spelling_remarks(column: str, spelling: Mapping[str, str]) -> list[str]:
    """Remarks about groups that are spelled in several ways.

    Args:
        column: the parameter `split.group`.
        spelling: from `merged_spellings`.
    """
    names: dict[str, list[str]] = {}
    for name, first in spelling.items():
        names.setdefault(first, []).append(name)
    return [
        f"split.group {column}: {', '.join(map(repr, several))} are one group"
        for several in names.values()
        if len(several) > 1
    ]


def _key(name: str) -> str | Decimal:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    # Cf: characters that nobody sees, such as a space of no width.
    text = " ".join("".join(each for each in folded if unicodedata.category(each) != "Cf").split())
    return Decimal(text.replace(",", ".")) if NUMBER.fullmatch(text) else text
