"""What the scripts that train a network have in common: options, the job, its log and its outputs."""

import argparse
import shutil
from contextlib import ExitStack
from pathlib import Path

from dawnchorus.config.loading import load_params
from dawnchorus.files import replacing
from dawnchorus.reporting.loggers import logged_run
from dawnchorus.reporting.provenance import note_job
from dawnchorus.training.job import Job, train_model
from dawnchorus.workflow.devices import use_device
from dawnchorus.workflow.experiments import lasting_checkpoints, project_of_copy


def add_training_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of every training to a script's parser."""
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--annotations", type=Path, required=True)
    parser.add_argument("--folds", type=Path, required=True)
    parser.add_argument("--species", type=Path, required=True)
    parser.add_argument("--complete", type=Path, required=True, help="recordings that are annotated completely")
    parser.add_argument("--spectrograms", type=Path, required=True, help="spectrograms of annotated recordings")
    parser.add_argument("--unlabelled", type=Path, required=True, help="spectrograms of unlabelled recordings")
    parser.add_argument("--pretrained", type=Path, required=True, help="folder of the initial weights; may be empty")
    parser.add_argument("--pseudo-labels", type=Path, required=True, help="predictions of a round, or empty")
    parser.add_argument("--backbone", required=True)
    parser.add_argument("--checkpoint", type=Path, required=True, help="folder of the state of an unfinished job")
    parser.add_argument("--weights", type=Path, required=True, help="output: *.weights.h5")
    parser.add_argument("--curve", type=Path, required=True, help="output: loss and metrics of each epoch")
    parser.add_argument("--provenance", type=Path, required=True, help="folder of the jobs' provenance notes")
    parser.add_argument("--logs", type=Path, required=True, help="folder of what train.logger logs")


def run_training(
    arguments: argparse.Namespace,
    name: str,
    round_id: str,
    fold: int | None,
    pseudo_label_weight: float,
    epoch_weights: Path | None = None,
    times_epochs: int = 1,
) -> None:
    """Train a network, and write its outputs.

    Args:
        arguments: the options of `add_training_options`.
        name: of the job, in notes and logs.
        round_id: id of the round.
        fold: the fold that is left out; None for none.
        pseudo_label_weight: loss weight of pseudo-labels.
        epoch_weights: output folder of the weights of each epoch; None to write none.
        times_epochs: number of epochs, as a multiple of `train.epochs`.

    Raises:
        InputError: an input is missing or damaged.
    """
    params = load_params(arguments.params)
    train = params.train.model_copy(update={"epochs": times_epochs * params.train.epochs})
    params = params.model_copy(update={"train": train})
    device = use_device(params.train.threads, params.train.mixed_precision, params.train.xla, tf32=True)
    job = Job(
        round_id=round_id,
        backbone=arguments.backbone,
        fold=fold,
        annotations=arguments.annotations,
        folds=arguments.folds,
        species=arguments.species,
        complete=arguments.complete,
        spectrograms=arguments.spectrograms,
        unlabelled=arguments.unlabelled,
        pretrained=arguments.pretrained,
        pseudo_labels=arguments.pseudo_labels,
        pseudo_label_weight=pseudo_label_weight,
        checkpoint=arguments.checkpoint,
        lasting_checkpoints=lasting_checkpoints(),
    )
    # A temporary copy of the project is removed in the end.
    with logged_run(params, (project_of_copy() or Path()) / arguments.logs, name) as logged:
        trained = train_model(job, params, device, logged.log)
    with ExitStack() as outputs:
        if epoch_weights is not None:
            folder = outputs.enter_context(replacing(epoch_weights))
            folder.mkdir()
            if params.train.every_epoch:
                shutil.copytree(trained.checkpoint.kept, folder, dirs_exist_ok=True)
        trained.curve.to_csv(outputs.enter_context(replacing(arguments.curve)), index=False, float_format="%.6g")
        trained.scorer.save_weights(outputs.enter_context(replacing(arguments.weights)))
    note_job(arguments.provenance, name, device, params.train.threads, inputs=[], outputs=[arguments.weights])
    trained.checkpoint.remove()
    if arguments.checkpoint.exists():
        # States that jobs with other settings left there.
        shutil.rmtree(arguments.checkpoint)
