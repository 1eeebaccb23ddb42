"""The sections on confusion and activity: charts and tables of what `confusion` and `activity` compute."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from dawnchorus.features.frames import to_frames, to_seconds
from dawnchorus.reporting.report.activity import Activity, Peak, by_day, by_hour, by_site, calling_days, peak
from dawnchorus.reporting.report.charts import HeatMap, heat_map
from dawnchorus.reporting.report.confusion import Confusion, confusion_in_boxes, confusion_in_recordings
from dawnchorus.reporting.report.data_tables import Cell, Column, Table, decimal, percent
from dawnchorus.reporting.report.species_rows import has_test, is_tested
from dawnchorus.reporting.report.tables import Experiment, displayed_names
from dawnchorus.reporting.results import truth_of_test, usable_present

# Heat maps show at most so many species and bins, and tables so many pairs.
MOST_ROWS, MOST_COLUMNS, MOST_PAIRS = 30, 62, 50
# An excess of this much has the darkest shade: such calls score as high as the other species' own.
DARKEST = 0.5
# What may be chance is drawn this much fainter, so is the activity of a species with fewer detections than these.
FAINT, FEWEST = 0.4, 5


@dataclass(frozen=True)
class Pair:
    """A pair of species that stands out: calls of the first raise the score of the other.

    Attributes:
        first: name of the species that calls.
        other: name of the species whose score is higher.
        share: how often a call of the first scores higher for the other than a call of the other.
        elsewhere: the same where neither is known to call.
        calls: number of calls of the first.
    """

    first: str
    other: str
    share: float
    elsewhere: float
    calls: int


@dataclass(frozen=True)
class ConfusionView:
    """Confusion by one kind of evidence."""

    title: str
    text: str
    pairs: list[Pair]
    chart: Markup
    note: str
    table: Table | None


def confusion_views(experiment: Experiment) -> list[ConfusionView]:
    """Confusion at labelled calls, and in test recordings if it is known which species call in them."""
    names, params = displayed_names(experiment.species), experiment.params
    if len(names) < 2:
        return []
    seconds = to_seconds(to_frames(params.window.seconds, params.spectrogram), params.spectrogram)
    boxes = confusion_in_boxes(experiment.windows, usable_present(experiment.recordings), seconds, len(names))
    text = (
        "Each labelled call, scored by models that did not learn from its recording. Labels are sparse: the other "
        "species may call there unlabelled. That raises its score everywhere alike, so the comparison is with all "
        "other windows."
    )
    views = [_view("calls", "At labelled calls, out of fold", text, boxes, names)]
    truth = truth_of_test(experiment.recordings)
    if truth is not None and is_tested(experiment):
        text = (
            "Test recordings with the first species and without the other, which is known to be silent there. Other "
            "species call in them, too, so this shows pairs less clearly."
        )
        found = confusion_in_recordings(truth, experiment.test_scores)
        views.append(_view("test", "In test recordings", text, found, names))
    return views


def _view(name: str, title: str, text: str, found: Confusion, names: Sequence[str]) -> ConfusionView:
    pairs = [
        Pair(names[first], names[other], float(found.share[first, other]), float(found.elsewhere[other]),
             int(found.calls[first, other]))
        for first, other in found.strongest()
    ]  # fmt: skip
    table = None
    if pairs:
        columns = [
            Column("Calls of", is_number=False), Column("raise the score of", is_number=False),
            Column("At its calls", "how often one scores higher than a call of the other species"),
            Column("Elsewhere", "the same for all other sounds"), Column("Difference"), Column("Calls"),
        ]  # fmt: skip
        rows = [
            [Cell(pair.first), Cell(pair.other), Cell(percent(pair.share), pair.share),
             Cell(percent(pair.elsewhere), pair.elsewhere),
             Cell(percent(pair.share - pair.elsewhere), pair.share - pair.elsewhere, pair.share - pair.elsewhere),
             Cell(str(pair.calls), pair.calls)]
            for pair in pairs[:MOST_PAIRS]
        ]  # fmt: skip
        table = Table(f"confusion-{name}-table", "Pairs that stand out from chance", columns, rows)
    note = f"{MOST_ROWS} of {len(names)} species, with those of the strongest pairs." if len(names) > MOST_ROWS else ""
    return ConfusionView(title, text, pairs, _confusion_chart(name, found, names, pairs), note, table)


def _confusion_chart(name: str, found: Confusion, names: Sequence[str], pairs: Sequence[Pair]) -> Markup:
    if np.isnan(found.share).all():
        return Markup("")
    # Species of the strongest pairs come first if there are too many.
    ranked = [each for pair in found.strongest() for each in pair]
    chosen = sorted(list(dict.fromkeys([*ranked, *range(len(names))]))[:MOST_ROWS])
    excess, stands_out = (values[np.ix_(chosen, chosen)] for values in (found.excess, found.stands_out))
    texts = [
        [f"{100 * value:.0f}" if shown else "" for value, shown in zip(*row, strict=True)]
        for row in zip(excess, stands_out, strict=True)
    ]
    shades = np.clip(excess / DARKEST, 0, 1)
    # What may be chance is faint.
    shades = np.where(stands_out, 0.3 + 0.7 * shades, shades * FAINT)
    strongest = ", ".join(f"{pair.first} raises {pair.other}" for pair in pairs[:5]) or "no pair stands out"
    label = f"Heat map of confusion, rows raise columns: {strongest}"
    shown = [names[each] for each in chosen]
    return heat_map(
        f"confusion-{name}", label, HeatMap(shown, shown, shades, texts, np.empty(0), "calls of", "raise the score of")
    )


@dataclass(frozen=True)
class ActivityView:
    """Activity by one division of time or place: a chart, what it leaves out, and all of it as a table."""

    title: str
    chart: Markup
    note: str
    table: Table


@dataclass(frozen=True)
class ActivityViews:
    """When and where species call.

    Attributes:
        where: which recordings were searched.
        views: what is known, by hour, day and site.
        missing: a line for each of these that is not known.
        peaks: species with the hours in which most of their detections are, the clearest first.
        has_clock: whether clock times are known.
        fewest: number of detections from which on shades are not faint.
    """

    where: str
    views: list[ActivityView]
    missing: list[str]
    peaks: list[tuple[str, Peak]]
    has_clock: bool
    fewest: int = FEWEST


def activity_views(experiment: Experiment) -> ActivityViews:
    """Detections by hour of the day, day and site, relative to the time that was recorded."""
    searched = experiment.recordings.test if has_test(experiment) else experiment.recordings.train
    split = "test" if has_test(experiment) else "train"
    everything = experiment.all_recordings
    sites = everything[everything.split == split].set_index("recording_id").site
    recordings = searched[searched.usable].assign(site=lambda table: sites.reindex(table.index).fillna(""))
    names, codes = displayed_names(experiment.species), list(experiment.species.species)
    views, missing, peaks = [], [], []
    kinds = {
        "By hour of the day": ("hour", by_hour, "No clock time is known, so there are no hours of the day."),
        "By day": ("day", by_day, "No clock time is known, so there are no days."),
        "By site": ("site", by_site, "No site is known: name folders after sites, or set data.site_pattern."),
    }
    for title, (name, compute, reason) in kinds.items():
        found = compute(experiment.detections, recordings, codes)
        if found is None:
            missing.append(reason)
            continue
        views.append(_activity_view(name, title, found, names))
        if name == "hour":
            days = [calling_days(experiment.detections, recordings, code) for code in codes]
            peaks = [(names[number], top) for number in range(len(names)) if (top := peak(found, number, days[number]))]
    peaks.sort(key=lambda each: each[1].recorded - each[1].calls)
    where = "test recordings" if has_test(experiment) else "annotated recordings, out of fold"
    return ActivityViews(where, views, missing, peaks, bool((recordings.start != "").any()))


def _activity_view(name: str, title: str, found: Activity, names: Sequence[str]) -> ActivityView:
    detected = np.flatnonzero(found.counts.sum(axis=1))
    # The most common species, in their usual order.
    order = np.sort(detected[np.argsort(-found.counts[detected].sum(axis=1), kind="stable")][:MOST_ROWS])
    bins = np.arange(len(found.bins))
    if len(bins) > MOST_COLUMNS:
        bins = np.sort(np.argsort(-found.counts.sum(axis=0), kind="stable")[:MOST_COLUMNS])
    columns = [Column("Species", is_number=False), *(Column(each) for each in found.bins)]
    recorded = [Cell("recorded, h"), *(Cell(decimal(each, 1 if each >= 10 else 2), each) for each in found.hours)]
    rows = [
        [
            Cell(names[int(number)]),
            *(Cell(str(count) if count else "", count) for count in found.counts[number].tolist()),
        ]
        for number in detected
    ]
    table = Table(f"activity-{name}-table", f"Number of detections, {title.lower()}", columns, [recorded, *rows])
    chart = Markup("")
    if len(order):
        rates, counts = found.rates[np.ix_(order, bins)], found.counts[np.ix_(order, bins)]
        # Of each species, the highest rate has the darkest shade: rare and common ones show when they call.
        most = np.nanmax(rates, axis=1, keepdims=True)
        texts = [[_short(count) for count in row] for row in counts.tolist()]
        label = f"Heat map of detections {title.lower()}; the table below it has the numbers"
        faint = np.where(counts.sum(axis=1, keepdims=True) < FEWEST, FAINT, 1)
        shades = np.where(rates > 0, 0.1 + 0.9 * rates / most * faint, rates)
        bins_shown, title_shown = [found.bins[each] for each in bins], name
        if name == "day":
            title_shown = {10: "day", 7: "month", 4: "year"}[len(found.bins[0])]
            if title_shown != "year" and len({each[:4] for each in found.bins}) == 1:
                bins_shown, title_shown = [each[5:] for each in bins_shown], f"{title_shown} of {found.bins[0][:4]}"
        chart = heat_map(
            f"activity-{name}", label,
            HeatMap([names[each] for each in order], bins_shown, shades, texts, found.hours[bins] / found.hours.max(),
                    "", title_shown),
        )  # fmt: skip
    note = f"The {len(order)} species with most detections." if len(order) < len(detected) else ""
    if len(bins) < len(found.bins):
        note += f" The {len(bins)} {name}s with most detections."
    return ActivityView(title, chart, note.strip(), table)


def _short(count: int) -> str:
    """A count that fits a cell; nothing for none."""
    return "" if not count else str(count) if count < 1000 else f"{count / 1000:.0f}k"
