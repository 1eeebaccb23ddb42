"""Train the student: one network that learns from the ensemble, on all training recordings.

Its targets are the annotations and, where there is none, the scores by the models of the last round that were not
trained on the recording. It starts from random weights.
"""

import argparse
import shutil
from contextlib import ExitStack
from pathlib import Path

from dawnchorus.cli import run
from dawnchorus.config.loading import load_params
from dawnchorus.config.params import STUDENT
from dawnchorus.files import replacing
from dawnchorus.reporting.provenance import note_job
from dawnchorus.training.job import Job, train_model
from dawnchorus.workflow.devices import use_device
from dawnchorus.workflow.experiments import lasting_checkpoints

# Loss weight of pseudo-labels.
WEIGHT = 1.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--annotations", type=Path, required=True)
    parser.add_argument("--folds", type=Path, required=True)
    parser.add_argument("--species", type=Path, required=True)
    parser.add_argument("--complete", type=Path, required=True, help="recordings that are annotated completely")
    parser.add_argument("--spectrograms", type=Path, required=True, help="spectrograms of annotated recordings")
    parser.add_argument("--unlabelled", type=Path, required=True, help="spectrograms of unlabelled recordings")
    parser.add_argument("--no-weights", type=Path, required=True, help="an empty folder")
    parser.add_argument("--pseudo-labels", type=Path, required=True, help="the last round's predictions")
    parser.add_argument("--backbone", required=True)
    parser.add_argument("--checkpoint", type=Path, required=True, help="folder of the state of an unfinished job")
    parser.add_argument("--weights", type=Path, required=True, help="output: *.weights.h5")
    parser.add_argument("--curve", type=Path, required=True, help="output: loss of each epoch")
    parser.add_argument("--provenance", type=Path, required=True, help="folder of the jobs' provenance notes")
    arguments = parser.parse_args()
    params = load_params(arguments.params)
    device = use_device(params.train.threads, params.train.mixed_precision, params.train.xla)

    job = Job(
        round_id=STUDENT,
        backbone=arguments.backbone,
        fold=None,
        annotations=arguments.annotations,
        folds=arguments.folds,
        species=arguments.species,
        complete=arguments.complete,
        spectrograms=arguments.spectrograms,
        unlabelled=arguments.unlabelled,
        pretrained=arguments.no_weights,
        pseudo_labels=arguments.pseudo_labels,
        pseudo_label_weight=WEIGHT,
        checkpoint=arguments.checkpoint,
        lasting_checkpoints=lasting_checkpoints(),
    )
    trained = train_model(job, params, device)
    with ExitStack() as outputs:
        trained.curve.to_csv(outputs.enter_context(replacing(arguments.curve)), index=False, float_format="%.6g")
        trained.scorer.save_weights(outputs.enter_context(replacing(arguments.weights)))
    note_job(
        arguments.provenance, f"train_student@{job.backbone}", device, params.train.threads, inputs=[],
        outputs=[arguments.weights],
    )  # fmt: skip
    trained.checkpoint.remove()
    if arguments.checkpoint.exists():
        # States that jobs with other settings left there.
        shutil.rmtree(arguments.checkpoint)


if __name__ == "__main__":
    run(main)
