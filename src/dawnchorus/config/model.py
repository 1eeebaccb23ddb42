"""What a trained model needs of the parameters that it was trained with."""

from typing import Literal

from pydantic import Field

from dawnchorus.config.detect import Detect
from dawnchorus.config.features import Embedding
from dawnchorus.config.head import Head
from dawnchorus.config.predict import Predict
from dawnchorus.config.section import PositiveInt, Section
from dawnchorus.config.spectrogram import Spectrogram
from dawnchorus.config.window import Image, Window


class ModelSettings(Section):
    """The settings of a trained model, which its bundle holds."""

    spectrogram: Spectrogram
    # A model from before there were embeddings has none.
    features: dict[str, Embedding] = Field(default_factory=dict)
    window: Window
    image: Image
    head: Head
    predict: Predict
    detect: Detect
    channel: Literal["mean"] | PositiveInt
