"""Heads on embeddings inside an exported graph, together with the frozen model that they hear through."""

from collections.abc import Sequence
from pathlib import Path

import keras
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from dawnchorus.config.features import BIRDNET, Embedding
from dawnchorus.config.model import ModelSettings
from dawnchorus.export.graph import samples_of
from dawnchorus.export.request import Target
from dawnchorus.features.embedders import BIRDNET_LICENCE, model_path, n_samples, saved_model_function
from dawnchorus.models.embedding_heads import EmbeddingHeads


def not_embeddable(settings: ModelSettings, embedding: Embedding, target: Target) -> str:
    """Why a file cannot hold a frozen model; empty if it can.

    Args:
        settings: of the trained model.
        embedding: of the frozen model.
        target: the kind of file.
    """
    if target != "litert":
        return "a file that holds it was tried as a LiteRT file with scores only; export --to litert"
    kind = {".onnx": "an ONNX", ".tflite": "a LiteRT"}.get(Path(embedding.model).suffix.lower())
    if embedding.model != BIRDNET and kind is not None:
        return f"it is {kind} file; an exported file can hold a frozen model only if that is a folder with a SavedModel"
    rate = settings.spectrogram.sample_rate
    if embedding.sample_rate != rate or n_samples(embedding) != samples_of(settings):
        return (
            f"it takes {embedding.seconds:g} s at {embedding.sample_rate} Hz, but an exported file takes a window of "
            f"{settings.window.seconds:g} s at {rate} Hz; train with window.seconds: {embedding.seconds:g} and "
            f"spectrogram.sample_rate: {embedding.sample_rate}"
        )
    return ""


def sharing_terms(heads: Sequence[EmbeddingHeads]) -> list[str]:
    """Lines on how a file with frozen models inside may be shared."""
    return [
        f"{BIRDNET_LICENCE} This file holds BirdNET: it may be shared only under the same licence, and not commercially"
        if each.settings.model == BIRDNET
        else f"this file holds {each.settings.model}: it may be shared only as the licence of that model says"
        for each in heads
    ]


class HeadScores(keras.layers.Layer):
    """Samples (Batch, Samples) -> the weighted sum of the scores of heads on one embedding (Batch, Species)."""

    def __init__(self, heads: EmbeddingHeads, **kwargs: object) -> None:
        super().__init__(dtype="float32", **kwargs)
        self.heads = heads.heads
        embed = saved_model_function(model_path(heads.settings), heads.settings.output)
        samples = tf.TensorSpec((None, n_samples(heads.settings)), tf.float32)
        function = tf.function(embed, [samples], autograph=False)
        # Keras exports only variables of its own layers.
        self.embed = convert_variables_to_constants_v2(function.get_concrete_function())

    def call(self, samples: tf.Tensor) -> tf.Tensor:
        """Keras calls it."""
        # Heads were trained on vectors from the store.
        (vectors,) = (_half_precision(each) for each in tf.nest.flatten(self.embed(samples)))
        roots = tf.sign(vectors) * tf.sqrt(tf.abs(vectors))
        return tf.add_n(
            [
                weight * tf.sigmoid(tf.matmul(roots, tf.constant(head.weights)) + tf.constant(head.bias))
                for head, weight in self.heads
            ]
        )


def _half_precision(values: tf.Tensor) -> tf.Tensor:
    """Round to the 11 bits of half precision (Dekker 1971). A converter may drop a cast there and back."""
    spread = values * 8192.0 + values
    return spread - (spread - values)
