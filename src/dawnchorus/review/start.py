"""`dawnchorus review start`: draw the items of a review, once, and write its folder."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dawnchorus.errors import InputError
from dawnchorus.files import replacing
from dawnchorus.review.choosing import choose_best, choose_diverse, draw_sample, rank_uncertain
from dawnchorus.review.items import CONFIRM, IMPROVE, MEASURE, Item, Purpose, write_items
from dawnchorus.review.scores import ScoredWindows, clock_time
from dawnchorus.review.session import FOLDER, ITEMS, NAME, SessionInfo, read_session, session_names, write_info
from dawnchorus.review.unlabelled import Stretches, is_known, known_stretches, recording_of, unlabelled_windows
from dawnchorus.seeding import generator


def start_review(
    scored: ScoredWindows,
    results: Path,
    purpose: Purpose,
    species: Sequence[str],
    n_items: int,
    name: str | None,
    seed: int,
    now: datetime,
) -> list[str]:
    """Draw the items of a review and write its folder below `session.FOLDER`.

    Args:
        scored: the scores, from `read_scores`.
        results: the folder that they are from.
        purpose: one of `items.PURPOSES`.
        species: codes of the species to ask about; all if there are none.
        n_items: number of items for each species.
        name: of the review; None for one from purpose and date.
        seed: of the draws.
        now: the present time, with a zone.

    Returns:
        Lines for people.

    Raises:
        InputError: a species is unknown, the name is taken or unusable, or there is nothing to ask about.
    """
    codes = scored.bundle.codes
    unknown = [code for code in species if code not in codes]
    if unknown:
        raise InputError(f"--species: found {unknown[0]!r}, expected some of {', '.join(codes)}")
    asked = [code for code in codes if not species or code in species]
    folder = _new_folder(purpose, name, now)
    if purpose != CONFIRM and not len(scored.starts):
        raise InputError(
            f"{results}: the scores of windows, windows/, are not there any more, so only the best detections can be "
            "reviewed: use --purpose confirm, or run `dawnchorus detect` again"
        )
    items: list[Item] = []
    remarks = []
    earlier = [read_session(name) for name in session_names()]
    known = known_stretches(asked, earlier) if purpose != MEASURE else {}
    for code in asked:
        # A further sample of a species is another one.
        samples = sum(one.info.purpose == MEASURE and code in one.info.asked for one in earlier)
        rng = generator(seed, "review", purpose, code, samples)
        if purpose == MEASURE:
            found = _measure(scored, code, n_items, rng)
        elif purpose == IMPROVE:
            found = _improve(scored, code, n_items, known)
        else:
            found = _confirm(scored, code, n_items, known)
        if len(found) < n_items:
            remarks.append(f"{code}: {len(found)} items, because there are no more {_WHAT[purpose]}")
        items += [replace(item, item=len(items) + number) for number, item in enumerate(found, start=1)]
    if not items:
        hint = "; if none is above its threshold, use --purpose improve" if purpose == CONFIRM else ""
        raise InputError(f"{results}: has no {_WHAT[purpose]} of {', '.join(asked)}{hint}")
    write_review(folder, scored, results, purpose, asked, items, seed, now)
    return [
        *remarks,
        f"{folder}: {len(items)} items of {len({item.species for item in items})} species in "
        f"{len({item.recording_id for item in items})} recordings",
        f"Answer them with: dawnchorus review serve {folder.name}",
    ]


def write_review(
    folder: Path,
    scored: ScoredWindows,
    results: Path,
    purpose: Purpose,
    asked: Sequence[str],
    items: Sequence[Item],
    seed: int,
    now: datetime,
) -> None:
    """Write the folder of a review, named as the review is; the other arguments are those of `start_review`."""
    thresholds = dict(zip(scored.bundle.codes, scored.thresholds.tolist(), strict=True))
    info = SessionInfo(
        name=folder.name, purpose=purpose, created=now.isoformat(timespec="seconds"),
        model=scored.bundle.scorer_digest, results=results.as_posix(), data_root=scored.data_root.as_posix(), seed=seed,
        asked=list(asked), species=scored.bundle.info.species,
        thresholds={code: thresholds[code] for code in asked if not np.isnan(thresholds[code])},
        precision=scored.bundle.info.settings.detect.precision, window_seconds=scored.window_seconds,
    )  # fmt: skip
    with replacing(folder) as temporary:
        temporary.mkdir()
        write_items(temporary / ITEMS, items)
        write_info(temporary, info)


_WHAT = {
    MEASURE: "windows",
    IMPROVE: "windows, outside the test recordings, that nobody has labelled",
    CONFIRM: "detections that nobody has confirmed",
}


def _new_folder(purpose: str, name: str | None, now: datetime) -> Path:
    taken = set(session_names())
    if name is None:
        first = f"{purpose}-{now:%Y-%m-%d}"
        name = next(each for number in range(1, len(taken) + 3)
                    if (each := first if number == 1 else f"{first}-{number}") not in taken)  # fmt: skip
    if not NAME.fullmatch(name):
        raise InputError(f"--name: found {name!r}, expected letters, digits, '.', '_' and '-', first a letter or digit")
    if (FOLDER / name).exists():
        raise InputError(f"--name: there is a review {FOLDER / name}; choose another name")
    return FOLDER / name


def window_items(scored: ScoredWindows, code: str, rows: NDArray[np.integer], purpose: Purpose) -> list[Item]:
    """Items for windows and a species, which are not numbered yet.

    Args:
        scored: as in `start_review`.
        code: of the species.
        rows: of the windows.
        purpose: of the items.
    """
    number = scored.bundle.codes.index(code)
    scores = scored.scores[rows, number]
    probabilities = scored.model.of_species(np.full(len(rows), number)).probabilities(scores)
    found = []
    for row, score, probability in zip(rows, scores.tolist(), probabilities.tolist(), strict=True):
        place = scored.recordings.iloc[scored.recording[row]]
        start = float(scored.starts[row])
        end = min(start + scored.window_seconds, place.seconds)
        channel = int(scored.channel[row])
        found.append(
            Item(
                0, place.recording_id, place.file, str(channel) if channel else "mean", place.split, place.site,
                clock_time(place.start, start), round(start, 4), round(float(end), 4), None, None, code, score,
                _or_none(probability), _or_none(scored.thresholds[number]), purpose, "", None,
            )
        )  # fmt: skip
    return found


def _or_none(number: float) -> float | None:
    return None if np.isnan(number) else float(number)


def _measure(scored: ScoredWindows, code: str, n_items: int, rng: np.random.Generator) -> list[Item]:
    """Items in random order: that of scores would tell reviewers what to expect."""
    frame = np.flatnonzero(scored.is_measured)
    sample = draw_sample(scored.scores[frame, scored.bundle.codes.index(code)], n_items, rng)
    items = [
        # Without a split, answers say nothing of the thresholds of the data set.
        replace(
            item,
            stratum=str(stratum),
            inclusion_probability=float(inclusion),
            split=item.split if scored.is_whole else "",
        )
        for item, stratum, inclusion in zip(
            window_items(scored, code, frame[sample.rows], MEASURE),
            sample.strata[sample.rows],
            sample.inclusion,
            strict=True,
        )
    ]
    return [items[position] for position in rng.permutation(len(items))]


def _improve(scored: ScoredWindows, code: str, n_items: int, known: Stretches) -> list[Item]:
    number = scored.bundle.codes.index(code)
    rows = unlabelled_windows(scored, code, known)
    scores = scored.scores[rows, number]
    probabilities = scored.model.of_species(np.full(len(rows), number)).probabilities(scores)
    # Without a present box, nothing is known of probabilities.
    probabilities = np.where(np.isnan(probabilities), scores, probabilities)
    # Half of the items are probably present: few windows are, and they teach most where labels are few.
    priorities = [scores, rank_uncertain(probabilities, scored.disagreement[rows, number])]
    recordings = scored.recording[rows]
    chosen = choose_diverse(priorities, recordings, scored.recordings.site.to_numpy()[recordings], n_items)
    return window_items(scored, code, rows[chosen], IMPROVE)


def _confirm(scored: ScoredWindows, code: str, n_items: int, known: Stretches) -> list[Item]:
    """The best detections, each as its best window, or as a whole if windows have no scores any more."""
    number = scored.bundle.codes.index(code)
    position = {file: row for row, file in enumerate(scored.recordings.file)}
    found = scored.detections[scored.detections.species == code].sort_values(
        ["score", "file", "start_s"], ascending=[False, True, True]
    )
    rows = [position[file] for file in found.file if file in position]
    if len(rows) < len(found):
        missing = next(file for file in found.file if file not in position)
        raise InputError(f"detections.csv: has {missing}, of which there are no scores; run the detection again")
    # The windows of each recording, without a search through all for each detection.
    order = np.argsort(scored.recording, kind="stable")
    edges = np.searchsorted(scored.recording[order], np.arange(len(scored.recordings) + 1))
    items = []
    for row, place in zip(rows, found.itertuples(), strict=True):
        own = order[edges[row] : edges[row + 1]]
        inside = own[
            (scored.channel[own] == (0 if place.channel == "mean" else int(place.channel)))
            & (scored.starts[own] >= place.start_s - 0.01)
            & (scored.starts[own] + scored.window_seconds <= place.end_s + 0.01)
        ]
        if len(inside):
            (item,) = window_items(scored, code, inside[[np.argmax(scored.scores[inside, number])]], CONFIRM)
        else:
            recording = scored.recordings.iloc[row]
            item = Item(
                0, recording.recording_id, recording.file, place.channel, recording.split, recording.site,
                place.clock_time, place.start_s, place.end_s, None, None, code, place.score,
                float(place.probability) if place.probability else None, _or_none(scored.thresholds[number]), CONFIRM,
                "", None,
            )  # fmt: skip
        recording_key = recording_of(item.split, item.recording_id, item.file)
        if not is_known(known, recording_key, code, item.start_s, item.end_s):
            items.append(item)
    places = [(item.site, item.clock_time[:10]) for item in items]
    chosen = choose_best(np.array([item.score for item in items]), places, n_items)
    return [items[row] for row in chosen]
