"""The sections `window` and `image`: what the model sees."""

from pydantic import Field

from dawnchorus.config.section import PositiveFloat, PositiveInt, Section


class Window(Section):
    """The stretch of a recording that the model sees."""

    seconds: PositiveFloat = Field(description="length, s")


class Image(Section):
    """What the network gets of a window."""

    frames: PositiveInt | None = Field(description="columns that its frames are resized to; null keeps them")
    mels: PositiveInt | None = Field(description="rows that its mel bands are resized to; null keeps them")
    frequency_channel: bool = Field(
        description="whether another channel holds the position in frequency, -1 to 1; with ImageNet's networks in "
        "place of one of three that are alike"
    )
