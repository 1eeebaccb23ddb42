"""An experiment as it is compared: its settings, figures, processors, and the scores behind the figures."""

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dawnchorus.config.loading import load_params
from dawnchorus.config.params import Params
from dawnchorus.data.annotations import read_annotations, read_uncertain
from dawnchorus.data.complete import read_complete
from dawnchorus.data.ground_truth import GroundTruth, read_ground_truth
from dawnchorus.data.recordings import read_recordings
from dawnchorus.data.score_tables import read_scores
from dawnchorus.data.species import read_species
from dawnchorus.data.splits import TEST, TRAIN
from dawnchorus.dotted import flatten
from dawnchorus.errors import InputError
from dawnchorus.evaluation.bootstrap import number_groups
from dawnchorus.evaluation.paired import Evidence, Labels, clip_evidence
from dawnchorus.inference.ensemble import collect
from dawnchorus.reporting.metrics import BOX, SHORT, compared
from dawnchorus.reporting.results import Recordings, out_of_fold_truth, truth_of_test

PARAMS, METRICS, FIGURES, PROVENANCE = (
    "params.yaml", "results/metrics.json", "results/figures.json", "results/provenance.json",
)  # fmt: skip
SCORES = "results/scores"
# What is read of an experiment: from git, and from DVC's cache.
TRACKED = [PARAMS, METRICS]
OUTPUTS = [
    "data/annotations.csv", "data/species.csv", "data/complete.csv", "data/ground_truth.csv", "data/splits",
    "results/predictions", SCORES, FIGURES, PROVENANCE,
]  # fmt: skip
SEED, LOGGER = "seed", "train.logger"
BOXES = "boxes"


@dataclass(frozen=True)
class Figure:
    """A figure of the ensemble.

    Attributes:
        value: the figure.
        low: lower end of its 95 % interval; None if there is none.
        high: upper end of it.
    """

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Experiment:
    """A finished run.

    Attributes:
        name: what the user calls it.
        params: the parameters, by dotted key.
        sources: hashes of the code and the data that it was made with, by path.
        scores: hash of its score tables.
        figures: the figures that people compare, by "test.lwlrap" and the like.
        devices: the processors that computed its models; empty if they are not known.
        evidence: scores of labels by "test", "oof" and "boxes"; a key is left out where figures would not be honest,
            and all are where files are missing.
        remarks: what a reader has to know about it.
    """

    name: str
    params: Mapping[str, Any]
    sources: Mapping[str, str]
    scores: str
    figures: Mapping[str, Figure]
    devices: frozenset[str] = frozenset()
    evidence: Mapping[str, Evidence] = field(default_factory=dict)
    remarks: Sequence[str] = ()

    @property
    def seed(self) -> Any:
        """The seed of its random draws."""
        return self.params.get(SEED)

    @property
    def setting(self) -> tuple[Any, ...]:
        """All that it was made of, except the seed. Experiments of one setting differ in the seed alone."""
        params = sorted((key, repr(value)) for key, value in self.params.items() if key != SEED)
        return (*params, *sorted(self.sources.items()))


def read_experiment(
    name: str, root: Path, stages: Mapping[str, Any], missing: Sequence[str], remedy: str
) -> Experiment:
    """Read an experiment from its files.

    Args:
        name: what the user calls it.
        root: folder of its files, laid out as in the project.
        stages: the entries of its `dvc.lock`.
        missing: outputs that are not there.
        remedy: the command that gets these.

    Raises:
        InputError: it has no results of this version, or a file is damaged; the message says which.
    """
    params = load_params(root / PARAMS)
    made = _stages_of(params, stages)
    if "ensemble" not in made:
        raise InputError("it has no results: run `snakemake` or `dvc repro`, then commit dvc.lock")
    # dvc.lock also keeps outputs of earlier experiments.
    outs = {out["path"] for stage in made.values() for out in stage.get("outs", [])}
    missing = [path for path in missing if path in outs]
    remarks = [
        f"params.yaml was changed after the run: the results are of {key}: {old}, not {new}"
        for key, old, new in _changed(params, made)
    ]
    content = None if FIGURES in missing else _read_json(root / FIGURES)
    if content is None:
        figures = {
            f"{part}.{short}": Figure(value)
            for part, row in _read_json(root / METRICS).items()
            if isinstance(row, dict)
            for short, value in row.items()
            if short in SHORT.values() and isinstance(value, float)
        }
    else:
        figures = _figures(content)
    # The provenance names the commit, so a run of another commit replaces it; only the processor is unknown then.
    needed = [path for path in missing if path != PROVENANCE]
    if needed:
        remarks.append(
            f"{len(needed)} of its outputs are not in DVC's cache, for example {needed[0]}, so it has no intervals "
            f"and no differences: {remedy}"
        )
    # Where training is logged, and what the report shows, change no figure.
    settings = {
        key: value
        for key, value in flatten(params.model_dump(mode="json")).items()
        if key != LOGGER and not key.startswith("report.")
    }
    return Experiment(
        name, settings, _sources(made, stages), _hash_of(made, SCORES), figures,
        frozenset() if PROVENANCE in missing else _devices(_read_json(root / PROVENANCE)),
        {} if needed else _evidence(root, params, content or {}), remarks,
    )  # fmt: skip


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"it has no {path.name} of this version: run `snakemake` or `dvc repro` there") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path.name} is not valid JSON: {error}; run again") from error
    if not isinstance(content, dict):
        raise InputError(f"{path.name}: found {type(content).__name__}, expected a mapping; run again")
    return content


def _figures(content: Mapping[str, Any]) -> dict[str, Figure]:
    names = {short: name for name, short in SHORT.items()}
    found = {}
    for part, row in compared(content).items():
        all_of_part = content[part]["ensemble"]
        for short, value in row.items():
            ends = (all_of_part.get(f"{names[short]}_{end}") for end in ("low", "high"))
            found[f"{part}.{short}"] = Figure(value, *ends)
    return found


def _devices(provenance: Mapping[str, Any]) -> frozenset[str]:
    """The devices of the jobs that are known."""
    jobs = provenance.get("jobs", {})
    return frozenset(job["device"] for job in jobs.values() if isinstance(job, dict) and "device" in job)


def _stages_of(params: Params, stages: Mapping[str, Any]) -> dict[str, Any]:
    """The entries of `dvc.lock` that made the experiment; it also keeps entries of earlier ones."""
    names = ["ingest", "split_folds", "ensemble"]
    kinds = [("train", params.backbones), ("predict", params.backbones)]
    kinds += [("train_head", params.embeddings), ("predict_head", params.embeddings)]
    for kind, members in kinds:
        axes = itertools.product(range(len(params.rounds)), members, params.folds)
        names += [f"{kind}@round{number}-{member}-{fold}" for number, member, fold in axes]
    return {name: stages[name] for name in names if name in stages}


def _changed(params: Params, made: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """Parameters that a stage ran with and that are different now: key, value then and value now."""
    now = flatten(params.model_dump(mode="json"))
    then: dict[str, Any] = {}
    for stage in made.values():
        then |= flatten(stage.get("params", {}).get(PARAMS, {}))
    return [(key, value, now[key]) for key, value in sorted(then.items()) if key in now and now[key] != value]


def _sources(made: Mapping[str, Any], stages: Mapping[str, Any]) -> dict[str, str]:
    """Hashes of the inputs that no stage made: code and data."""
    outs = {out["path"] for stage in stages.values() for out in stage.get("outs", [])}
    deps = [dep for stage in made.values() for dep in stage.get("deps", [])]
    inside = tuple(f"{out}/" for out in outs)
    return {
        dep["path"]: dep["md5"]
        for dep in deps
        if "md5" in dep and dep["path"] not in outs
        # The predictions of a round are a folder of outputs.
        and not dep["path"].startswith("results/") and not dep["path"].startswith(inside)
    }  # fmt: skip


def _hash_of(made: Mapping[str, Any], path: str) -> str:
    return next((out.get("md5", "") for out in made["ensemble"].get("outs", []) if out["path"] == path), "")


def _evidence(root: Path, params: Params, figures: Mapping[str, Any]) -> dict[str, Evidence]:
    species = read_species(root / "data/species.csv")
    annotations = root / "data/annotations.csv"
    recordings = Recordings(
        read_annotations(annotations, species),
        read_recordings(root / "data/splits" / f"{TRAIN}.csv"),
        read_recordings(root / "data/splits" / f"{TEST}.csv"),
        read_ground_truth(root / "data/ground_truth.csv", species),
        read_uncertain(annotations, species),
        read_complete(root / "data/complete.csv", species),
    )
    found: dict[str, Evidence] = {}
    tested = truth_of_test(recordings)
    if tested is not None:
        scores = read_scores(root / SCORES / "ensemble.csv", species)
        found["test"] = _clips(tested, scores, recordings.test, species)
    if "oof" in figures:
        predictions, _ = collect(
            root / "results/predictions" / params.rounds[-1].id, params.members, params.folds, species, params.ensemble
        )
        ensemble = predictions["ensemble"]
        if tested is None:
            truth, _ = out_of_fold_truth(recordings, list(ensemble.oof.index))
            found["oof"] = _clips(truth, ensemble.oof, recordings.train, species)
        if BOX in figures["oof"]["ensemble"]:
            found[BOXES] = _boxes(ensemble.boxes, recordings.train, species)
    return found


def _clips(truth: GroundTruth, scores: pd.DataFrame, recordings: pd.DataFrame, species: list[str]) -> Evidence:
    names = truth.recording_ids
    return clip_evidence(
        _identities(names, recordings), species, truth.truth, truth.mask, scores.loc[names].to_numpy(),
        _groups(names, recordings),
    )  # fmt: skip


def _boxes(boxes: pd.DataFrame, recordings: pd.DataFrame, species: list[str]) -> Evidence:
    table = boxes.reset_index().sort_values(list(boxes.index.names), ignore_index=True)
    names = sorted(set(table.recording_id))
    numbers = pd.Series(range(len(names)), names)
    labels = table.drop(columns=["recording_id", "species_id", "is_tp", "score"]).assign(
        recording=numbers[table.recording_id].to_numpy(), species=table.species_id, is_present=table.is_tp
    )
    known = Labels(_identities(names, recordings), species, labels, _groups(names, recordings))
    return Evidence(known, table.score.to_numpy(), np.zeros((2, len(names))))


def _identities(names: Sequence[str], recordings: pd.DataFrame) -> list[tuple[str, str]]:
    return list(zip(names, recordings.digest[list(names)], strict=True))


def _groups(names: Sequence[str], recordings: pd.DataFrame) -> Any:
    return number_groups(recordings.group, names) if (recordings.group[list(names)] != "").any() else None
