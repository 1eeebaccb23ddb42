"""Shapes of windows and images."""

from dataclasses import dataclass

from dawnchorus.config.params import Params
from dawnchorus.features.frames import to_frames


@dataclass(frozen=True)
class Shapes:
    """What a window becomes on its way into the network.

    Attributes:
        window: (Frames, Mels) of a window as it is cut out of a spectrogram.
        image: (Frames, Mels) of the image that it is resized to.
    """

    window: tuple[int, int]
    image: tuple[int, int]

    @classmethod
    def of(cls, params: Params) -> "Shapes":
        """The shapes of an experiment."""
        frames, mels = to_frames(params.window.seconds, params.spectrogram), params.spectrogram.n_mels
        return cls((frames, mels), (params.image.frames or frames, params.image.mels or mels))
