"""Average the predictions of all models, correct them by prevalence, and evaluate each backbone and the ensemble."""

import argparse
import json
from pathlib import Path

from dawnchorus.cli import run
from dawnchorus.config.loading import load_params
from dawnchorus.data.formats.rfcx import read_both_annotations, read_truth
from dawnchorus.data.ground_truth import GroundTruth
from dawnchorus.data.recordings import read_skipped
from dawnchorus.data.score_tables import DIGITS, read_scores, round_scores, write_scores
from dawnchorus.files import replacing
from dawnchorus.inference.calibration import correct, read_prevalence
from dawnchorus.inference.ensemble import collect
from dawnchorus.reporting.metrics import box_figures, figures, species_average_precision
from dawnchorus.reporting.provenance import write_provenance


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data set")
    parser.add_argument("--audio", type=Path, required=True, help="the table of all recordings")
    parser.add_argument("--predictions", type=Path, required=True, help="folder with <backbone>/<fold>/*.csv")
    parser.add_argument("--teachers", type=Path, required=True, help="folder with <round>/<backbone>/<fold>/*.npy")
    parser.add_argument("--submissions", type=Path, required=True, help="output folder: <backbone>.csv")
    parser.add_argument("--submission", type=Path, required=True, help="output: the ensemble")
    parser.add_argument("--metrics", type=Path, required=True, help="output: JSON")
    parser.add_argument("--average-precision", type=Path, required=True, help="output: by species")
    parser.add_argument("--lock", type=Path, required=True, help="DVC's, which holds the hash of the data")
    parser.add_argument("--provenance", type=Path, required=True, help="folder of the jobs' notes; output: <it>.json")
    arguments = parser.parse_args()
    params = load_params(arguments.params)

    sample = read_scores(arguments.data / "sample_submission.csv")
    columns = list(sample.columns)
    found, weights = collect(arguments.predictions, params.backbones, params.folds, columns, params.ensemble)
    test = {name: round_scores(predictions.test, DIGITS) for name, predictions in found.items()}
    oof = {name: predictions.oof for name, predictions in found.items()}
    prevalence = None
    if params.ensemble.prior != "none":
        is_estimated = params.ensemble.prior == "estimated"
        declared = None if is_estimated else read_prevalence(Path(params.ensemble.prior), columns)
        for name, predictions in found.items():
            # The ensemble, the last one, is what is reported.
            test[name], prevalence = correct(predictions.test, predictions.boxes, declared)
    scored = [name for name in sample.index if name in test["ensemble"].index]
    tp, fp = read_both_annotations(arguments.data, len(columns))
    answers = {}
    if params.teacher == "none":
        # With a teacher, which has seen these recordings, they are no test.
        answers["oof"] = GroundTruth.of_annotations(tp, fp, list(oof["ensemble"].index), len(columns))
    truth = arguments.data / "truth_test.csv"
    if truth.exists():
        answers["test"] = GroundTruth.of_truth(read_truth(truth, columns, scored))
    scores = {"oof": oof, "test": test}
    skipped = read_skipped(arguments.audio)
    metrics: dict[str, dict] = {
        name: figures(answer, scores[name], params.ensemble.bootstrap_samples, params.seed)
        for name, answer in answers.items()
    }
    if "oof" in metrics:
        boxes = {name: predictions.boxes for name, predictions in found.items()}
        for name, figure in box_figures(boxes, params.ensemble.bootstrap_samples, params.seed).items():
            metrics["oof"][name] |= figure
    metrics["weights"] = {name: round(weight, 6) for name, weight in weights.items()}
    if prevalence is not None:
        metrics["prevalence"] = dict(zip(columns, prevalence.round(6).tolist(), strict=True))
    metrics["skipped"] = {
        "recordings": len(skipped),
        "tp_rows": int(("train/" + tp.recording_id).isin(skipped).sum()),
        "fp_rows": int(("train/" + fp.recording_id).isin(skipped).sum()),
    }
    judged = "test" if "test" in answers else "oof"
    by_species = species_average_precision(answers.get(judged), scores[judged]["ensemble"])

    with replacing(arguments.submissions) as folder:
        folder.mkdir()
        for backbone in params.backbones:
            table = test[backbone].loc[scored]
            write_scores(folder / f"{backbone}.csv", list(table.index), table.to_numpy())
    with replacing(arguments.submission) as path:
        table = test["ensemble"].loc[scored]
        write_scores(path, list(table.index), table.to_numpy())
    with replacing(arguments.metrics) as path:
        path.write_text(json.dumps(metrics, indent=2) + "\n")
    with replacing(arguments.average_precision) as path:
        by_species.to_csv(path, index=False)
    write_provenance(
        arguments.provenance.with_suffix(".json"), params, arguments.lock, arguments.provenance, arguments.teachers,
        arguments.predictions, arguments.submission,
    )  # fmt: skip


if __name__ == "__main__":
    run(main)
