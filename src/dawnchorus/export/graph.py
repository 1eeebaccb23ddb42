"""The graph that is exported: from samples to what a program expects."""

from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np
from keras import ops

from dawnchorus.config.model import ModelSettings
from dawnchorus.export.front_end import MelFrontEnd
from dawnchorus.inference.thresholds import WindowModel
from dawnchorus.models.shapes import Shapes

# Log odds are as large as this at most, as those of a float32 close to 1.
MOST_ODDS = 16.0


@dataclass(frozen=True)
class Output:
    """What a file gives for each species.

    Attributes:
        is_log_odds: whether it gives log odds, instead of numbers from 0 to 1.
        probabilities: turns scores into probabilities; None to give scores.
    """

    is_log_odds: bool
    probabilities: WindowModel | None


def samples_of(settings: ModelSettings) -> int:
    """The number of samples that an exported file takes: those of a window."""
    return round(settings.window.seconds * settings.spectrogram.sample_rate)


def build_graph(
    networks: keras.Model | None, heads: Sequence[keras.layers.Layer], settings: ModelSettings, output: Output
) -> keras.Model:
    """A model from samples (Batch, Samples) to scores, probabilities or log odds (Batch, Species).

    A species whose probability is unknown gets 0.

    Args:
        networks: windows (Batch, Frames, Mels) in dB -> scores (Batch, Species); None if there are none.
        heads: samples (Batch, Samples) -> scores (Batch, Species), which are added to those.
        settings: of the model.
        output: what it gives.
    """
    samples = keras.Input((samples_of(settings),), dtype="float32", name="samples")
    scores = [head(samples) for head in heads]
    if networks is not None:
        front_end = MelFrontEnd(settings.spectrogram, Shapes.of(settings).window[0], name="front_end")
        scores.append(networks(front_end(samples)))
    found = keras.layers.add(scores) if len(scores) > 1 else scores[0]
    if output.is_log_odds or output.probabilities is not None:
        # A score of 1 is the float32 before it.
        odds = ops.log(ops.maximum(found, 1e-12)) - ops.log(ops.maximum(1 - found, 2.0**-24))
        if output.probabilities is not None:
            odds = Calibrate(output.probabilities, name="calibrate")(odds)
        odds = ops.clip(odds, -MOST_ODDS, MOST_ODDS)
        found = odds if output.is_log_odds else ops.sigmoid(odds)
    model = keras.Model(samples, keras.layers.Identity(name="predictions")(found))
    # Keras exports only a model that was called.
    model(np.zeros((1, samples_of(settings)), np.float32))
    return model


class Calibrate(keras.layers.Layer):
    """Log odds of scores (Batch, Species) -> those of probabilities, as `WindowModel.probabilities`."""

    def __init__(self, model: WindowModel, **kwargs: object) -> None:
        super().__init__(dtype="float32", **kwargs)
        known = ~np.isnan(model.prevalence)
        prevalence = np.where(known, model.prevalence, 0.5)
        offsets = model.calibration.offsets + np.log(prevalence) - np.log1p(-prevalence)
        self.slopes = np.where(known, model.calibration.slopes, 0).astype(np.float32)
        self.offsets = np.where(known, offsets, -MOST_ODDS).astype(np.float32)

    def call(self, odds: keras.KerasTensor) -> keras.KerasTensor:
        """Keras calls it."""
        return odds * self.slopes + self.offsets
