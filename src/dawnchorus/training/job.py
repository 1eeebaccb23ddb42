"""A training job: trains one backbone of one round on all folds except one, or the student on all of them."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import keras
import pandas as pd

from dawnchorus.config.params import Params
from dawnchorus.config.train import Train
from dawnchorus.data.annotations import Annotations, read_annotations, read_uncertain
from dawnchorus.data.complete import read_complete
from dawnchorus.data.fold_table import read_folds
from dawnchorus.data.ground_truth import GroundTruth
from dawnchorus.data.species import read_species
from dawnchorus.features.frames import to_seconds
from dawnchorus.features.store import FeatureStore
from dawnchorus.files import replacing
from dawnchorus.inference.window_scores import window_hop
from dawnchorus.inference.windows import tile
from dawnchorus.inputs import require_unchanged
from dawnchorus.models.building import build_models
from dawnchorus.models.pretrained import load_pretrained
from dawnchorus.models.shapes import Shapes
from dawnchorus.seeding import generator
from dawnchorus.training.background import find_background
from dawnchorus.training.callbacks import Log
from dawnchorus.training.checkpoint import Checkpoint, fingerprint
from dawnchorus.training.loop import fit
from dawnchorus.training.pseudo_labels import PseudoLabels, Unlabelled, read_pseudo_labels, scored_recordings
from dawnchorus.training.sampling import WindowSampler
from dawnchorus.training.validation import validate

# Parameters that a training job depends on. `train.pretrained` is not among them: the stage `pretrained` writes those
# weights to a folder for each backbone, and the job reads them there. `train.logger` changes no result.
PARAMETERS: dict[str, Any] = dict.fromkeys(
    ("seed", "spectrogram", "window", "image", "labels", "augment", "head"), True
)
PARAMETERS["train"] = set(Train.model_fields) - {"pretrained", "logger"}


@dataclass(frozen=True)
class Job:
    """What to train, and the paths of the inputs.

    Attributes:
        round_id: id of the round, or the name of the student.
        backbone: name of the backbone.
        fold: the fold to leave out; None for none.
        annotations: `data/annotations.csv`.
        folds: `data/folds.csv`.
        species: `data/species.csv`.
        complete: `data/complete.csv`.
        spectrograms: folder of the spectrograms of annotated recordings.
        unlabelled: folder of the spectrograms of unlabelled recordings, by fold.
        pretrained: folder of the initial weights; empty if there are none.
        pseudo_labels: folder of the window scores from an earlier round's models; empty if there are none.
        pseudo_label_weight: weight of pseudo-labels in the loss.
        checkpoint: folder of the job's state until it is done.
        lasting_checkpoints: in a temporary copy of the project, a folder outside it for the states of all jobs.
    """

    round_id: str
    backbone: str
    fold: int | None
    annotations: Path
    folds: Path
    species: Path
    complete: Path
    spectrograms: Path
    unlabelled: Path
    pretrained: Path
    pseudo_labels: Path
    pseudo_label_weight: float
    checkpoint: Path
    lasting_checkpoints: Path | None = None


@dataclass(frozen=True)
class Trained:
    """The result of a job.

    Attributes:
        scorer: the trained model, windows (Batch, Frames, Mels) -> scores (Batch, Species).
        curve: the learning curve that `loop.fit` returns.
        checkpoint: the job's state. With `train.every_epoch`, its folder `kept` has the weights of each epoch. Remove
            it after the outputs are written.
    """

    scorer: keras.Model
    curve: pd.DataFrame
    checkpoint: Checkpoint


def train_model(job: Job, params: Params, device: str, log: Log | None = None) -> Trained:
    """Train the model of a job.

    Args:
        job: the job.
        params: parameters of the experiment.
        device: the device that the job runs on. An interrupted job resumes only on the same device.
        log: gets the figures of each epoch, as in `loop.fit`.

    Raises:
        InputError: an input is missing, damaged, or changed since the job started, or the loss is not finite.
    """
    species = read_species(job.species)
    boxes = read_annotations(job.annotations, species)
    folds = read_folds(job.folds)
    shapes = Shapes.of(params)
    scored = scored_recordings(job.pseudo_labels)
    # The draws of a first round must not depend on its id or on the number of rounds.
    draws = (job.backbone,) if job.fold is None else (job.backbone, job.fold)
    draws = (job.round_id, *draws) if scored else draws
    seed = int(generator(params.seed, "weights", *draws).integers(2**31))
    scorer, trainer = build_models(
        job.backbone, shapes, len(species), params.train.dropout, seed, params.image.frequency_channel,
        params.head.pooling, params.head.frame_weight > 0,
    )  # fmt: skip
    load_pretrained(scorer, job.backbone, job.pretrained)
    trained_on = set(folds.index[folds != job.fold])
    annotations = Annotations.of_table(boxes).of_recordings(trained_on)
    uncertain = Annotations.of_table(read_uncertain(job.annotations, species))
    complete = read_complete(job.complete, species)
    background = find_background(
        [name for name in complete.for_all_species() if name in trained_on],
        FeatureStore(job.spectrograms).frames,
        Annotations.of_table(boxes[boxes.is_tp]).joined(uncertain),
        shapes.window[0],
        to_seconds(1, params.spectrogram),
    )
    pseudo_labels = unlabelled = None
    if scored:
        others = sorted({fold for fold in scored.values() if fold != job.fold})
        unlabelled = Unlabelled(
            [job.unlabelled / str(fold) for fold in others],
            # The student also learns from windows of annotated recordings that are far from any box.
            [
                name
                for name, fold in scored.items()
                if job.fold is None or (name not in folds.index and fold != job.fold)
            ],
        )
        names = {*annotations.recording_ids, *unlabelled.recording_ids, *background.recording_ids}
        spectrograms = FeatureStore(job.spectrograms, *unlabelled.folders)
        pseudo_labels = _pseudo_labels(job, scored, names, folds, spectrograms, shapes.window[0], len(species))
    sampler = WindowSampler(
        annotations, job.spectrograms, params, len(species), draws, pseudo_labels, unlabelled, uncertain, complete,
        background,
    )  # fmt: skip
    left_out = validated_recordings(boxes, set(folds.index[folds == job.fold]), params.train.checkpoint)
    validated = GroundTruth.of_annotations(boxes, left_out, len(species))
    checkpoint = _checkpoint(job, params, f"{draws} {device}")

    def keep_epoch(epoch: int) -> None:
        # No state is saved, and no later run resumes it, if it may not be that of the files in its fingerprint.
        require_unchanged()
        if params.train.every_epoch:
            with replacing(checkpoint.kept / f"{epoch}.weights.h5") as path:
                scorer.save_weights(path)

    require_unchanged()
    check = partial(validate, scorer, job.spectrograms, validated, params.train.batch_size)
    # Models of the earlier round were trained on the left-out fold, so with their pseudo-labels it is not held out.
    curve = fit(trainer, sampler, None if scored else check, checkpoint, keep_epoch, log)
    return Trained(scorer, curve, checkpoint)


def validated_recordings(boxes: pd.DataFrame, left_out: set[str], checkpoint: str) -> list[str]:
    """The left-out recordings that an epoch is validated on, sorted.

    LWLRAP ignores recordings without a present box. But in these are most of the sounds that are taken for a species,
    so they count where precision chooses the epoch.

    Args:
        boxes: table from `annotations.read_annotations`.
        left_out: the recordings of the left-out fold.
        checkpoint: the parameter `train.checkpoint`.
    """
    counted = boxes if checkpoint == "validation_precision" else boxes[boxes.is_tp]
    return sorted(left_out & set(counted.recording_id))


def _pseudo_labels(
    job: Job,
    scored: dict[str, int],
    recording_ids: set[str],
    folds: pd.Series,
    spectrograms: FeatureStore,
    length: int,
    n_species: int,
) -> PseudoLabels:
    """Read the pseudo-labels of the recordings that a job trains on; `length` is that of a window, in frames."""
    hop = window_hop(length)
    # A recording without scores gets the path that it should have, so that the error names the missing file.
    recordings = {name: scored[name] if name in scored else int(folds[name]) for name in sorted(recording_ids)}
    return read_pseudo_labels(
        job.pseudo_labels, recordings, lambda name: tile(spectrograms.frames(name), length, hop), hop, n_species,
        job.pseudo_label_weight,
    )  # fmt: skip


def _checkpoint(job: Job, params: Params, name: str) -> Checkpoint:
    """The checkpoint of a job, in a folder named by the fingerprint of everything that the job depends on."""
    used = params.model_dump_json(include=PARAMETERS)
    files = [job.annotations, job.folds, job.species, job.complete, *sorted(job.pretrained.iterdir())]
    files += sorted(job.pseudo_labels.rglob("*.npy"))
    settings = f"{name} {job.pseudo_label_weight} {used}"
    folders = [job.spectrograms, job.unlabelled]
    if job.lasting_checkpoints is not None:
        # In each copy, files have other modification times.
        lasting = Checkpoint(job.lasting_checkpoints / fingerprint(settings, files, folders, by_content=True))
        # Two copies may train the same model at the same time.
        if lasting.lock():
            return lasting
    return Checkpoint(job.checkpoint / fingerprint(settings, files, folders))
