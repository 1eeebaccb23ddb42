"""The model and its training, compared with formulas in numpy."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from sklearn.metrics import label_ranking_average_precision_score, precision_score
from tiny import changed

from dawnchorus.config.params import Params
from dawnchorus.data.annotations import Annotations
from dawnchorus.data.ground_truth import GroundTruth
from dawnchorus.errors import InputError
from dawnchorus.features.store import write_features
from dawnchorus.inference.scoring import score_recordings, score_windows
from dawnchorus.models.backbone import backbone_module, build_backbone
from dawnchorus.models.building import build_models
from dawnchorus.models.heads import Head
from dawnchorus.models.layers import Augment, Mixup, ToImage
from dawnchorus.models.shapes import Shapes
from dawnchorus.models.weights import load_weights
from dawnchorus.training.callbacks import Log
from dawnchorus.training.checkpoint import Checkpoint
from dawnchorus.training.loop import fit
from dawnchorus.training.losses import MaskedCrossEntropy
from dawnchorus.training.sampling import WindowSampler
from dawnchorus.training.schedule import learning_rate_schedule
from dawnchorus.training.validation import Validation, validate

SHAPES = Shapes((47, 32), (47, 32))


def test_standardized_images_have_mean_0_and_variance_1() -> None:
    windows = np.random.default_rng(0).normal(-60, 9, (3, 20, 16)).astype(np.float32)
    windows[2] = -100
    images = keras.ops.convert_to_numpy(ToImage((20, 16))(windows))
    assert images.shape == (3, 20, 16, 1)
    single = windows[0]
    np.testing.assert_allclose(images[0, ..., 0], (single - single.mean()) / single.std(), atol=1e-4)
    np.testing.assert_allclose(images[2], 0)


def test_mixup_is_a_weighted_mean_with_the_partner() -> None:
    images = np.random.default_rng(0).random((3, 4, 5, 1), dtype=np.float32)
    weight, partner = np.array([1.0, 0.25, 0.6], np.float32), np.array([2, 0, 1], np.int32)
    own = weight.reshape(3, 1, 1, 1)
    mixed = keras.ops.convert_to_numpy(Mixup()(images, partner, weight))
    np.testing.assert_allclose(mixed, own * images + (1 - own) * images[partner], rtol=1e-6)


def test_the_head_is_attention_over_time() -> None:
    features = np.random.default_rng(0).normal(0, 8, (2, 6, 3, 5)).astype(np.float32)
    head = Head(n_species=4, dropout=0.5, seed=1, pooling="attention", frames=False)
    output = keras.ops.convert_to_numpy(head(features))
    over_time = features.mean(axis=2)
    (kernel, bias), (score_kernel, score_bias) = head.attention.get_weights(), head.scores.get_weights()
    logits = np.clip(over_time @ kernel[0] + bias, -10, 10)
    attention = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    summed = (attention * (over_time @ score_kernel[0] + score_bias)).sum(axis=1)
    np.testing.assert_allclose(output, 1 / (1 + np.exp(-summed)), rtol=1e-4)
    assert not np.allclose(output, keras.ops.convert_to_numpy(head(features, training=True)))


def test_log_mean_exp_over_time_beside_the_highest_frame() -> None:
    features = np.random.default_rng(0).normal(0, 2, (2, 6, 3, 5)).astype(np.float32)
    head = Head(n_species=4, dropout=0.5, seed=1, pooling="log_mean_exp", frames=True)
    output = keras.ops.convert_to_numpy(head(features))
    kernel, bias = head.get_weights()
    scores = features.mean(axis=2) @ kernel[0] + bias
    maximum = scores.max(axis=1)
    pooled = np.log(np.exp(scores).mean(axis=1))
    np.testing.assert_allclose(output, 1 / (1 + np.exp(-np.stack([pooled, maximum], axis=1))), rtol=1e-4)


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


@pytest.mark.parametrize("backbone", ["small_cnn", "small_resnet"])
def test_the_small_backbones_are_small_and_their_seed_decides_the_weights(backbone: str) -> None:
    models = [build_models(backbone, Shapes((48, 32), (48, 32)), 5, 0.25, seed)[0] for seed in (1, 1, 2)]
    first, same, other = ([weight.tobytes() for weight in model.get_weights()] for model in models)
    assert first == same
    assert first != other
    assert models[0].count_params() < 500_000


@pytest.mark.slow
@pytest.mark.parametrize("backbone", ["inception", "efficientnet", "resnet"])
def test_the_large_backbones_score_windows(backbone: str) -> None:
    scorer, _ = build_models(backbone, Shapes((120, 100), (96, 96)), 5, 0.25, seed=1)
    windows = np.random.default_rng(0).normal(-60, 9, (2, 120, 100)).astype(np.float32)
    scores = scorer.predict_on_batch(windows)
    assert scores.shape == (2, 5)
    assert ((scores > 0) & (scores < 1)).all()


def unchanged(batch: int) -> dict[str, np.ndarray]:
    """Inputs of the training model without mixup and augmentation."""
    return {
        "partner": np.roll(np.arange(batch, dtype=np.int32), 1),
        "weight": np.ones(batch, np.float32),
        "silent_frames": np.zeros((batch, 2, 2), np.int32),
        "silent_mels": np.zeros((batch, 2, 2), np.int32),
        "brightness": np.zeros(batch, np.float32),
        "contrast": np.ones(batch, np.float32),
        "flip": np.zeros((batch, 2), bool),
    }


def test_a_window_scores_the_same_in_training_and_inference(tiny: Params, tmp_path: Path) -> None:
    """In the notebook, the dB floor, the order of resizing and the number of frames differ between the two."""
    params = changed(tiny, {"image": {"frames": 40, "mels": 24}, "train": {"begin_within": 0.0}})
    shapes = Shapes.of(params)
    spectrogram = np.random.default_rng(0).normal(-60, 9, (188, 32)).astype(np.float32)
    write_features(tmp_path, "r", [spectrogram])
    scorer, trainer = build_models("small_cnn", shapes, 2, 0.25, seed=1)
    scored = score_recordings(scorer, tmp_path, ["r"], hop_frames=47, batch_size=4)
    in_training = []
    for start in (0, 47, 94, 141):
        begin = start * 2048 / 48_000 + 1e-6
        box = np.array([[begin, 1000.0, begin + 1, 2000.0]])
        annotations = Annotations(np.array(["r"]), box, np.array([0]), np.array([True]))
        sampler = WindowSampler(annotations, tmp_path, params, 2, ("small_cnn", 0))
        starts, _ = sampler.starts_and_labels(np.array([0]), sampler.draws(epoch=0))
        windows = sampler.read(np.array([0]), starts)
        np.testing.assert_allclose(windows[0] / 256, spectrogram[start : start + 47], atol=1 / 512)
        in_training.append(trainer.predict_on_batch({"windows": windows, **unchanged(1)})[0])
    np.testing.assert_allclose(np.max(in_training, axis=0), scored[0], atol=1e-6)


def test_images_are_resized_as_tensorflow_does_before_they_are_standardized() -> None:
    windows = np.random.default_rng(0).normal(-60, 9, (2, 94, 38)).astype(np.float32)
    images = keras.ops.convert_to_numpy(ToImage((38, 19))(windows))
    resized = tf.image.resize(windows[..., None], (38, 19))
    np.testing.assert_allclose(images, tf.image.per_image_standardization(resized), atol=1e-4)


@pytest.mark.parametrize(
    ("backbone", "expected"),
    [
        # The input range for which each network's weights were published: -1 to 1; BGR minus ImageNet's means. The
        # third is in test_pretrained.py, because its network does part of the scaling.
        ("inception", lambda pixel: pixel / 127.5 - 1),
        ("resnet", lambda pixel: pixel - np.array([103.939, 116.779, 123.68])),
    ],
)
def test_large_backbones_get_the_range_of_their_weights(
    backbone: str, expected: Callable[[np.ndarray], np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    def network(input_shape: tuple[int, int, int], **_: object) -> keras.Model:
        assert input_shape == (32, 96, 3)  # frequency is the height of the image
        return keras.layers.Lambda(lambda image: image[:, ::32, ::32])

    monkeypatch.setattr(backbone_module(backbone), "NETWORK", network)
    image = np.random.default_rng(0).normal(0, 2, (1, 96, 32, 1)).astype(np.float32)
    features = keras.ops.convert_to_numpy(build_backbone(backbone, 96, 32)(image))
    pixel = 255 / (1 + np.exp(-image[:, ::32, ::32]))
    assert features.shape == (1, 3, 1, 3)
    np.testing.assert_allclose(features, expected(np.repeat(pixel, 3, axis=-1)), rtol=1e-4, atol=1e-3)


def test_a_channel_may_hold_the_position_in_frequency(monkeypatch: pytest.MonkeyPatch) -> None:
    image = np.random.default_rng(0).normal(0, 1, (2, 40, 32, 1)).astype(np.float32)
    position = np.broadcast_to(-1 + 2 * np.arange(32) / 31, (2, 40, 32))
    small = build_backbone("small_cnn", 40, 32, frequency_channel=True)
    (joined,) = (layer for layer in small.layers if isinstance(layer, keras.layers.Concatenate))
    channels = keras.Model(small.input, joined.output).predict_on_batch(image)
    np.testing.assert_allclose(channels, np.stack([image[..., 0], position], axis=-1), atol=1e-2)

    monkeypatch.setattr(backbone_module("resnet"), "NETWORK", lambda **_: keras.layers.Identity())
    monkeypatch.setattr(keras.applications.resnet, "preprocess_input", lambda pixels: pixels)
    channels = keras.ops.convert_to_numpy(build_backbone("resnet", 40, 32, frequency_channel=True)(image))
    pixel = 255 / (1 + np.exp(-image[..., 0]))
    np.testing.assert_allclose(
        channels, np.stack([pixel, pixel, 127.5 * (position + 1)], axis=-1), rtol=1e-4, atol=1e-3
    )


def test_changes_of_images_by_hand() -> None:
    rng = np.random.default_rng(0)
    image = rng.normal(0, 1, (6, 12, 8, 1)).astype(np.float32)
    inputs = unchanged(6)
    changes = {key: inputs[key] for key in ("silent_frames", "silent_mels", "brightness", "contrast", "flip")}
    changes["silent_frames"][0] = [[2, 4], [9, 12]]
    changes["silent_mels"][1] = [[0, 3], [5, 5]]
    changes["brightness"][2], changes["contrast"][3] = 0.5, 0.2
    changes["flip"][4], changes["flip"][5] = [True, False], [False, True]
    output = keras.ops.convert_to_numpy(Augment()(image, changes))
    expected = image.copy()
    # Masks are filled with the lowest value of the image. Its first axis is time, its second is frequency.
    expected[0, 2:4] = expected[0, 9:12] = image[0].min()
    expected[1, :, 0:3] = image[1].min()
    expected[2] += 0.5
    expected[3] = image[3].mean() + 0.2 * (image[3] - image[3].mean())
    expected[4] = image[4, ::-1]
    expected[5] = image[5, :, ::-1]
    np.testing.assert_allclose(output, expected, atol=1e-5)


def noise_with_tones(folder: Path, params: Params) -> Annotations:
    """Write spectrograms of noise with tones: species 0 is a tone in a low band, species 1 in a high band."""
    rng = np.random.default_rng(0)
    frames = 94  # 4 s
    rows = []
    for number in range(24):
        spectrogram = rng.normal(-60, 3, (frames, params.spectrogram.n_mels))
        species, start = number % 2, int(rng.integers(0, frames - 23))
        spectrogram[start : start + 23, 5 + 20 * species] += 25
        write_features(folder, f"r{number}", [spectrogram.astype(np.float32)])
        rows.append((f"r{number}", start * 2048 / 48_000, (start + 23) * 2048 / 48_000, species))
    names, begin, end, species_ids = zip(*rows, strict=True)
    return Annotations(
        np.array(names),
        np.column_stack([begin, np.full(24, 1000.0), end, np.full(24, 2000.0)]),
        np.array(species_ids),
        np.ones(24, bool),
    )


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

    for checkpoint, kept in [("last", 4), ("validation_lwlrap", 2), ("validation_precision", 1)]:
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


def test_a_clip_scores_the_maximum_over_its_windows(tiny: Params, tmp_path: Path) -> None:
    annotations = noise_with_tones(tmp_path, tiny)
    scorer, _ = build_models("small_cnn", SHAPES, 2, 0.25, 1)
    scores = score_recordings(scorer, tmp_path, list(annotations.recording_ids), hop_frames=23, batch_size=7)
    for number, name in enumerate(annotations.recording_ids):
        spectrogram = np.load(tmp_path / f"{name}.npy")
        windows = np.stack([spectrogram[start : start + 47] for start in (0, 23, 46, 47)])
        np.testing.assert_allclose(scores[number], scorer.predict_on_batch(windows).max(axis=0), atol=1e-5)


def test_each_window_of_a_recording_is_scored(tiny: Params, tmp_path: Path) -> None:
    names = list(noise_with_tones(tmp_path, tiny).recording_ids[:3])
    np.save(tmp_path / f"{names[1]}.npy", np.load(tmp_path / f"{names[1]}.npy")[:40])  # shorter than a window
    scorer, _ = build_models("small_cnn", SHAPES, 2, 0.25, 1)
    found = score_windows(scorer, tmp_path, names, hop_frames=23, batch_size=7, what="windows scored")
    assert [len(scores) for scores in found] == [4, 1, 4]  # 94 frames have windows that start at 0, 23, 46 and 47
    spectrogram = np.load(tmp_path / f"{names[2]}.npy") / np.float32(256)
    windows = np.stack([spectrogram[start : start + 47] for start in (0, 23, 46, 47)])
    np.testing.assert_allclose(found[2], scorer.predict_on_batch(windows), atol=1e-5)


def test_scores_that_are_no_numbers_are_an_error(tiny: Params, tmp_path: Path) -> None:
    annotations = noise_with_tones(tmp_path, tiny)
    scorer, _ = build_models("small_cnn", SHAPES, 2, 0.25, 1)
    scorer.set_weights([np.full_like(weight, np.nan) for weight in scorer.get_weights()])
    with pytest.raises(InputError, match=r"\.npy: the scores of \d+ of \d+ recordings are not finite"):
        score_recordings(scorer, tmp_path, sorted(set(annotations.recording_ids)), hop_frames=23, batch_size=7)


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


def test_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    scorer, _ = build_models("small_cnn", SHAPES, 2, 0.25, 1)
    other, _ = build_models("small_cnn", SHAPES, 3, 0.25, 1)
    scorer.save_weights(tmp_path / "0.weights.h5")
    (tmp_path / "1.weights.h5").write_bytes(b"\x89HDF\r\n")
    for name in ("0", "1", "2"):
        with pytest.raises(InputError, match=rf"{name}\.weights\.h5: has no weights for this model"):
            load_weights(other, tmp_path / f"{name}.weights.h5")
