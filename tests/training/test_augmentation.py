"""Random augmentations of training images: their number, widths, strengths, and restriction to the choices."""

from typing import get_args

import numpy as np
import pytest
from tiny import changed

from dawnchorus.config.augment import Augmentation
from dawnchorus.config.params import Params
from dawnchorus.models.shapes import Shapes
from dawnchorus.training.augmentation import draw_changes

SHAPES = Shapes(window=(200, 80), image=(100, 40))


def draws(params: Params, choices: list[str], **settings: object) -> list[dict[str, np.ndarray]]:
    augment = changed(params, {"augment": {"choices": choices, **settings}, "spectrogram": {"n_mels": 80}}).augment
    drawn = draw_changes(augment, SHAPES, 400, np.random.default_rng(0))
    return [{key: values[number] for key, values in drawn.items()} for number in range(400)]


def changed_by(draw: dict[str, np.ndarray]) -> set[str]:
    """The effects of a draw on an image."""
    return {
        name
        for name, does in {
            "frames": draw["silent_frames"].any(),
            "mels": draw["silent_mels"].any(),
            "brightness": draw["brightness"] != 0,
            "contrast": draw["contrast"] != 1,
            "flip_time": draw["flip"][0],
            "flip_frequency": draw["flip"][1],
        }.items()
        if does
    }


def test_without_choices_nothing_changes(params: Params) -> None:
    assert all(changed_by(draw) == set() for draw in draws(params, []))


@pytest.mark.parametrize("choice", get_args(Augmentation))
def test_each_choice_has_only_its_own_effect(params: Params, choice: str) -> None:
    own = {"time_dropout": "frames", "time_masks": "frames", "frequency_masks": "mels"}.get(choice, choice)
    found = [changed_by(draw) for draw in draws(params, [choice])]
    assert all(names <= {own} for names in found)
    # Each image gets 0 or 1 augmentations, so half of the images change. A mask can have width 0.
    assert 0.4 < sum(own in names for names in found) / len(found) < 0.6


def test_an_image_gets_up_to_two_augmentations(params: Params) -> None:
    choices = ["brightness", "contrast", "flip_time", "flip_frequency", "time_dropout"]
    counts = np.bincount([len(changed_by(draw)) for draw in draws(params, choices, most=2)])
    assert len(counts) == 3
    assert counts.min() > 100  # of 400, each a third


def test_widths_are_scaled_from_the_window_to_the_image(params: Params) -> None:
    cuts = [draw["silent_frames"] for draw in draws(params, ["time_dropout"], time_dropout_cuts=3, time_masks=1)]
    for stretches in cuts:
        widths = stretches[:, 1] - stretches[:, 0]
        assert (not widths.any()) or (widths[3] == 0 and abs(widths[:3] - 10).max() <= 1)  # a tenth of 100
    masks = np.array([draw["silent_mels"] for draw in draws(params, ["frequency_masks"], frequency_mask_mels=40)])
    widths = masks[:, :, 1] - masks[:, :, 0]
    assert widths.max() == 20  # 40 of 80 bands, on an image of 40
    assert masks.min() >= 0
    assert masks.max() == 40
    frames = np.array([draw["silent_frames"][-1] for draw in draws(params, ["time_masks"], time_mask_frames=40)])
    assert (frames[:, 1] - frames[:, 0]).max() == 20


def test_strengths_stay_in_their_ranges(params: Params) -> None:
    brightness = np.array([draw["brightness"] for draw in draws(params, ["brightness"], brightness=0.2)])
    assert -0.2 <= brightness.min() < -0.15
    assert 0.15 < brightness.max() <= 0.2
    contrast = np.array([draw["contrast"] for draw in draws(params, ["contrast"], contrast_low=0.1, contrast_high=0.3)])
    drawn = contrast[contrast != 1]
    assert 0.1 <= drawn.min() < 0.12
    assert 0.28 < drawn.max() <= 0.3
