"""Experiments side by side: settings, the spread over seeds, and paired differences from the first one."""

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dawnchorus.evaluation.paired import Figures, interval, resampled_figures
from dawnchorus.reporting.comparison.experiments import BOXES, SEED, Experiment, Figure
from dawnchorus.seeding import generator

SAMPLES = 1000
# The figures in the order in which people read them, and their titles.
TITLES = {
    "test.lwlrap": "test LWLRAP",
    "test.macro_ap": "test macro AP",
    "oof.lwlrap": "out-of-fold LWLRAP",
    "oof.macro_ap": "out-of-fold macro AP",
    "oof.box_ap": "out-of-fold box AP",
}


@dataclass(frozen=True)
class Spread:
    """A figure over the seeds of a setting.

    Attributes:
        mean: the mean.
        deviation: the standard deviation between seeds.
    """

    mean: float
    deviation: float


@dataclass(frozen=True)
class Setting:
    """Experiments that differ in the seed alone.

    Attributes:
        name: of the setting: the name of its first experiment.
        differs: what differs from the first setting.
        experiments: with one seed each.
        spread: the figures that all have, where there are several.
    """

    name: str
    differs: list[str]
    experiments: list[Experiment]
    spread: dict[str, Spread]


@dataclass(frozen=True)
class Difference:
    """How much better a setting is than the first, on the same recordings.

    Attributes:
        setting: name of the setting.
        figures: the difference of each figure.
        by_species: the difference of the average precision of each species, by figure and species.
        reasons: why there is none, by figure.
    """

    setting: str
    figures: dict[str, Figure]
    by_species: dict[str, dict[str, Figure]]
    reasons: dict[str, str]


@dataclass(frozen=True)
class Comparison:
    """What `dawnchorus compare` tells.

    Attributes:
        settings: the first is the one that others are compared with.
        titles: titles of the figures that any experiment has, by their names.
        differences: those of the other settings.
        warnings: what a reader has to know before the figures.
        notes: what else there is to know.
    """

    settings: list[Setting]
    titles: dict[str, str]
    differences: list[Difference]
    warnings: list[str]
    notes: list[str]


def compare(found: Sequence[Experiment], samples: int = SAMPLES) -> Comparison:
    """Compare experiments with the first of them.

    Args:
        found: the experiments.
        samples: number of bootstrap resamplings.
    """
    experiments, notes = _once(found)
    grouped: dict[tuple, list[Experiment]] = {}
    for each in experiments:
        grouped.setdefault(each.setting, []).append(each)
    first = experiments[0]
    settings = [Setting(same[0].name, _differing(first, same[0]), same, _spread(same)) for same in grouped.values()]
    titles = {key: title for key, title in TITLES.items() if any(key in each.figures for each in experiments)}
    differences = [_difference(settings[0], other, list(titles), samples) for other in settings[1:]]
    notes += [f"{each.name}: {remark}" for each in experiments for remark in each.remarks]
    return Comparison(settings, titles, differences, _warnings(experiments), notes)


def _once(found: Sequence[Experiment]) -> tuple[list[Experiment], list[str]]:
    """The experiments without those that repeat another one, and a note on each of these."""
    first: dict[tuple, Experiment] = {}
    notes = []
    for each in found:
        same = first.setdefault((each.setting, repr(each.seed), each.scores), each)
        if same is not each:
            notes.append(f"{each.name} has the same settings, seed and scores as {same.name} and is left out")
    return list(first.values()), notes


def _differing(first: Experiment, other: Experiment) -> list[str]:
    keys = sorted({*first.params, *other.params} - {SEED})
    missing = object()
    found = [
        f"{key}: {other.params.get(key, 'none')}"
        for key in keys
        if first.params.get(key, missing) != other.params.get(key, missing)
    ]
    paths = [
        path for path in sorted({*first.sources, *other.sources}) if first.sources.get(path) != other.sources.get(path)
    ]
    for what, start in (("code", ("src/", "workflow/")), ("data", ())):
        some = [path for path in paths if path.startswith(("src/", "workflow/")) == bool(start)]
        if some:
            found.append(f"{what}: {some[0]}" + (f" and {len(some) - 1} more" if len(some) > 1 else ""))
    return found


def _spread(same: Sequence[Experiment]) -> dict[str, Spread]:
    if len(same) < 2:
        return {}
    shared = [key for key in TITLES if all(key in each.figures for each in same)]
    values = {key: [each.figures[key].value for each in same] for key in shared}
    return {key: Spread(statistics.mean(each), statistics.stdev(each)) for key, each in values.items()}


def _warnings(experiments: Sequence[Experiment]) -> list[str]:
    found = []
    by_device = _names_by((device, each.name) for each in experiments for device in each.devices)
    if len(by_device) > 1:
        found.append(
            "The models were computed on different kinds of processors, which changes figures about as much as another "
            f"seed does: {_listed(by_device)}"
        )
    with_boxes = [each for each in experiments if "oof.box_ap" in each.figures]
    by_window = _names_by((f"{each.params['window.seconds']:g} s", each.name) for each in with_boxes)
    if len(by_window) > 1:
        found.append(
            "Box AP compares only models with windows of the same length, because longer windows contain more of what "
            f"surrounds a box: {_listed(by_window)}"
        )
    return found


def _names_by(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key, name in pairs:
        found.setdefault(key, []).append(name)
    return found


def _listed(names: dict[str, list[str]]) -> str:
    return "; ".join(f"{key}: {', '.join(some)}" for key, some in sorted(names.items()))


def evidence_of(figure: str) -> str:
    """The key of the evidence that a figure rests on."""
    return BOXES if figure == "oof.box_ap" else figure.split(".")[0]


def _difference(first: Setting, other: Setting, figures: Sequence[str], samples: int) -> Difference:
    found = Difference(other.name, {}, {}, {})
    for key in dict.fromkeys(map(evidence_of, figures)):
        of_key = [figure for figure in figures if evidence_of(figure) == key]
        if reason := _reason(first, other, key):
            found.reasons.update(dict.fromkeys(of_key, reason))
        else:
            _add(found, key, of_key, first, other, samples)
    return found


def _reason(first: Setting, other: Setting, key: str) -> str:
    """Why there are no paired differences; empty if there are."""
    reference = first.experiments[0].evidence.get(key)
    for each in (*first.experiments, *other.experiments):
        evidence = each.evidence.get(key)
        if reference is None or evidence is None:
            return f"{each.name} has no scores for it"
        if differs := evidence.labels.differs_from(reference.labels):
            return f"{each.name} is not evaluated on what {first.name} is: {differs}"
    return ""


def _add(found: Difference, key: str, figures: Sequence[str], first: Setting, other: Setting, samples: int) -> None:
    """Add the differences of figures that rest on one kind of evidence."""
    evidence = [each.evidence[key] for each in (*first.experiments, *other.experiments)]
    resampled = resampled_figures(evidence, samples, generator(0, "compare", key))
    n = len(first.experiments)
    weights = _seed_weights(n, samples, "first"), _seed_weights(len(other.experiments), samples, "other")
    pairs = resampled[:n], resampled[n:]

    def difference(values: list[list[NDArray[np.float64]]]) -> Figure:
        one, two = (
            (np.array(each) * drawn).sum(axis=0) / drawn.sum(axis=0)
            for each, drawn in zip(values, weights, strict=True)
        )
        value, low, high = interval(two - one)
        return Figure(value) if math.isnan(low) else Figure(value, low, high)

    for figure in figures:
        found.figures[figure] = difference([[_values(each, figure) for each in some] for some in pairs])
    found.by_species[key] = {}
    for number, name in enumerate(evidence[0].labels.species):
        value = difference([[each.by_species[number] for each in some] for some in pairs])
        if not math.isnan(value.value):
            found.by_species[key][name] = value


def _values(figures: Figures, name: str) -> NDArray[np.float64]:
    return figures.lwlrap if name.endswith("lwlrap") else figures.macro


def _seed_weights(n: int, samples: int, which: str) -> NDArray[np.int64]:
    """How often each seed is drawn: once, then in each resampling, shape [Seeds, 1 + Resamplings]."""
    drawn = generator(0, "compare seeds", which).multinomial(n, np.full(n, 1 / n), samples).T
    return np.concatenate([np.ones((n, 1), int), drawn], axis=1)
