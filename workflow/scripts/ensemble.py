"""Average the predictions of all models, correct them for prevalence, and evaluate each backbone and the ensemble."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from dawnchorus.cli import run
from dawnchorus.config.loading import load_params
from dawnchorus.data.annotations import read_annotations, read_uncertain
from dawnchorus.data.complete import read_complete
from dawnchorus.data.folds import rare_species
from dawnchorus.data.ground_truth import read_ground_truth
from dawnchorus.data.recordings import read_recordings
from dawnchorus.data.score_tables import DIGITS, round_scores, write_scores
from dawnchorus.data.species import read_species
from dawnchorus.data.splits import TEST, TRAIN
from dawnchorus.data.template import read_template
from dawnchorus.files import replacing
from dawnchorus.inference.calibration import read_prevalence
from dawnchorus.inference.ensemble import collect
from dawnchorus.inference.prevalence import FEWEST_PRESENT
from dawnchorus.kaggle.submission import write_submissions
from dawnchorus.reporting.loggers import logged_run
from dawnchorus.reporting.metrics import compared, ensemble_figures
from dawnchorus.reporting.provenance import require_same_inputs, write_provenance
from dawnchorus.reporting.results import (
    Recordings,
    corrected_scores,
    count_skipped,
    metrics_of,
    shown_prevalence,
    shown_weights,
    usable_present,
)
from dawnchorus.reporting.species_table import species_table
from dawnchorus.workflow.experiments import project_of_copy


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--annotations", type=Path, required=True)
    parser.add_argument("--species", type=Path, required=True)
    parser.add_argument("--complete", type=Path, required=True, help="recordings that are annotated completely")
    parser.add_argument("--splits", type=Path, required=True, help="folder with train.csv and test.csv")
    parser.add_argument("--ground-truth", type=Path, required=True)
    parser.add_argument("--template", type=Path, required=True, help="a submission's recordings, or an empty table")
    parser.add_argument("--predictions", type=Path, required=True, help="folder with <round>/<backbone>/<fold>/")
    parser.add_argument("--scores", type=Path, required=True, help="output folder: ensemble.csv and <backbone>.csv")
    parser.add_argument("--submissions", type=Path, required=True, help="output folder: Kaggle submissions, or empty")
    parser.add_argument("--metrics", type=Path, required=True, help="output: the figures to compare, JSON")
    parser.add_argument("--figures", type=Path, required=True, help="output: all figures with intervals, JSON")
    parser.add_argument("--species-metrics", type=Path, required=True, help="output: a row for each species")
    parser.add_argument("--lock", type=Path, required=True, help="dvc.lock, which has the hashes of inputs")
    parser.add_argument("--notes", type=Path, required=True, help="folder of the jobs' provenance notes")
    parser.add_argument("--provenance", type=Path, required=True, help="output: provenance of the results, JSON")
    parser.add_argument("--logs", type=Path, required=True, help="folder of what train.logger logs")
    arguments = parser.parse_args()
    params = load_params(arguments.params)
    require_same_inputs(params, arguments.lock)

    species = read_species(arguments.species)
    recordings = Recordings(
        read_annotations(arguments.annotations, species),
        read_recordings(arguments.splits / f"{TRAIN}.csv"),
        read_recordings(arguments.splits / f"{TEST}.csv"),
        read_ground_truth(arguments.ground_truth, species),
        read_uncertain(arguments.annotations, species),
        read_complete(arguments.complete, species),
    )
    predictions, weights = collect(
        arguments.predictions / params.rounds[-1].id, params.members, params.folds, species, params.ensemble
    )
    test = {name: round_scores(each.test, DIGITS) for name, each in predictions.items()}
    prevalence = None
    if params.ensemble.prior != "none" and len(test["ensemble"]):
        is_estimated = params.ensemble.prior == "estimated"
        declared = None if is_estimated else read_prevalence(Path(params.ensemble.prior), species)
        corrected = corrected_scores(predictions, declared)
        if corrected is None:
            print(
                "ensemble.prior: estimated changes nothing, because half of the species have fewer than "
                f"{FEWEST_PRESENT} recordings with a present annotation",
                file=sys.stderr,
            )
        else:
            test, prevalence = corrected
    figures: dict[str, Any] = metrics_of(predictions, test, recordings, params)
    by_species = species_table(
        predictions["ensemble"], test["ensemble"], recordings, len(params.folds), has_oof="oof" in figures
    )
    figures["weights"] = shown_weights(weights)
    if prevalence is not None:
        figures["prevalence"] = shown_prevalence(species, prevalence)
    if rare := rare_species(usable_present(recordings), len(params.folds), species):
        figures["rare_species"] = rare
    figures["skipped"] = count_skipped(recordings)

    with replacing(arguments.scores) as folder:
        folder.mkdir()
        for name, table in test.items():
            write_scores(folder / f"{name}.csv", list(table.index), table.to_numpy(), species)
    with replacing(arguments.submissions) as folder:
        folder.mkdir()
        named = {"submission" if name == "ensemble" else name: table for name, table in test.items()}
        write_submissions(folder, read_template(arguments.template), named)
    with replacing(arguments.metrics) as path:
        path.write_text(json.dumps(compared(figures), indent=2) + "\n")
    with replacing(arguments.figures) as path:
        path.write_text(json.dumps(figures, indent=2) + "\n")
    with replacing(arguments.species_metrics) as path:
        by_species.to_csv(path, index=False)
    with logged_run(params, (project_of_copy() or Path()) / arguments.logs, "ensemble") as logged:
        logged.log(ensemble_figures(figures), 0)
    write_provenance(
        arguments.provenance, params, arguments.lock, arguments.notes, arguments.predictions,
        arguments.scores / "ensemble.csv",
    )  # fmt: skip


if __name__ == "__main__":
    run(main)
