"""The model and its training, against formulas in numpy."""

from pathlib import Path

import keras
import numpy as np
import pytest
from tiny import changed

from dawnchorus.crops import Annotations, Crops
from dawnchorus.errors import InputError
from dawnchorus.inference import score_recordings
from dawnchorus.model import AttentionHead, Mixup, Standardize, build_models, load_weights
from dawnchorus.params import Params
from dawnchorus.training import MaskedCrossEntropy, fit, learning_rate_schedule


def test_standardized_images_have_mean_0_and_variance_1() -> None:
    windows = np.random.default_rng(0).normal(-60, 9, (3, 20, 16)).astype(np.float16)
    windows[2] = -100
    images = keras.ops.convert_to_numpy(Standardize()(windows))
    assert images.shape == (3, 20, 16, 1)
    single = windows[0].astype(np.float32)
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
    head = AttentionHead(n_species=4, dropout=0.5, seed=1)
    output = keras.ops.convert_to_numpy(head(features))
    over_time = features.mean(axis=2)
    (kernel, bias), (score_kernel, score_bias) = head.attention.get_weights(), head.scores.get_weights()
    logits = np.clip(over_time @ kernel[0] + bias, -10, 10)
    attention = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    summed = (attention * (over_time @ score_kernel[0] + score_bias)).sum(axis=1)
    np.testing.assert_allclose(output, 1 / (1 + np.exp(-summed)), rtol=1e-4)
    assert not np.allclose(output, keras.ops.convert_to_numpy(head(features, training=True)))


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
    models = [build_models(backbone, 48, 32, 5, 0.25, seed)[0] for seed in (1, 1, 2)]  # type: ignore[arg-type]
    first, same, other = ([weight.tobytes() for weight in model.get_weights()] for model in models)
    assert first == same
    assert first != other
    assert models[0].count_params() < 500_000


@pytest.mark.slow
@pytest.mark.parametrize("backbone", ["inception", "efficientnet", "resnet"])
def test_the_large_backbones_score_windows(backbone: str) -> None:
    scorer, trainer = build_models(backbone, 96, 96, 5, 0.25, seed=1)  # type: ignore[arg-type]
    windows = np.random.default_rng(0).normal(-60, 9, (2, 96, 96)).astype(np.float16)
    scores = scorer.predict_on_batch(windows)
    assert scores.shape == (2, 5)
    assert ((scores > 0) & (scores < 1)).all()
    alone = {"windows": windows, "partner": np.array([1, 0], np.int32), "weight": np.ones(2, np.float32)}
    np.testing.assert_allclose(trainer.predict_on_batch(alone), scores, atol=1e-6)


def noise_with_tones(folder: Path, params: Params) -> Annotations:
    """Spectrograms of noise in which species 0 is a tone in a low band and species 1 one in a high band."""
    rng = np.random.default_rng(0)
    frames = 94  # 4 s
    rows = []
    for number in range(24):
        spectrogram = rng.normal(-60, 3, (frames, params.spectrogram.n_mels))
        species, start = number % 2, int(rng.integers(0, frames - 23))
        spectrogram[start : start + 23, 5 + 20 * species] += 25
        np.save(folder / f"r{number}.npy", spectrogram.astype(np.float16))
        rows.append((f"r{number}", start * 2048 / 48_000, (start + 23) * 2048 / 48_000, species))
    names, begin, end, species_ids = zip(*rows, strict=True)
    return Annotations(np.array(names), np.column_stack([begin, end]), np.array(species_ids), np.ones(24, bool))


def test_training_learns_and_repeats_itself(tiny: Params, tmp_path: Path) -> None:
    params = changed(
        tiny, {"train": {"epochs": 16, "batch_size": 8, "mixup_alpha": 0.0}, "labels": {"unlabelled_weight": 1.0}}
    )
    annotations = noise_with_tones(tmp_path, params)

    def run() -> tuple[np.ndarray, list[float]]:
        scorer, trainer = build_models("small_cnn", 47, 32, 2, 0.25, params.seed)
        curve = fit(trainer, Crops(annotations, tmp_path, params, 2, ("small_cnn", 0)), lambda: 0.5)
        names = [f"r{number}" for number in range(24)]
        return score_recordings(scorer, tmp_path, names, hop_frames=23, batch_size=16), list(curve.loss)

    scores, losses = run()
    again, losses_again = run()
    assert losses[-1] < 0.5 * losses[0]
    assert (scores.argmax(axis=1) == np.arange(24) % 2).mean() > 0.9
    assert losses == losses_again
    np.testing.assert_array_equal(scores, again)


def test_a_clip_scores_the_maximum_over_its_windows(tiny: Params, tmp_path: Path) -> None:
    annotations = noise_with_tones(tmp_path, tiny)
    scorer, _ = build_models("small_cnn", 47, 32, 2, 0.25, 1)
    scores = score_recordings(scorer, tmp_path, list(annotations.recording_ids), hop_frames=23, batch_size=7)
    for number, name in enumerate(annotations.recording_ids):
        spectrogram = np.load(tmp_path / f"{name}.npy")
        windows = np.stack([spectrogram[start : start + 47] for start in (0, 23, 46, 47)])
        np.testing.assert_allclose(scores[number], scorer.predict_on_batch(windows).max(axis=0), atol=1e-5)


def test_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    scorer, _ = build_models("small_cnn", 47, 32, 2, 0.25, 1)
    other, _ = build_models("small_cnn", 47, 32, 3, 0.25, 1)
    scorer.save_weights(tmp_path / "0.weights.h5")
    (tmp_path / "1.weights.h5").write_bytes(b"\x89HDF\r\n")
    for name in ("0", "1", "2"):
        with pytest.raises(InputError, match=rf"{name}\.weights\.h5: holds no weights for this model"):
            load_weights(other, tmp_path / f"{name}.weights.h5")
