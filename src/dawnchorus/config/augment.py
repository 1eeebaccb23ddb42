"""The section `augment`: random augmentation of training images."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from dawnchorus.config.section import PositiveFloat, PositiveInt, Section

Augmentation = Literal[
    "time_dropout", "time_masks", "frequency_masks", "brightness", "contrast", "flip_time", "flip_frequency"
]


class Augment(Section):
    """Random augmentation of training images, after standardization, so that its units do not depend on levels."""

    choices: list[Augmentation] = Field(description="augmentations to draw from; [] for none")
    most: PositiveInt = Field(description="maximum number of augmentations of an image, each at most once")
    time_dropout_cuts: PositiveInt = Field(description="number of stretches that time_dropout silences")
    time_dropout_width: Annotated[float, Field(gt=0, lt=1)] = Field(
        description="length of each stretch, as a fraction of the window"
    )
    time_masks: PositiveInt = Field(description="number of stretches that time_masks silences")
    time_mask_frames: PositiveInt = Field(description="maximum length of a stretch, in frames of the spectrogram")
    frequency_masks: PositiveInt = Field(description="number of bands that frequency_masks silences")
    frequency_mask_mels: PositiveInt = Field(description="maximum width of a band, in mel bands of the spectrogram")
    brightness: PositiveFloat = Field(description="maximum offset, up or down, in standard deviations of the image")
    contrast_low: PositiveFloat = Field(description="smallest factor for differences from the image's mean")
    contrast_high: PositiveFloat = Field(description="largest factor for differences from the image's mean")

    @model_validator(mode="after")
    def _choices_are_possible(self) -> Self:
        if len(set(self.choices)) < len(self.choices):
            raise ValueError(f"choices is {self.choices}; each may appear only once")
        if self.contrast_low > self.contrast_high:
            raise ValueError(
                f"contrast_low ({self.contrast_low}) must not be above contrast_high ({self.contrast_high})"
            )
        return self
