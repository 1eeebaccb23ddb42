"""A training job: one backbone on all folds but one."""

import argparse
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import keras
import pandas as pd

from dawnchorus.config.params import Params
from dawnchorus.data.annotations import Annotations
from dawnchorus.data.folds import read_folds
from dawnchorus.data.formats.rfcx import read_both_annotations
from dawnchorus.data.ground_truth import GroundTruth
from dawnchorus.data.species import read_species
from dawnchorus.features.store import FeatureStore
from dawnchorus.files import replacing
from dawnchorus.inference.windows import tile
from dawnchorus.models.building import build_models
from dawnchorus.models.pretrained import load_pretrained
from dawnchorus.models.shapes import Shapes
from dawnchorus.seeding import generator
from dawnchorus.training.checkpoint import Checkpoint, fingerprint
from dawnchorus.training.loop import fit
from dawnchorus.training.pseudo_labels import pseudo_label_hop, read_pseudo_labels
from dawnchorus.training.sampling import WindowSampler
from dawnchorus.training.validation import validate


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that name a job and its inputs."""
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data set")
    parser.add_argument("--folds", type=Path, required=True)
    parser.add_argument("--species", type=Path, required=True)
    parser.add_argument("--spectrograms", type=Path, required=True, help="folder of the training spectrograms")
    parser.add_argument("--pretrained", type=Path, required=True, help="folder of the weights to begin with, or empty")
    parser.add_argument("--targets", type=Path, required=True, help="folder of what a teacher says, or empty")
    parser.add_argument("--backbone", required=True)
    parser.add_argument("--fold", type=int, required=True, help="the fold that is left out")
    parser.add_argument("--checkpoint", type=Path, required=True, help="folder of the state while the job is not done")
    parser.add_argument("--provenance", type=Path, required=True, help="folder of notes on what computed a result")


@dataclass(frozen=True)
class Trained:
    """What a job has trained.

    Attributes:
        scorer: the model, windows (Batch, Frames, Mels) -> scores (Batch, Species).
        curve: as `training.fit` gives it.
        left_out: ids of the recordings of the fold that it was not trained on.
        checkpoint: the job's state, with each epoch's weights in `kept` where `train.every_epoch` asks for them; to be
            removed when the outputs are written.
    """

    scorer: keras.Model
    curve: pd.DataFrame
    left_out: list[str]
    checkpoint: Checkpoint


def train_model(options: argparse.Namespace, params: Params, device: str, round_id: str | None = None) -> Trained:
    """Train the model of a job.

    Args:
        options: those of `add_options`.
        params: the experiment.
        device: what it runs on; the job goes on after an interruption only on the same.
        round_id: names an earlier round in the random draws; None for the last one.

    Raises:
        InputError: an input is missing or damaged, or the loss is no longer a number.
    """
    job = (options.backbone, options.fold) if round_id is None else (round_id, options.backbone, options.fold)
    n_species = len(read_species(options.species))
    tp, fp = read_both_annotations(options.data, n_species)
    folds = read_folds(options.folds)
    shapes = Shapes.of(params)
    seed = int(generator(params.seed, "weights", *job).integers(2**31))
    scorer, trainer = build_models(
        options.backbone, shapes, n_species, params.train.dropout, seed, params.image.frequency_channel,
        params.head.pooling, params.head.frame_weight > 0,
    )  # fmt: skip
    load_pretrained(scorer, options.backbone, options.pretrained)
    annotations = Annotations.of_tables(tp, fp).of_recordings(set(folds.index[folds != options.fold]))
    trained_on = sorted(set(annotations.recording_ids))
    length, spectrograms = shapes.window[0], FeatureStore(options.spectrograms)
    hop = pseudo_label_hop(length)
    targets = read_pseudo_labels(
        options.targets, trained_on, lambda name: tile(spectrograms.frames(name), length, hop), hop, n_species
    )
    sampler = WindowSampler(annotations, options.spectrograms, params, n_species, job, targets)
    left_out = list(folds.index[folds == options.fold])
    # A recording without a TP row does not count in LWLRAP.
    validated = GroundTruth.of_annotations(tp, fp, sorted(set(left_out) & set(tp.recording_id)), n_species)
    checkpoint = _state(options, params, f"{job} {device}")

    def keep_epoch(epoch: int) -> None:
        if params.train.every_epoch:
            with replacing(checkpoint.kept / f"{epoch}.weights.h5") as path:
                scorer.save_weights(path)

    check = partial(validate, scorer, options.spectrograms, validated, params.train.batch_size)
    # Teachers have seen these recordings, so what their student says of them is no test.
    curve = fit(trainer, sampler, None if targets is not None else check, checkpoint, keep_epoch)
    return Trained(scorer, curve, left_out, checkpoint)


def _state(options: argparse.Namespace, params: Params, job: str) -> Checkpoint:
    """The state of a job, in a folder that is named after all that it depends on."""
    used = params.model_dump_json(
        include={"seed", "spectrogram", "window", "image", "labels", "augment", "head", "train"}
    )
    tables = [options.data / "train_tp.csv", options.data / "train_fp.csv", options.folds, options.species]
    scores = sorted(options.targets.glob("[!.]*"))
    files = [*tables, *sorted(options.pretrained.iterdir()), *scores]
    return Checkpoint(options.checkpoint / fingerprint(f"{job} {used}", files, [options.spectrograms]))
