"""What the answers to random samples say of the windows that they were drawn from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dawnchorus.data.answers import read_answers
from dawnchorus.inference.answer_curves import MeasuredWindows
from dawnchorus.inference.answer_thresholds import TOLERANCE_SECONDS, measure_windows
from dawnchorus.review.finish import ANSWERS, merged, spent_reviews
from dawnchorus.review.items import MEASURE
from dawnchorus.review.journal import PRESENT, UNSURE
from dawnchorus.review.places import Places
from dawnchorus.review.scores import ScoredWindows
from dawnchorus.review.session import Session
from dawnchorus.seeding import generator


@dataclass(frozen=True)
class MeasuredSpecies:
    """A species of which a sample was answered.

    Attributes:
        windows: what the answers say of all windows that thresholds are for.
        sites: the site of each of these windows, shape [Windows].
        scores: of the windows that were answered, by the present model, shape [Answers].
        scores_then: the same by the model that the review began with, shape [Answers].
        is_present: shape [Answers].
        inclusion: inclusion probability of each answer, shape [Answers].
    """

    windows: MeasuredWindows
    sites: NDArray[np.str_]
    scores: NDArray[np.float64]
    scores_then: NDArray[np.float64]
    is_present: NDArray[np.bool_]
    inclusion: NDArray[np.float64]


def measured_species(scored: ScoredWindows, sessions: Sequence[Session], seed: int) -> dict[str, MeasuredSpecies]:
    """Evaluate the answers of reviews whose purpose is to measure, and that are not spent.

    Args:
        scored: the windows that the reviews are about, with the scores of the present model.
        sessions: the reviews.
        seed: of random draws.

    Returns:
        The species that have an answer, by code.
    """
    frame = np.flatnonzero(scored.is_measured)
    file_of = scored.recordings.file.to_numpy()
    by_file: dict[str, NDArray[np.int64]] = {
        str(file_of[int(str(number))]): rows.to_numpy()
        for number, rows in pd.Series(np.arange(len(frame))).groupby(scored.recording[frame])
    }
    places, spent, found = Places(), spent_reviews(read_answers(ANSWERS)), []
    for session in (one for one in sessions if one.info.purpose == MEASURE and one.info.name not in spent):
        table = merged(session, session.answers(), places, is_spent=False)
        for answer in table[table.answer != UNSURE].itertuples():
            item = session.items[int(answer.item)]
            channel = 0 if item.channel == "mean" else int(item.channel)
            for row in by_file.get(item.file, ()):
                is_close = abs(scored.starts[frame[row]] - item.start_s) <= TOLERANCE_SECONDS
                if is_close and scored.channel[frame[row]] == channel:
                    is_present, inclusion = answer.answer == PRESENT, answer.inclusion_probability
                    found.append((item.species, row, is_present, inclusion, session.info.name, item.score))
    columns = ["species", "row", "is_present", "inclusion_probability", "review", "score_then"]
    answered = pd.DataFrame(found, columns=columns)
    sites = scored.recordings.site.to_numpy(str)[scored.recording[frame]]
    result = {}
    for code in scored.bundle.codes:
        own = answered[answered.species == code].reset_index(drop=True)
        if own.empty:
            continue
        number = scored.bundle.codes.index(code)
        scores = scored.scores[frame, number]
        windows = measure_windows(scores, own, scored.prior, number, generator(seed, "answers", code))
        result[code] = MeasuredSpecies(
            windows, sites, scores[own.row].astype(float), own.score_then.to_numpy(float),
            own.is_present.to_numpy(bool), own.inclusion_probability.to_numpy(float),
        )  # fmt: skip
    return result
