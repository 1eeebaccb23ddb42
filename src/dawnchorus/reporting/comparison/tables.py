"""What a comparison shows, as cells: the terminal and the page have the same."""

from collections.abc import Sequence

from dawnchorus.reporting.comparison.differences import Comparison, Setting, Spread
from dawnchorus.reporting.comparison.experiments import Experiment, Figure

NOTHING = "-"
ONE_SEED = (
    "Where a setting has a single seed, the interval of its difference leaves out how much figures change with another "
    "seed."
)
BY_CHANCE = (
    "A difference is between means over seeds. Where its interval contains 0, it may be chance. The bootstrap draws "
    "recordings, or their groups, and the seeds of a setting with several."
)


def level(figure: Figure | None) -> str:
    """A figure with its interval."""
    return NOTHING if figure is None else f"{figure.value:.3f}{_ends(figure, '.3f')}"


def gain(figure: Figure | None) -> str:
    """A difference with its interval."""
    return NOTHING if figure is None else f"{figure.value:+.3f}{_ends(figure, '+.3f')}"


def _ends(figure: Figure, form: str) -> str:
    return "" if figure.low is None or figure.high is None else f" ({figure.low:{form}} to {figure.high:{form}})"


def over_seeds(spread: Spread | None) -> str:
    """Mean and standard deviation."""
    return NOTHING if spread is None else f"{spread.mean:.3f} ± {spread.deviation:.3f}"


def headings(comparison: Comparison) -> list[str]:
    """Of the table of experiments."""
    seed = ["seed"] if _has_seeds(comparison) else []
    first = comparison.settings[0].name
    devices = ["processor"] if _processors(comparison) else []
    return ["experiment", *seed, *comparison.titles.values(), *devices, f"differs from {first} in"]


def rows(comparison: Comparison) -> list[list[str]]:
    """The table of experiments: one row for each, and one for a setting with several seeds."""
    found = []
    processors = _processors(comparison)
    for setting in comparison.settings:
        differs = ", ".join(setting.differs)
        for each in setting.experiments:
            seed = [str(each.seed)] if _has_seeds(comparison) else []
            figures = [level(each.figures.get(key)) for key in comparison.titles]
            found.append([each.name, *seed, *figures, *_devices(each, processors), differs])
        if setting.spread:
            figures = [over_seeds(setting.spread.get(key)) for key in comparison.titles]
            found.append([f"  {title(setting)}", "", *figures, *([""] if processors else []), "mean ± sd over seeds"])
    return found


def title(setting: Setting) -> str:
    """The name of a setting, and its number of seeds if there are several."""
    n = len(setting.experiments)
    return f"{setting.name}, {n} seeds" if n > 1 else setting.name


def _has_seeds(comparison: Comparison) -> bool:
    return len({repr(each.seed) for setting in comparison.settings for each in setting.experiments}) > 1


def _processors(comparison: Comparison) -> list[str]:
    """The kinds of processors, if there are several."""
    found = sorted({each for setting in comparison.settings for one in setting.experiments for each in one.devices})
    return found if len(found) > 1 else []


def _devices(experiment: Experiment, processors: Sequence[str]) -> list[str]:
    return [", ".join(sorted(experiment.devices)) or "unknown"] if processors else []


def difference_headings(comparison: Comparison) -> list[str]:
    """Of the table of differences."""
    return [f"over {title(comparison.settings[0])}", *comparison.titles.values()]


def difference_rows(comparison: Comparison) -> list[list[str]]:
    """The table of differences: one row for each setting but the first."""
    return [
        [each.setting, *(gain(each.figures.get(key)) for key in comparison.titles)] for each in comparison.differences
    ]


def remarks(comparison: Comparison) -> list[str]:
    """Sentences below the tables."""
    found = list(comparison.notes)
    for each in comparison.differences:
        for reason in dict.fromkeys(each.reasons.values()):
            figures = [comparison.titles[key] for key, why in each.reasons.items() if why == reason]
            found.append(f"no difference of {each.setting} in {', '.join(figures)}: {reason}")
    if not _processors(comparison):
        devices = {each for setting in comparison.settings for one in setting.experiments for each in one.devices}
        found += [f"all models whose processor is known were computed on {device}" for device in devices]
    return found


def explanations(comparison: Comparison) -> list[str]:
    """How to read the differences; nothing where there are none."""
    if not any(each.figures for each in comparison.differences):
        return []
    single = any(len(setting.experiments) == 1 for setting in comparison.settings)
    return [BY_CHANCE, *([ONE_SEED] if single else [])]


def as_text(comparison: Comparison) -> str:
    """Format a comparison for the terminal."""
    lines = [f"warning: {each}" for each in comparison.warnings]
    lines += (
        ["", *_aligned([headings(comparison), *rows(comparison)])]
        if lines
        else _aligned([headings(comparison), *rows(comparison)])
    )
    if comparison.differences:
        lines += ["", "Differences on the same recordings, with 95 % intervals:"]
        lines += _aligned([difference_headings(comparison), *difference_rows(comparison)])
    below = [*explanations(comparison), *remarks(comparison)]
    return "\n".join([*lines, *([""] if below else []), *below])


def _aligned(table: list[list[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
