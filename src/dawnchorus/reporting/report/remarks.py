"""What a reader must know before trusting the numbers, the important first."""

from dataclasses import dataclass

import numpy as np

from dawnchorus.evaluation.reliability import wilson_interval
from dawnchorus.features.embedders import BIRDNET_LICENCE
from dawnchorus.reporting.metrics import NO_FIGURES
from dawnchorus.reporting.model_card import LICENCE, uses_birdnet
from dawnchorus.reporting.report.data_tables import percent
from dawnchorus.reporting.report.species_rows import SpeciesRow, has_test, is_tested
from dawnchorus.reporting.report.tables import Experiment
from dawnchorus.wording import counted

# A list of more species is cut.
MOST_NAMES = 12


@dataclass(frozen=True)
class Remark:
    """A warning or a note, with lines of detail."""

    is_important: bool
    text: str
    details: tuple[str, ...] = ()


def remarks(experiment: Experiment, rows: list[SpeciesRow]) -> list[Remark]:
    """The warnings of a run, then its notes."""
    found = [*_about_figures(experiment), *_about_species(experiment, rows), *_about_data(experiment)]
    found.append(Remark(False, LICENCE))
    if uses_birdnet(experiment.params):
        found.append(Remark(True, BIRDNET_LICENCE))
    return sorted(found, key=lambda remark: not remark.is_important)


def _about_figures(experiment: Experiment) -> list[Remark]:
    figures, params, found = experiment.figures, experiment.params, []
    if "test" not in figures and "oof" not in figures:
        found.append(Remark(True, f"{NO_FIGURES.split(';')[0]}."))
    elif not is_tested(experiment):
        why = "it is unknown which species call in them" if has_test(experiment) else "there are none"
        found.append(Remark(True, f"No figure is from test recordings, because {why}. All are from annotated ones."))
    if params.split.method == "notebook":
        text = "With split.method: notebook, models are judged by recordings that they were trained on."
        found.append(Remark(True, text))
    if params.train.checkpoint != "last":
        text = f"train.checkpoint: {params.train.checkpoint} chooses epochs by the recordings that were left out."
        found.append(Remark(True, text))
    if len(params.rounds) > 1:
        text = "With several rounds, promises and confusion out of fold rest on the models of the first round."
        found.append(Remark(False, text))
    if "oof" in figures and "complete" not in figures:
        text = "Labels are sparse: a correct detection that nobody labelled lowers the out-of-fold LWLRAP."
        found.append(Remark(False, text))
    return found


def _about_species(experiment: Experiment, rows: list[SpeciesRow]) -> list[Remark]:
    found = []
    without = [row for row in rows if not row.is_promised]
    if without:
        text = f"For {counted(len(without), 'species', 'species')} of {len(rows)}, no precision can be promised."
        found.append(Remark(True, text, tuple(f"{row.name}: {row.no_promise}" for row in without)))
    broken = [row for row in rows if row.is_promised and row.right is not None and _is_below(row)]
    if broken:
        text = f"The promise of {counted(len(broken), 'species', 'species')} does not hold in the test recordings."
        details = (
            f"{row.name}: {row.right.part} of {row.right.whole} recordings with detections have it, at least "
            f"{percent(row.promise)} of windows were promised"
            for row in broken
            if row.right is not None
        )
        found.insert(0, Remark(True, text, tuple(details)))
    rare = experiment.figures.get("rare_species", [])
    if rare:
        names = {row.code: row.name for row in rows}
        text = "Some species are in fewer training recordings than there are folds, so some folds cannot judge them: "
        shown = ", ".join(names.get(code, code) for code in rare[:MOST_NAMES])
        found.append(Remark(True, text + shown + (" and others." if len(rare) > MOST_NAMES else ".")))
    return found


def _is_below(row: SpeciesRow) -> bool:
    """Whether the test recordings with detections have the species so rarely that the promise is not likely to hold."""
    if row.right is None or not row.right.whole:
        return False
    _, high = wilson_interval(np.array([row.right.value]), np.array([row.right.whole]))
    return bool(high[0] < row.promise)


def _about_data(experiment: Experiment) -> list[Remark]:
    found, everything = [], experiment.all_recordings
    skipped = experiment.figures["skipped"]
    bad = everything[~everything.usable]
    if len(bad):
        text = f"{counted(len(bad), 'recording')} could not be used and {'was' if len(bad) == 1 else 'were'} skipped"
        rows = f", with {skipped['tp_rows']} present and {skipped['fp_rows']} absent boxes."
        details = (f"{name}: {problem}" for name, problem in zip(bad.recording_id, bad.problem, strict=True))
        found.append(Remark(True, text + rows, tuple(details)))
    if skipped["copies"]:
        copies = counted(skipped["copies"], "test recording")
        text = f"Test figures leave out {copies} with the same sound as a training recording."
        found.append(Remark(True, text))
    odd = everything[everything.usable & (everything.problem != "")]
    if len(odd):
        text = f"{counted(len(odd), 'recording')} used in spite of oddities."
        details = (f"{name}: {problem}" for name, problem in zip(odd.recording_id, odd.problem, strict=True))
        found.append(Remark(False, text, tuple(details)))
    if experiment.remarks:
        text = f"Reading the data set gave {counted(len(experiment.remarks), 'remark')}."
        found.append(Remark(True, text, tuple(experiment.remarks)))
    if not (everything.start != "").any():
        found.append(Remark(False, "No clock time is known, so it is unknown when species call."))
    if not (everything.site != "").any():
        found.append(Remark(False, "No site is known: recordings are in no folders, and data.site_pattern is not set."))
    return found
