"""What an experiment is: its data, its model, and the settings that differ from the defaults."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd
from pydantic import BaseModel

from dawnchorus.config.params import Params
from dawnchorus.data.splits import TRAIN
from dawnchorus.dotted import flatten
from dawnchorus.reporting.report.species_rows import has_test
from dawnchorus.reporting.report.tables import Experiment
from dawnchorus.wording import counted

# The embedded data set, whose settings matter to no other.
DEMO_ROOT = "data/demo/dataset"


@dataclass(frozen=True)
class Fact:
    """Something to know about the experiment: a heading and a text."""

    heading: str
    text: str


@dataclass(frozen=True)
class Setting:
    """A parameter that differs from its default."""

    key: str
    value: str
    default: str
    meaning: str


def facts(experiment: Experiment) -> list[Fact]:
    """The data set and the model in numbers."""
    params, tables, everything = experiment.params, experiment.recordings, experiment.all_recordings
    usable = everything[everything.usable]
    annotated, test = tables.train[tables.train.usable], tables.test[tables.test.usable]
    n_others = int((usable.split == TRAIN).sum()) - len(annotated)
    parts = [f"{len(annotated)} annotated ({hours(annotated.seconds)})"]
    parts += [f"{n_others} without labels"] if n_others > 0 else []
    parts += [f"{len(test)} for testing ({hours(test.seconds)})"] if len(test) else ["none for testing"]
    boxes = tables.annotations[tables.annotations.recording_id.isin(annotated.index)]
    present = boxes[boxes.is_tp]
    labels = [
        f"{counted(len(present), 'call')} in {counted(present.recording_id.nunique(), 'recording')}",
        f"{counted(int((~boxes.is_tp).sum()), 'box', 'boxes')} where an expert heard no such call",
    ]
    labels += [f"{len(tables.uncertain)} uncertain"] if len(tables.uncertain) else []
    n_complete = int(tables.complete.recordings.isin(annotated.index).sum())
    labels.append(f"{n_complete or 'no'} {'recording is' if n_complete == 1 else 'recordings are'} labelled completely")
    where = "test" if has_test(experiment) else "annotated"
    searched = tables.test if has_test(experiment) else tables.train
    n_with = experiment.detections.recording.nunique()
    return [
        Fact("Data", f"{params.data.root} (labels in the format {params.data.format})"),
        Fact("Recordings", f"{len(usable)} usable ({hours(usable.seconds)}): {', '.join(parts)}"),
        Fact("Species", str(len(experiment.species))),
        Fact("Labels", "; ".join(labels)),
        Fact("Sites", _sites(usable)),
        Fact("Time", _period(usable)),
        Fact("Detections", f"{len(experiment.detections)} in {n_with} of {len(searched)} {where} recordings"),
        Fact("Model", _model(params)),
    ]


def _sites(recordings: pd.DataFrame) -> str:
    sites = sorted(set(recordings.site) - {""})
    if not sites:
        return "not known"
    shown = ", ".join(sites[:5])
    return f"{len(sites)}: {shown}{' and others' if len(sites) > 5 else ''}"


def _period(recordings: pd.DataFrame) -> str:
    starts = recordings.start[recordings.start != ""]
    if starts.empty:
        return "no clock time is known"
    known = "" if len(starts) == len(recordings) else f" (known for {len(starts)} of {len(recordings)} recordings)"
    return f"{starts.str[:10].min()} to {starts.str[:10].max()}{known}"


def _model(params: Params) -> str:
    kinds = ", ".join([*params.backbones, *(f"a linear head on {name}" for name in params.embeddings)])
    n_rounds = len(params.rounds)
    band = f", {params.spectrogram.f_min:g} to {params.spectrogram.f_max:g} Hz" if params.backbones else ""
    return (
        f"the mean of {counted(len(params.members) * len(params.folds), 'model')}: {kinds}, each for "
        f"{len(params.folds)} folds{f', after {n_rounds} rounds' if n_rounds > 1 else ''}; windows of "
        f"{params.window.seconds:g} s every {params.predict.hop_seconds:g} s{band}"
    )


def changed_settings(params: Params, defaults: Params) -> list[Setting]:
    """The parameters that differ from the defaults, in the order of the file."""
    meanings = dict(_meanings(Params, ""))
    ours, theirs = flatten(params.model_dump()), flatten(defaults.model_dump())
    return [
        Setting(key, _text(ours.get(key)), _text(theirs.get(key)), meanings.get(key, ""))
        for key in {**ours, **theirs}
        if ours.get(key) != theirs.get(key) and (params.data.root == DEMO_ROOT or not key.startswith("demo."))
    ]


def _meanings(section: type[BaseModel], prefix: str) -> Iterator[tuple[str, str]]:
    for name, field in section.model_fields.items():
        yield f"{prefix}{name}", field.description or ""
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _meanings(field.annotation, f"{prefix}{name}.")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)


def hours(seconds: pd.Series) -> str:
    """The sum of lengths for people: minutes below two hours, then hours."""
    total = float(seconds.sum())
    return f"{total / 60:.0f} min" if total < 7200 else f"{total / 3600:,.1f} h"
