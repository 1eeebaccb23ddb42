"""`dawnchorus review next`: what to do next, so that a precision can be promised for each species."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dawnchorus.inference.answer_thresholds import FEWEST_ANSWERS, FEWEST_PRESENT, LOWER
from dawnchorus.review.measured import MeasuredSpecies
from dawnchorus.wording import score_text

# Thresholds that are tried.
TRIED = 40
# More answers than this are no advice.
MOST_ANSWERS = 500
FIRST_ANSWERS = 30


@dataclass(frozen=True)
class Need:
    """What it takes to promise a precision for a species.

    Attributes:
        threshold: lowest score above which the precision can be promised now; None if there is none.
        answers: about how many more answers it takes; None if more answers alone will not do.
        above: the score above which they should be.
        share: the share of a further sample that is above it.
    """

    threshold: float | None
    answers: int | None
    above: float
    share: float


def find_need(found: MeasuredSpecies, precision: float) -> Need:
    """Estimate how many more answers a promise takes.

    The distance between the precision of the windows above a threshold and its lower bound shrinks with the square root
    of the number of answers near and above that threshold: those to windows that are more likely right than wrong.

    Args:
        found: a measured species.
        precision: to be promised.
    """
    windows = found.windows
    ranked = windows.scores[windows.order]
    probabilities = windows.probabilities
    means = np.cumsum(probabilities) / np.arange(1, len(ranked) + 1)
    half = max(1, int((probabilities >= 0.5).sum()))
    above = float(ranked[half - 1])
    n_near = max(1, int((found.scores >= above).sum()))
    share = n_near / len(found.scores)
    best: int | None = None
    threshold = None
    for rank in np.unique(np.geomspace(min(5, len(ranked)), len(ranked), TRIED).astype(int)):
        mean = means[rank - 1]
        if mean <= precision:
            break
        low = float(np.quantile(windows.fractions(windows.scores >= ranked[rank - 1]), LOWER))
        if low >= precision:
            threshold = float(ranked[rank - 1])
            continue
        more = int(np.ceil(n_near * (((mean - low) / (mean - precision)) ** 2 - 1)))
        best = more if best is None else min(best, more)
    if threshold is not None:
        return Need(threshold, 0, above, share)
    return Need(None, best if best is not None and best <= MOST_ANSWERS else None, above, share)


def advice_lines(
    codes: Sequence[str],
    found: dict[str, MeasuredSpecies],
    precision: float,
    results: Path,
    open_items: dict[str, int],
    unmerged: Sequence[str],
    model: Path | None = None,
) -> list[str]:
    """What to do next, a line for each species that was measured, and one for all others.

    Args:
        codes: of all species.
        found: those that were measured.
        precision: to be promised.
        results: the folder with the scores, for commands.
        open_items: the number of items without an answer of each review that has some.
        unmerged: the reviews whose answers are not in `answers/answers.csv` yet.
        model: the model that the user named, for commands; None for none.
    """
    folders = [str(results), *([] if model is None else ["--model", str(model)])]
    start = f"dawnchorus review start {shlex.join(folders)}"
    lines = [f"{name}: {count} items wait for an answer: dawnchorus review serve {name}"
             for name, count in open_items.items()]  # fmt: skip
    if unmerged:
        lines.append(
            f"The workflow does not know the present answers yet: dawnchorus review finish {' '.join(unmerged)}"
        )
    for code, measured in found.items():
        n_present = int(measured.is_present.sum())
        counted = f"{len(measured.scores)} answers, {n_present} present"
        if len(measured.scores) < FEWEST_ANSWERS or n_present < FEWEST_PRESENT:
            lines.append(
                f"{code}: too few answers ({counted}) for a promise; expected at least {FEWEST_ANSWERS}, "
                f"{FEWEST_PRESENT} of them present: {start} --purpose measure --species {shlex.quote(code)} "
                f"-n {FIRST_ANSWERS}"
            )
            continue
        need = find_need(measured, precision)
        if need.threshold is not None:
            lines.append(f"{code}: {precision:g} can be promised above {score_text(need.threshold)} ({counted})")
        elif need.answers is not None:
            n_items = int(np.ceil(need.answers / need.share))
            lines.append(
                f"{code}: promise of {precision:g} needs about {need.answers} more answers above {need.above:.2g} "
                f"({counted}): {start} --purpose measure --species {shlex.quote(code)} -n {n_items}"
            )
        else:
            lines.append(
                f"{code}: no score is sure enough for a promise of {precision:g} ({counted}); teach the model first: "
                f"{start} --purpose improve --species {shlex.quote(code)}"
            )
    others = [code for code in codes if code not in found]
    if others:
        lines.append(
            f"Not measured yet: {', '.join(others)}: {start} --purpose measure --species {shlex.join(others)} "
            f"-n {FIRST_ANSWERS}"
        )
    return lines
