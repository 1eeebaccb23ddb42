"""Train one backbone in one round, on all folds but one."""

import argparse
import shutil
from contextlib import ExitStack
from pathlib import Path

from dawnchorus.cli import run
from dawnchorus.config.loading import load_params
from dawnchorus.files import replacing
from dawnchorus.reporting.loggers import logged_run
from dawnchorus.reporting.provenance import note_job
from dawnchorus.training.job import Job, train_model
from dawnchorus.workflow.devices import use_device
from dawnchorus.workflow.experiments import lasting_checkpoints, project_of_copy


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--annotations", type=Path, required=True)
    parser.add_argument("--folds", type=Path, required=True)
    parser.add_argument("--species", type=Path, required=True)
    parser.add_argument("--complete", type=Path, required=True, help="recordings that are annotated completely")
    parser.add_argument("--spectrograms", type=Path, required=True, help="spectrograms of annotated recordings")
    parser.add_argument("--unlabelled", type=Path, required=True, help="spectrograms of unlabelled recordings")
    parser.add_argument("--pretrained", type=Path, required=True, help="folder of the initial weights; may be empty")
    parser.add_argument("--pseudo-labels", type=Path, required=True, help="an earlier round's predictions, or empty")
    parser.add_argument("--pseudo-label-weight", type=float, required=True, help="loss weight of pseudo-labels")
    parser.add_argument("--round", required=True, help="id of the round")
    parser.add_argument("--backbone", required=True)
    parser.add_argument("--fold", type=int, required=True, help="the fold that is left out")
    parser.add_argument("--checkpoint", type=Path, required=True, help="folder of the state of an unfinished job")
    parser.add_argument("--weights", type=Path, required=True, help="output: *.weights.h5")
    parser.add_argument("--curve", type=Path, required=True, help="output: loss and metrics of each epoch")
    parser.add_argument("--epoch-weights", type=Path, required=True, help="output folder: weights by epoch, or empty")
    parser.add_argument("--provenance", type=Path, required=True, help="folder of the jobs' provenance notes")
    parser.add_argument("--logs", type=Path, required=True, help="folder of what train.logger logs")
    arguments = parser.parse_args()
    params = load_params(arguments.params)
    device = use_device(params.train.threads, params.train.mixed_precision, params.train.xla)

    job = Job(
        round_id=arguments.round,
        backbone=arguments.backbone,
        fold=arguments.fold,
        annotations=arguments.annotations,
        folds=arguments.folds,
        species=arguments.species,
        complete=arguments.complete,
        spectrograms=arguments.spectrograms,
        unlabelled=arguments.unlabelled,
        pretrained=arguments.pretrained,
        pseudo_labels=arguments.pseudo_labels,
        pseudo_label_weight=arguments.pseudo_label_weight,
        checkpoint=arguments.checkpoint,
        lasting_checkpoints=lasting_checkpoints(),
    )
    name = f"train@{job.round_id}-{job.backbone}-{job.fold}"
    # A temporary copy of the project is removed in the end.
    with logged_run(params, (project_of_copy() or Path()) / arguments.logs, name) as logged:
        trained = train_model(job, params, device, logged.log)
    with ExitStack() as outputs:
        epoch_weights = outputs.enter_context(replacing(arguments.epoch_weights))
        epoch_weights.mkdir()
        if params.train.every_epoch:
            shutil.copytree(trained.checkpoint.kept, epoch_weights, dirs_exist_ok=True)
        trained.curve.to_csv(outputs.enter_context(replacing(arguments.curve)), index=False, float_format="%.6g")
        trained.scorer.save_weights(outputs.enter_context(replacing(arguments.weights)))
    note_job(
        arguments.provenance, name, device, params.train.threads, inputs=[], outputs=[arguments.weights],
    )  # fmt: skip
    trained.checkpoint.remove()
    if arguments.checkpoint.exists():
        # States that jobs with other settings left there.
        shutil.rmtree(arguments.checkpoint)


if __name__ == "__main__":
    run(main)
