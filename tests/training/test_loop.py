"""Training: what the loss counts, what is learned, kept, resumed and validated."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import label_ranking_average_precision_score, precision_score
from tiny import changed
from tones import SHAPES, noise_with_tones

from dawnchorus.config.params import Params
from dawnchorus.data.ground_truth import GroundTruth
from dawnchorus.errors import InputError
from dawnchorus.features.store import write_features
from dawnchorus.inference.scoring import score_recordings
from dawnchorus.models.building import build_models
from dawnchorus.models.weights import load_weights
from dawnchorus.training.callbacks import Log
from dawnchorus.training.checkpoint import Checkpoint
from dawnchorus.training.loop import fit
from dawnchorus.training.losses import MaskedCrossEntropy
from dawnchorus.training.sampling import WindowSampler
from dawnchorus.training.schedule import learning_rate_schedule
from dawnchorus.training.validation import Validation, validate


def test_frames_count_in_the_loss_and_in_the_scores(tiny: Params, tmp_path: Path) -> None:
    annotations = noise_with_tones(tmp_path, tiny)
    params = changed(tiny, {"head": {"frame_weight": 0.5}, "train": {"batch_size": 24, "mixup_alpha": 0.0}})
    sampler = WindowSampler(annotations, tmp_path, params, 2, ("small_cnn", 0))
    scorer, trainer = build_models("small_cnn", SHAPES, 2, 0.0, 1, frames=True)
    inputs, labels = next(sampler.batches())
    # In the first training step, normalization layers use the mean and variance of the batch.
    scores = keras.ops.convert_to_numpy(trainer(inputs, training=True))
    target, known = labels[:, 0], labels[:, 1]

    def loss(score: np.ndarray) -> float:
        return -(known * np.log(np.where(target > 0, score, 1 - score))).sum() / known.sum()

    curve = fit(trainer, sampler, lambda: Validation(0.5, 0.5), Checkpoint(tmp_path / "state"))
    assert curve.loss[0] == pytest.approx(loss(scores[:, 0]) + 0.5 * loss(scores[:, 1]), rel=1e-4)
    both = trainer.predict_on_batch(inputs)
    assert (both[:, 0] < both[:, 1]).all()  # a mean is below the maximum
    np.testing.assert_allclose(scorer.predict_on_batch(inputs["windows"]), both.mean(axis=1), rtol=1e-5)


def test_the_loss_counts_what_is_known() -> None:
    rng = np.random.default_rng(0)
    scores = rng.uniform(0.05, 0.95, (4, 3)).astype(np.float32)
    target = (rng.random((4, 3)) < 0.4).astype(np.float32)
    everything = np.stack([target, np.ones_like(target)], axis=1)
    keras_loss = keras.losses.BinaryCrossentropy(label_smoothing=0.2)
    assert float(MaskedCrossEntropy(0.2)(everything, scores)) == pytest.approx(
        float(keras_loss(target, scores)), rel=1e-5
    )
    known = rng.choice([0, 0.3, 1], (4, 3)).astype(np.float32)
    entropy = -(target * np.log(scores) + (1 - target) * np.log(1 - scores))
    assert float(MaskedCrossEntropy(0.0)(np.stack([target, known], axis=1), scores)) == pytest.approx(
        (known * entropy).sum() / known.sum(), rel=1e-5
    )
    assert float(MaskedCrossEntropy(0.0)(np.stack([target, 0 * known], axis=1), scores)) == 0


def test_the_learning_rate_warms_up_and_falls_as_a_cosine(params: Params) -> None:
    train = changed(
        params, {"train": {"learning_rate": 1e-2, "warmup_learning_rate": 1e-4, "warmup_fraction": 0.1}}
    ).train
    schedule = learning_rate_schedule(train, total_steps=200)
    rates = [float(schedule(step)) for step in (0, 10, 20, 110, 200)]
    np.testing.assert_allclose(rates, [1e-4, (1e-4 + 1e-2) / 2, 1e-2, 0.5e-2, 0], atol=1e-8)
    without = learning_rate_schedule(changed(params, {"train": {"warmup_fraction": 0.0}}).train, total_steps=50)
    assert float(without(0)) == pytest.approx(params.train.learning_rate)


def test_training_learns_and_repeats_itself(tiny: Params, tmp_path: Path) -> None:
    params = changed(
        tiny, {"train": {"epochs": 16, "batch_size": 8, "mixup_alpha": 0.0}, "labels": {"weak_negative_weight": 1.0}}
    )
    annotations = noise_with_tones(tmp_path, params)

    def run(state: str) -> tuple[np.ndarray, list[float]]:
        scorer, trainer = build_models("small_cnn", SHAPES, 2, 0.25, params.seed)
        curve = fit(
            trainer,
            WindowSampler(annotations, tmp_path, params, 2, ("small_cnn", 0)),
            lambda: Validation(0.5, 0.5),
            Checkpoint(tmp_path / state),
        )
        names = [f"r{number}" for number in range(24)]
        return score_recordings(scorer, tmp_path, names, hop_frames=23, batch_size=16), list(curve.loss)

    scores, losses = run("once")
    again, losses_again = run("again")
    assert losses[-1] < 0.5 * losses[0]
    assert (scores.argmax(axis=1) == np.arange(24) % 2).mean() > 0.9
    assert losses == losses_again
    np.testing.assert_array_equal(scores, again)


def test_without_a_validation_the_weights_are_the_same_and_the_curve_has_none(tiny: Params, tmp_path: Path) -> None:
    annotations = noise_with_tones(tmp_path, tiny)
    sampler = WindowSampler(annotations, tmp_path, changed(tiny, {"train": {"epochs": 2}}), 2, ("small_cnn", 0))

    def run(validate: Callable[[], Validation] | None) -> tuple[pd.DataFrame, list[np.ndarray]]:
        _, trainer = build_models("small_cnn", SHAPES, 2, 0.25, 1)
        return fit(trainer, sampler, validate, Checkpoint(tmp_path / str(validate))), trainer.get_weights()

    (curve, weights), (blind, same) = run(lambda: Validation(0.5, 0.5)), run(None)
    assert list(blind.loss) == list(curve.loss)
    assert blind[["validation_lwlrap", "validation_precision"]].isna().all(axis=None)
    for one, other in zip(weights, same, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_last_or_the_best_epoch_is_kept(tiny: Params, tmp_path: Path) -> None:
    annotations = noise_with_tones(tmp_path, tiny)
    figures = [Validation(0.3, 0.9), Validation(0.8, 0.2), Validation(0.8, 0.4), Validation(0.5, 0.1)]

    # Of the two best epochs, the later one has learned more.
    for checkpoint, kept in [("last", 4), ("validation_lwlrap", 3), ("validation_precision", 1)]:
        params = changed(tiny, {"train": {"epochs": 4, "checkpoint": checkpoint}})
        _, trainer = build_models("small_cnn", SHAPES, 2, 0.25, 1)
        weights: list[list[np.ndarray]] = []
        keep_epoch = partial(keep_weights, trainer, weights)
        sampler = WindowSampler(annotations, tmp_path, params, 2, ("small_cnn", 0))
        curve = fit(trainer, sampler, iter(figures).__next__, Checkpoint(tmp_path / checkpoint), keep_epoch)
        assert len(weights) == 4
        assert list(curve.validation_precision) == [0.9, 0.2, 0.4, 0.1]
        for weight, expected in zip(trainer.get_weights(), weights[kept - 1], strict=True):
            np.testing.assert_array_equal(weight, expected)


def keep_weights(model: keras.Model, weights: list[list[np.ndarray]], epoch: int) -> None:
    assert epoch == len(weights) + 1
    weights.append(model.get_weights())


class KilledError(Exception):
    """Simulates `kill -9`."""


def test_a_training_that_is_interrupted_ends_as_if_it_was_not(tiny: Params, tmp_path: Path) -> None:
    annotations = noise_with_tones(tmp_path, tiny)
    # Settings with which a checkpoint has all its parts: the loss scale of half precision and the best epoch's weights.
    settings = {"epochs": 4, "checkpoint": "validation_lwlrap", "cutmix_probability": 0.5}
    params = changed(tiny, {"train": settings})
    sampler = WindowSampler(annotations, tmp_path, params, 2, ("small_cnn", 0))
    figures = [Validation(0.3, 0.9), Validation(0.8, 0.2), Validation(0.7, 0.4), Validation(0.5, 0.1)]
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:

        def run(
            state: Checkpoint, first: int, killed_in: int | None, log: Log | None = None
        ) -> tuple[list[np.ndarray], pd.DataFrame]:
            trainer = build_models("small_cnn", SHAPES, 2, 0.25, 1)[1]
            epochs = iter(range(first, 4))

            def validate_or_die() -> Validation:
                epoch = next(epochs)
                if epoch == killed_in:
                    raise KilledError
                return figures[epoch]

            curve = fit(trainer, sampler, validate_or_die, state, log=log)
            return trainer.get_weights(), curve

        weights, curve = run(Checkpoint(tmp_path / "whole"), 0, None)
        logged: list[tuple[int, float]] = []
        state = Checkpoint(tmp_path / "pieces")
        for first, killed_in in [(0, 0), (0, 1), (1, 3)]:
            with pytest.raises(KilledError):
                run(state, first, killed_in)
        for first in (3, 4):  # the last epoch, then a job that only has to return the result
            logged.clear()
            again, curve_again = run(state, first, None, lambda row, epoch: logged.append((epoch, row["loss"])))
            # A log changes nothing, and has the epochs of the interrupted runs, too.
            assert logged == list(zip(curve.epoch, curve.loss, strict=True))
            pd.testing.assert_frame_equal(curve_again, curve, check_exact=True)
            for one, other in zip(again, weights, strict=True):
                np.testing.assert_array_equal(one, other)
    finally:
        keras.mixed_precision.set_global_policy("float32")


def test_a_damaged_state_is_removed_and_the_next_run_begins_anew(tiny: Params, tmp_path: Path) -> None:
    annotations = noise_with_tones(tmp_path, tiny)
    sampler = WindowSampler(annotations, tmp_path, changed(tiny, {"train": {"epochs": 2}}), 2, ("small_cnn", 0))
    state = Checkpoint(tmp_path / "state")

    def run() -> list[np.ndarray]:
        trainer = build_models("small_cnn", SHAPES, 2, 0.25, 1)[1]
        fit(trainer, sampler, lambda: Validation(0.5, 0.5), state)
        return trainer.get_weights()

    whole = run()
    latest = state.latest()
    assert latest is not None
    file = latest[1] / "trainer.weights.h5"
    file.write_bytes(file.read_bytes()[:2000])
    with pytest.raises(InputError, match=rf"{latest[1]}: .* damaged"):
        run()
    for one, other in zip(run(), whole, strict=True):
        np.testing.assert_array_equal(one, other)


def test_xla_computes_the_same(tiny: Params, tmp_path: Path) -> None:
    annotations = noise_with_tones(tmp_path, tiny)
    losses = []
    for xla in (False, True):
        params = changed(tiny, {"train": {"epochs": 2, "xla": xla}})
        _, trainer = build_models("small_cnn", SHAPES, 2, 0.0, 1)
        curve = fit(
            trainer,
            WindowSampler(annotations, tmp_path, params, 2, ("small_cnn", 0)),
            lambda: Validation(0.5, 0.5),
            Checkpoint(tmp_path / str(xla)),
        )
        losses.append(list(curve.loss))
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-3)


def test_in_half_precision_images_and_scores_stay_float32(tiny: Params, tmp_path: Path) -> None:
    annotations = noise_with_tones(tmp_path, tiny)
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        scorer, trainer = build_models("small_cnn", SHAPES, 2, 0.25, 1, frequency_channel=True)
        assert scorer.get_layer("small_cnn").compute_dtype == "float16"
        params = changed(tiny, {"train": {"epochs": 2}})
        curve = fit(
            trainer,
            WindowSampler(annotations, tmp_path, params, 2, ("small_cnn", 0)),
            lambda: Validation(0.5, 0.5),
            Checkpoint(tmp_path / "state"),
        )
    finally:
        keras.mixed_precision.set_global_policy("float32")
    assert np.isfinite(curve.loss).all()
    windows = np.load(tmp_path / "r0.npy")[None, :47]
    scores = scorer.predict_on_batch(windows)
    assert scores.dtype == np.float32
    # Weights are stored in float32, so a model in full precision can load them. Its scores are nearly the same.
    scorer.save_weights(tmp_path / "half.weights.h5")
    full, _ = build_models("small_cnn", SHAPES, 2, 0.25, 2, frequency_channel=True)
    load_weights(full, tmp_path / "half.weights.h5")
    np.testing.assert_allclose(full.predict_on_batch(windows), scores, atol=0.01)


def test_validation_is_of_whole_recordings_and_of_the_present_weights(tiny: Params, tmp_path: Path) -> None:
    """The notebook's metric accumulates over epochs and takes the maximum over unrelated windows."""
    rng = np.random.default_rng(0)
    names = [f"r{number}" for number in range(24)]
    for name in names:
        write_features(tmp_path, name, [rng.normal(-60, 9, (188, 32)).astype(np.float32)])
    truth = rng.random((24, 5)) < 0.4
    left_out = GroundTruth(names, truth, np.ones_like(truth))
    found = []
    for seed in (1, 2, 1):
        scorer, _ = build_models("small_cnn", SHAPES, 5, 0.25, seed)
        found.append(validate(scorer, tmp_path, left_out, batch_size=5))
        scores = score_recordings(scorer, tmp_path, names, hop_frames=47, batch_size=24)
        assert found[-1].lwlrap == pytest.approx(
            label_ranking_average_precision_score(truth, scores, sample_weight=truth.sum(axis=1))
        )
        assert found[-1].precision == pytest.approx(precision_score(truth, scores >= 0.5, average="micro"))
    assert found[0] == found[2] != found[1]
