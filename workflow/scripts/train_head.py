"""Train a linear head on the embeddings of all folds except one."""

import argparse
import sys
from pathlib import Path

import threadpoolctl

from dawnchorus.cli import run
from dawnchorus.config.loading import load_params
from dawnchorus.models.linear_head import write_head
from dawnchorus.reporting.provenance import note_job
from dawnchorus.training.head_job import HeadJob, train_head


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--annotations", type=Path, required=True)
    parser.add_argument("--folds", type=Path, required=True)
    parser.add_argument("--species", type=Path, required=True)
    parser.add_argument("--complete", type=Path, required=True, help="recordings that are annotated completely")
    parser.add_argument("--recordings", type=Path, required=True, help="table of the annotated recordings")
    parser.add_argument("--embeddings", type=Path, required=True, help="with train/ and unlabelled/<fold>/")
    parser.add_argument("--pseudo-labels", type=Path, required=True, help="folder of window scores, or empty")
    parser.add_argument("--pseudo-label-weight", type=float, required=True)
    parser.add_argument("--round", required=True, help="id of the round")
    parser.add_argument("--embedding", required=True, help="name of the embedding")
    parser.add_argument("--fold", type=int, required=True, help="the fold to leave out")
    parser.add_argument("--head", type=Path, required=True, help="output: the trained head")
    parser.add_argument("--provenance", type=Path, required=True, help="folder of the jobs' provenance notes")
    arguments = parser.parse_args()
    params = load_params(arguments.params)
    threadpoolctl.threadpool_limits(params.train.threads)
    job = HeadJob(
        round_id=arguments.round,
        embedding=arguments.embedding,
        fold=arguments.fold,
        annotations=arguments.annotations,
        folds=arguments.folds,
        species=arguments.species,
        complete=arguments.complete,
        recordings=arguments.recordings,
        embeddings=arguments.embeddings / "train",
        unlabelled=arguments.embeddings / "unlabelled",
        pseudo_labels=arguments.pseudo_labels,
        pseudo_label_weight=arguments.pseudo_label_weight,
    )
    trained = train_head(job, params)
    chosen = trained.regularization
    print(f"chosen on parts of the training recordings: ridge {chosen.ridge:g}, L2 {chosen.l2:g}", file=sys.stderr)
    if trained.n_missed:
        print(
            f"{trained.n_missed} of {trained.n_present} present boxes teach nothing, because no window has enough of "
            "them; reduce predict.hop_seconds or labels.min_overlap",
            file=sys.stderr,
        )
    write_head(arguments.head, trained.head)
    note_job(
        arguments.provenance, f"train_head@{job.round_id}-{job.embedding}-{job.fold}", "CPU", params.train.threads,
        inputs=[], outputs=[arguments.head],
    )  # fmt: skip


if __name__ == "__main__":
    run(main)
