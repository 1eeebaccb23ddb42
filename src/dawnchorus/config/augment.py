"""The section `augment`: random changes of training images."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from dawnchorus.config.section import PositiveFloat, PositiveInt, Section

Augmentation = Literal[
    "time_dropout", "time_masks", "frequency_masks", "brightness", "contrast", "flip_time", "flip_frequency"
]


class Augment(Section):
    """Random changes of training images, after standardizing, so that their units do not depend on levels."""

    choices: list[Augmentation] = Field(description="those to draw from; [] for none")
    most: PositiveInt = Field(description="an image gets 0 to so many of them, each at most once")
    time_dropout_cuts: PositiveInt = Field(description="stretches of time_dropout that are silenced")
    time_dropout_width: Annotated[float, Field(gt=0, lt=1)] = Field(description="length of each, part of a window")
    time_masks: PositiveInt = Field(description="stretches of time_masks that are silenced")
    time_mask_frames: PositiveInt = Field(description="longest of them, frames of the spectrogram")
    frequency_masks: PositiveInt = Field(description="bands of frequency_masks that are silenced")
    frequency_mask_mels: PositiveInt = Field(description="widest of them, mel bands of the spectrogram")
    brightness: PositiveFloat = Field(description="most that is added or taken off, standard deviations of the image")
    contrast_low: PositiveFloat = Field(description="smallest factor of differences from the image's mean")
    contrast_high: PositiveFloat = Field(description="largest factor of differences from the image's mean")

    @model_validator(mode="after")
    def _choices_are_possible(self) -> Self:
        if len(set(self.choices)) < len(self.choices):
            raise ValueError(f"choices is {self.choices}; each may stand there once")
        if self.contrast_low > self.contrast_high:
            raise ValueError(
                f"contrast_low ({self.contrast_low}) must not be above contrast_high ({self.contrast_high})"
            )
        return self
