"""How far reviewers agree."""

from collections import Counter
from collections.abc import Sequence
from itertools import combinations

from dawnchorus.review.journal import ABSENT, OTHER, Answer


def cohens_kappa(one: Sequence[str], other: Sequence[str]) -> float | None:
    """Agreement of two reviewers beyond chance: 1 for full agreement, 0 for that of chance (Cohen 1960).

    Args:
        one: the answers of a reviewer, at least one.
        other: those of another reviewer to the same items.

    Returns:
        Cohen's kappa; None if both always gave the same single answer, where chance agrees, too.
    """
    n_items = len(one)
    observed = sum(first == second for first, second in zip(one, other, strict=True)) / n_items
    counts = Counter(one), Counter(other)
    by_chance = sum(counts[0][answer] * counts[1][answer] for answer in counts[0]) / n_items**2
    return None if by_chance == 1 else (observed - by_chance) / (1 - by_chance)


def agreement_lines(answers: Sequence[Answer]) -> list[str]:
    """A line for each two reviewers who answered the same items: how many, in how many they agree, and kappa.

    `other` counts as absent, because it says the same of the item's species.
    """
    by_reviewer: dict[str, dict[int, str]] = {}
    for answer in answers:
        said = ABSENT if answer.answer == OTHER else answer.answer
        by_reviewer.setdefault(answer.reviewer, {})[answer.item] = said
    lines = []
    for one, other in combinations(sorted(by_reviewer), 2):
        both = sorted(by_reviewer[one].keys() & by_reviewer[other].keys())
        if not both:
            continue
        first, second = ([by_reviewer[name][item] for item in both] for name in (one, other))
        n_equal = sum(mine == yours for mine, yours in zip(first, second, strict=True))
        kappa = cohens_kappa(first, second)
        value = "unknown: both gave one answer only" if kappa is None else f"{kappa:.2f}"
        lines.append(f"{one} and {other}: {n_equal} of {len(both)} answers agree, Cohen's kappa {value}")
    return lines
