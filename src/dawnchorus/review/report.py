"""`dawnchorus review report`: what reviewers answered, how far they agree, and what that says of model and sites."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dawnchorus.inference.answer_curves import interval
from dawnchorus.review.agreement import agreement_lines
from dawnchorus.review.curve import CONFIDENCE, precision_curve
from dawnchorus.review.journal import CHOICES, UNDONE
from dawnchorus.review.measured import MeasuredSpecies
from dawnchorus.review.session import Session
from dawnchorus.wording import score_text

# Not the name of a site, which is a path.
ALL = "(all)"


def answer_table(session: Session) -> pd.DataFrame:
    """The number of answers of each kind, by species; several reviewers' answers to an item count each."""
    counts = Counter((answer.species, answer.answer) for answer in session.answers())
    kinds = [kind for kind in CHOICES if kind != UNDONE]
    rows = [
        {"species": code, "items": sum(item.species == code for item in session.items.values())}
        | {kind: counts[code, kind] for kind in kinds}
        for code in session.info.asked
    ]
    return pd.DataFrame(rows, columns=["species", "items", *kinds])


def precision_at(
    threshold: float, scores: NDArray[np.floating], is_present: NDArray[np.bool_], inclusion: NDArray[np.floating]
) -> tuple[float, float, float] | None:
    """The precision of the windows above a threshold: each answer stands for as many windows as were not drawn for it.

    Args:
        threshold: lowest score that counts.
        scores: of the answered windows, shape [Answers].
        is_present: shape [Answers].
        inclusion: inclusion probability of each answer, shape [Answers].

    Returns:
        The precision and its 90 % interval, as from `precision_curve`; None without an answer above the threshold.
    """
    curve = precision_curve(scores, is_present, 1 / inclusion)
    point = int(np.searchsorted(curve.score, threshold))
    if point == len(curve.score):
        return None
    return float(curve.precision[point]), float(curve.low[point]), float(curve.high[point])


def precision_table(
    session: Session, measured: Mapping[str, MeasuredSpecies], now: Mapping[str, float]
) -> pd.DataFrame:
    """The precision of the model with which the review started, above its threshold, and that of the present one.

    Args:
        session: a review whose purpose is to measure.
        measured: its species, from `measured_species`.
        now: the present thresholds, by code.
    """
    rows = []
    for code, found in measured.items():
        row: dict[str, object] = {"species": code, "answers": len(found.scores)}
        before = ("before", session.info.thresholds, found.scores_then)
        for name, thresholds, scores in (before, ("now", now, found.scores)):
            threshold = thresholds.get(code)
            value = None
            if threshold is not None:
                value = precision_at(threshold, scores, found.is_present, found.inclusion)
            row |= {
                f"threshold {name}": "" if threshold is None else score_text(threshold),
                f"precision {name}": _text(value),
            }
        rows.append(row)
    return pd.DataFrame(rows)


def density_table(measured: Mapping[str, MeasuredSpecies]) -> pd.DataFrame:
    """The share of windows with each species, in all and by site, with 90 % intervals.

    At a site, it rests on the curve of all sites: that a score means the same everywhere.
    """
    rows = []
    for code, found in measured.items():
        names = sorted(set(found.sites))
        for site in [ALL, *(names if len(names) > 1 else [])]:
            chosen = np.ones(len(found.sites), bool) if site == ALL else found.sites == site
            shares = found.windows.fractions(chosen)
            rows.append(
                {"species": code, "site": site, "windows": int(chosen.sum()),
                 "density": _text((float(np.median(shares)), *interval(shares, CONFIDENCE)))}
            )  # fmt: skip
    return pd.DataFrame(rows)


def _text(value: tuple[float, float, float] | None) -> str:
    return "no answer above it" if value is None else f"{value[0]:.3f} ({value[1]:.3f} to {value[2]:.3f})"


def report_lines(
    session: Session, measured: Mapping[str, MeasuredSpecies] | None, now: Mapping[str, float]
) -> Sequence[str]:
    """The report on a review.

    Args:
        session: the review.
        measured: its species, from `measured_species`; None if it is not to measure.
        now: the present thresholds, by code.
    """
    answers = session.answers()
    took = [answer.seconds for answer in answers if answer.seconds is not None]
    lines = [
        f"Review {session.info.name}: {session.info.purpose}, started {session.info.created}",
        "",
        answer_table(session).to_string(index=False),
        "",
        *agreement_lines(answers),
        *([f"An answer took {np.median(took):.1f} s (median)"] if took else []),
    ]
    if measured is not None and not measured:
        lines += ["", "It measures nothing: its sample is spent, or no answer is present or absent"]
    if measured:
        lines += [
            "",
            "Precision of windows above the threshold, with 90 % intervals",
            precision_table(session, measured, now).to_string(index=False),
            "",
            "Call density: share of windows with the species, with 90 % intervals",
            density_table(measured).to_string(index=False),
        ]
    return lines
