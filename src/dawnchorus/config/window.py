"""The sections `window` and `image`: what the model sees."""

from pydantic import Field

from dawnchorus.config.section import PositiveFloat, PositiveInt, Section


class Window(Section):
    """The part of a recording that the model scores as one input."""

    seconds: PositiveFloat = Field(description="length of a window, s")


class Image(Section):
    """The image that the backbone gets of a window."""

    frames: PositiveInt | None = Field(description="number of frames that a window is resized to; null: not resized")
    mels: PositiveInt | None = Field(description="number of mel bands that a window is resized to; null: not resized")
    frequency_channel: bool = Field(
        description="whether to add a channel with the position in frequency, -1 to 1; in networks for ImageNet, it "
        "replaces one of three identical channels"
    )
