"""Shapes of windows and images."""

from dataclasses import dataclass

from dawnchorus.config.model import ModelSettings
from dawnchorus.config.params import Params
from dawnchorus.features.frames import to_frames


@dataclass(frozen=True)
class Shapes:
    """The shapes of a window and of its image.

    Attributes:
        window: (Frames, Mels) of a window as it is cut from a spectrogram.
        image: (Frames, Mels) of the image that a window is resized to.
    """

    window: tuple[int, int]
    image: tuple[int, int]

    @classmethod
    def of(cls, params: Params | ModelSettings) -> "Shapes":
        """The shapes that an experiment or a trained model uses."""
        frames, mels = to_frames(params.window.seconds, params.spectrogram), params.spectrogram.n_mels
        return cls((frames, mels), (params.image.frames or frames, params.image.mels or mels))
