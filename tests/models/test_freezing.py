"""Frozen models against the models themselves."""

import keras
import numpy as np
import pytest

from dawnchorus.models.building import build_models
from dawnchorus.models.freezing import frozen
from dawnchorus.models.shapes import Shapes

SHAPE = (47, 32)


@pytest.fixture(scope="module", params=["small_cnn", "small_resnet"])
def model(request: pytest.FixtureRequest) -> keras.Model:
    """A model as after a training: no mean, variance, scale or offset is what it was at the beginning."""
    scorer, _ = build_models(request.param, Shapes(SHAPE, SHAPE), 3, 0.25, 0, pooling="attention")
    rng = np.random.default_rng(0)
    scorer.set_weights([
        weight if weight.ndim > 1 or weight.dtype != np.float32 else rng.uniform(0.5, 1.5, weight.shape)
        for weight in scorer.get_weights()
    ])  # fmt: skip
    return scorer


@pytest.mark.parametrize("most_bytes", [2**28, 1000])
def test_a_frozen_model_gives_the_models_scores_for_any_number_of_windows(model: keras.Model, most_bytes: int) -> None:
    score = frozen(model, most_bytes)
    for size in (1, 5, 16, 5):
        windows = np.random.default_rng(size).normal(-60, 9, (size, *SHAPE)).astype(np.float32)
        expected = model.predict_on_batch(windows)
        assert expected.std() > 1e-3
        found = score(windows)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_later_changes_of_the_model_do_not_change_a_frozen_one(model: keras.Model) -> None:
    windows = np.random.default_rng(0).normal(-60, 9, (2, *SHAPE)).astype(np.float32)
    score = frozen(model)
    before, weights = score(windows), model.get_weights()
    model.set_weights([weight * 2 for weight in weights])
    after = score(windows)
    model.set_weights(weights)
    np.testing.assert_array_equal(after, before)
