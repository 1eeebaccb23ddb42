"""Train one backbone on all folds but one."""

import argparse
import shutil
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from dawnchorus.answers import Answers
from dawnchorus.crops import Annotations, Crops
from dawnchorus.device import use_device
from dawnchorus.files import replacing
from dawnchorus.model import build_models, load_pretrained
from dawnchorus.params import load_params
from dawnchorus.provenance import note_job
from dawnchorus.script import run
from dawnchorus.seeding import generator
from dawnchorus.tables import read_both_annotations, read_folds, read_species
from dawnchorus.training import fit, validate
from dawnchorus.unfinished import Unfinished, fingerprint
from dawnchorus.windows import Shapes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data set")
    parser.add_argument("--folds", type=Path, required=True)
    parser.add_argument("--species", type=Path, required=True)
    parser.add_argument("--spectrograms", type=Path, required=True, help="folder of the training spectrograms")
    parser.add_argument("--pretrained", type=Path, required=True, help="folder of the weights to begin with, or empty")
    parser.add_argument("--backbone", required=True)
    parser.add_argument("--fold", type=int, required=True, help="the fold that is left out")
    parser.add_argument("--weights", type=Path, required=True, help="output: *.weights.h5")
    parser.add_argument("--curve", type=Path, required=True, help="output: loss and metrics of each epoch")
    parser.add_argument("--unfinished", type=Path, required=True, help="folder of the state while the job is not done")
    parser.add_argument("--checkpoints", type=Path, required=True, help="output folder: every epoch's, or empty")
    parser.add_argument("--provenance", type=Path, required=True, help="folder of notes on what computed a result")
    arguments = parser.parse_args()
    params = load_params(arguments.params)
    device = use_device(params.train.threads, params.train.mixed_precision, params.train.xla)

    n_species = len(read_species(arguments.species))
    tp, fp = read_both_annotations(arguments.data, n_species)
    folds = read_folds(arguments.folds)
    shapes = Shapes.of(params)
    job = (arguments.backbone, arguments.fold)
    seed = int(generator(params.seed, "weights", *job).integers(2**31))
    scorer, trainer = build_models(
        arguments.backbone, shapes, n_species, params.train.dropout, seed, params.image.frequency_channel,
        params.head.pooling, params.head.frame_weight > 0,
    )  # fmt: skip
    load_pretrained(scorer, arguments.backbone, arguments.pretrained)
    annotations = Annotations.of_tables(tp, fp).of_recordings(set(folds.index[folds != arguments.fold]))
    crops = Crops(annotations, arguments.spectrograms, params, n_species, job)
    # A recording without a TP row does not count in LWLRAP.
    validated = sorted(set(folds.index[folds == arguments.fold]) & set(tp.recording_id))
    left_out = Answers.of_annotations(tp, fp, validated, n_species)

    used = params.model_dump_json(
        include={"seed", "spectrogram", "window", "image", "labels", "augment", "head", "train"}
    )
    tables = [arguments.data / "train_tp.csv", arguments.data / "train_fp.csv", arguments.folds, arguments.species]
    key = fingerprint(
        f"{job} {device} {used}",
        [*tables, *sorted(arguments.pretrained.iterdir())],
        [arguments.spectrograms],
    )
    unfinished = Unfinished(arguments.unfinished / key)

    def keep_epoch(epoch: int) -> None:
        if params.train.every_epoch:
            with replacing(unfinished.kept / f"{epoch}.weights.h5") as path:
                scorer.save_weights(path)

    curve = fit(
        trainer,
        crops,
        partial(validate, scorer, arguments.spectrograms, left_out, params.train.batch_size),
        unfinished,
        keep_epoch,
    )
    with ExitStack() as outputs:
        checkpoints = outputs.enter_context(replacing(arguments.checkpoints))
        checkpoints.mkdir()
        if params.train.every_epoch:
            shutil.copytree(unfinished.kept, checkpoints, dirs_exist_ok=True)
        curve.to_csv(outputs.enter_context(replacing(arguments.curve)), index=False, float_format="%.6g")
        scorer.save_weights(outputs.enter_context(replacing(arguments.weights)))
    note_job(
        arguments.provenance, "train@{}-{}".format(*job), device, params.train.threads, inputs=[],
        outputs=[arguments.weights],
    )  # fmt: skip
    unfinished.remove()


if __name__ == "__main__":
    run(main)
