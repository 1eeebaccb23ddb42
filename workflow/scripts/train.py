"""Train one backbone on all folds but one."""

import argparse
from pathlib import Path

from dawnchorus.answers import Answers
from dawnchorus.crops import Annotations, Crops
from dawnchorus.device import use_threads
from dawnchorus.files import replacing
from dawnchorus.inference import score_recordings
from dawnchorus.metrics import lwlrap
from dawnchorus.model import build_models
from dawnchorus.params import load_params
from dawnchorus.script import run
from dawnchorus.seeding import generator
from dawnchorus.tables import read_annotations, read_folds, read_species
from dawnchorus.training import fit
from dawnchorus.windows import to_frames


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data set")
    parser.add_argument("--folds", type=Path, required=True)
    parser.add_argument("--species", type=Path, required=True)
    parser.add_argument("--spectrograms", type=Path, required=True, help="folder of the training spectrograms")
    parser.add_argument("--backbone", required=True)
    parser.add_argument("--fold", type=int, required=True, help="the fold that is left out")
    parser.add_argument("--weights", type=Path, required=True, help="output: *.weights.h5")
    parser.add_argument("--curve", type=Path, required=True, help="output: loss and metrics of each epoch")
    arguments = parser.parse_args()
    params = load_params(arguments.params)
    use_threads(params.train.threads)

    n_species = len(read_species(arguments.species))
    tp, fp = (read_annotations(arguments.data / f"train_{kind}.csv", n_species) for kind in ("tp", "fp"))
    folds = read_folds(arguments.folds)
    length = to_frames(params.window.seconds, params.spectrogram)
    job = (arguments.backbone, arguments.fold)
    seed = int(generator(params.seed, "weights", *job).integers(2**31))
    scorer, trainer = build_models(
        arguments.backbone, length, params.spectrogram.n_mels, n_species, params.train.dropout, seed
    )
    annotations = Annotations.of_tables(tp, fp).of_recordings(set(folds.index[folds != arguments.fold]))
    crops = Crops(annotations, arguments.spectrograms, params, n_species, job)
    # A recording without a TP row does not count in LWLRAP.
    validated = sorted(set(folds.index[folds == arguments.fold]) & set(tp.recording_id))
    left_out = Answers.of_annotations(tp, fp, validated, n_species)

    def validate() -> float:
        scores = score_recordings(
            scorer, arguments.spectrograms, left_out.recording_ids, length, params.train.batch_size
        )
        return lwlrap(left_out.truth, scores)

    curve = fit(trainer, crops, validate)
    with replacing(arguments.curve) as path:
        curve.to_csv(path, index=False, float_format="%.6g")
    with replacing(arguments.weights) as path:
        scorer.save_weights(path)


if __name__ == "__main__":
    run(main)
