"""How far reviewers agree."""

from collections.abc import Iterable, Sequence
from itertools import combinations

from dawnchorus.review.journal import ABSENT, OTHER, PRESENT, Answer

VERDICTS = {PRESENT: True, ABSENT: False, OTHER: False}


def cohen_kappa(first: Sequence[bool], second: Sequence[bool]) -> float | None:
    """Cohen's kappa (1960): 1 for full agreement, 0 for what chance would give.

    (`sklearn.metrics` takes a second to import.)

    Args:
        first: one reviewer's verdicts on some items.
        second: the other's on the same items, in the same order.

    Returns:
        None where it is not defined: without items, or if all verdicts are one and the same.
    """
    n = len(first)
    if len({*first, *second}) < 2:
        return None
    observed = sum(one == other for one, other in zip(first, second, strict=True)) / n
    one, other = sum(first) / n, sum(second) / n
    by_chance = one * other + (1 - one) * (1 - other)
    return (observed - by_chance) / (1 - by_chance)


def agreement_lines(answers: Iterable[Answer]) -> list[str]:
    """A sentence for each pair of reviewers who have answered the same items; unsure answers are left out.

    Args:
        answers: that count.
    """
    found: dict[str, dict[int, bool]] = {}
    for answer in answers:
        if answer.answer in VERDICTS:
            found.setdefault(answer.reviewer, {})[answer.item] = VERDICTS[answer.answer]
    lines = []
    for one, other in combinations(sorted(found), 2):
        shared = sorted(found[one].keys() & found[other].keys())
        if not shared:
            continue
        first, second = ([found[name][item] for item in shared] for name in (one, other))
        equal = sum(a == b for a, b in zip(first, second, strict=True))
        kappa = cohen_kappa(first, second)
        more = "" if kappa is None else f", Cohen's kappa {kappa:.2f}"
        lines.append(f"{one} and {other} agree on {equal} of {len(shared)} clips{more}.")
    return lines
