"""How far reviewers agree."""

from collections.abc import Iterable
from itertools import combinations

import numpy as np
from sklearn.metrics import cohen_kappa_score

from dawnchorus.review.journal import ABSENT, OTHER, PRESENT, Answer

VERDICTS = {PRESENT: True, ABSENT: False, OTHER: False}


def agreement_lines(answers: Iterable[Answer]) -> list[str]:
    """A sentence for each pair of reviewers who have answered the same items.

    Cohen's kappa (1960) is 1 for full agreement and 0 for what chance would give. Unsure answers are left out.

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
        equal = int(np.sum(np.equal(first, second)))
        # Kappa is not defined where both always gave one and the same verdict.
        kappa = f", Cohen's kappa {cohen_kappa_score(first, second):.2f}" if len({*first, *second}) == 2 else ""
        lines.append(f"{one} and {other} agree on {equal} of {len(shared)} clips{kappa}.")
    return lines
