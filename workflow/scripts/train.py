"""Train one backbone on all folds but one."""

import argparse
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from dawnchorus.answers import Answers
from dawnchorus.crops import Annotations, Crops
from dawnchorus.device import use_device
from dawnchorus.files import replacing
from dawnchorus.model import build_models, load_pretrained
from dawnchorus.params import load_params
from dawnchorus.script import run
from dawnchorus.seeding import generator
from dawnchorus.tables import read_both_annotations, read_folds, read_species
from dawnchorus.training import fit, validate
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
    parser.add_argument("--checkpoints", type=Path, required=True, help="output folder: every epoch's, or empty")
    arguments = parser.parse_args()
    params = load_params(arguments.params)
    use_device(params.train.threads, params.train.mixed_precision, params.train.xla)

    n_species = len(read_species(arguments.species))
    tp, fp = read_both_annotations(arguments.data, n_species)
    folds = read_folds(arguments.folds)
    shapes = Shapes.of(params)
    job = (arguments.backbone, arguments.fold)
    seed = int(generator(params.seed, "weights", *job).integers(2**31))
    scorer, trainer = build_models(arguments.backbone, shapes, n_species, params.train.dropout, seed)
    load_pretrained(scorer, arguments.backbone, arguments.pretrained)
    annotations = Annotations.of_tables(tp, fp).of_recordings(set(folds.index[folds != arguments.fold]))
    crops = Crops(annotations, arguments.spectrograms, params, n_species, job)
    # A recording without a TP row does not count in LWLRAP.
    validated = sorted(set(folds.index[folds == arguments.fold]) & set(tp.recording_id))
    left_out = Answers.of_annotations(tp, fp, validated, n_species)

    with ExitStack() as outputs:
        checkpoints = outputs.enter_context(replacing(arguments.checkpoints))
        checkpoints.mkdir()

        def keep_epoch(epoch: int) -> None:
            if params.train.every_epoch:
                scorer.save_weights(checkpoints / f"{epoch}.weights.h5")

        curve = fit(
            trainer,
            crops,
            partial(validate, scorer, arguments.spectrograms, left_out, params.train.batch_size),
            keep_epoch,
        )
        curve.to_csv(outputs.enter_context(replacing(arguments.curve)), index=False, float_format="%.6g")
        scorer.save_weights(outputs.enter_context(replacing(arguments.weights)))


if __name__ == "__main__":
    run(main)
