"""Layers and networks, compared with formulas in numpy and with TensorFlow."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from tiny import changed
from tones import SHAPES

from dawnchorus.config.params import Params
from dawnchorus.data.annotations import Annotations
from dawnchorus.errors import InputError
from dawnchorus.features.store import write_features
from dawnchorus.inference.scoring import score_recordings
from dawnchorus.models.backbone import backbone_module, build_backbone
from dawnchorus.models.building import build_models
from dawnchorus.models.heads import Head
from dawnchorus.models.layers import Augment, Mixup, ToImage
from dawnchorus.models.shapes import Shapes
from dawnchorus.models.weights import load_weights
from dawnchorus.training.sampling import WindowSampler


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


def test_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    scorer, _ = build_models("small_cnn", SHAPES, 2, 0.25, 1)
    other, _ = build_models("small_cnn", SHAPES, 3, 0.25, 1)
    scorer.save_weights(tmp_path / "0.weights.h5")
    (tmp_path / "1.weights.h5").write_bytes(b"\x89HDF\r\n")
    for name in ("0", "1", "2"):
        with pytest.raises(InputError, match=rf"{name}\.weights\.h5: has no weights for this model"):
            load_weights(other, tmp_path / f"{name}.weights.h5")
