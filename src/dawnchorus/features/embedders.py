"""Frozen models that turn sound into vectors: a SavedModel, ONNX or LiteRT file, checked when it is loaded.

Their libraries take seconds to import and are optional, so each is imported where it is used.
"""

import hashlib
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dawnchorus.config.features import BIRDNET, Embedding
from dawnchorus.errors import InputError
from dawnchorus.litert import LiteModel

if TYPE_CHECKING:
    import tensorflow as tf

# BirdNET's weights in the package that the extra `birdnet` installs.
BIRDNET_PACKAGE, BIRDNET_FOLDER = "audioclass", "data/BirdNET_GLOBAL_6K_V2.4"
BIRDNET_LICENCE = (
    "BirdNET 2.4 by the K. Lisa Yang Center for Conservation Bioacoustics and Chemnitz University of Technology is "
    "licensed under CC BY-NC-SA 4.0: what is made with it may not be used commercially, and is shared alike."
)
PROBE = 2

# Samples (Batch, Samples) -> vectors (Batch, Channels), both float32.
Embedder = Callable[[NDArray[np.float32]], NDArray[np.float32]]


def model_path(settings: Embedding, remedy: str = "correct features in params.yaml, or put the model there") -> Path:
    """The file or folder of a model.

    Args:
        settings: of the model.
        remedy: what the error message tells the user to do if it does not exist.

    Raises:
        InputError: it does not exist, or BirdNET's package is not installed.
    """
    if settings.model == BIRDNET:
        found = importlib.util.find_spec(BIRDNET_PACKAGE)
        if found is None or not found.submodule_search_locations:
            raise InputError(
                "embeddings: BirdNET is not installed; run `make env BIRDNET=1`, or, without the "
                "repository, install dawnchorus[cpu,birdnet]; both need Python 3.11. Its weights are licensed under "
                "CC BY-NC-SA 4.0"
            )
        return Path(found.submodule_search_locations[0], BIRDNET_FOLDER)
    path = Path(settings.model)
    if not path.exists():
        raise InputError(f"{path}: does not exist; {remedy}")
    return path


def model_digest(settings: Embedding) -> str:
    """The SHA-256 hash of a model's files, which tells whether heads were trained on it.

    Raises:
        InputError: as in `model_path`.
    """
    path = model_path(settings)
    digest = hashlib.sha256()
    for file in sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]:
        digest.update(file.relative_to(path).as_posix().encode())
        with file.open("rb") as content:
            digest.update(hashlib.file_digest(content, "sha256").digest())
    return digest.hexdigest()


def n_samples(settings: Embedding) -> int:
    """The number of samples of a model's input."""
    return round(settings.sample_rate * settings.seconds)


def load_embedder(settings: Embedding) -> Embedder:
    """Load a model, and check that it takes the declared samples and returns a vector of each.

    Raises:
        InputError: the model cannot be read, its library is not installed, or it takes or returns something else.
    """
    path = model_path(settings)
    loaders = {".onnx": _onnx, ".tflite": _litert}
    loader = _saved_model if path.is_dir() else loaders.get(path.suffix.lower())
    if loader is None:
        raise InputError(f"{path}: expected a folder with a SavedModel, or a file that ends in .onnx or .tflite")
    try:
        embed = loader(path, settings.output)
        # A model may return something else than numbers.
        found = np.asarray(embed(np.zeros((PROBE, n_samples(settings)), np.float32)), np.float32)
    except InputError:
        raise
    except ImportError as error:
        raise InputError(f"{path}: needs the library {error.name}; install it into .venv with pip or uv") from error
    # Each library raises exceptions of its own for damaged files and for inputs of another shape.
    except Exception as error:
        reason = str(error).strip().split("\n")[0]
        raise InputError(
            f"{path}: cannot embed {n_samples(settings)} samples ({settings.seconds:g} s at {settings.sample_rate} "
            f"Hz): {reason}; correct features in params.yaml, or the model"
        ) from error
    if found.ndim != 2 or len(found) != PROBE or not np.isfinite(found).all():
        raise InputError(
            f"{path}: the output {settings.output} of {PROBE} silent inputs has the shape {found.shape}, expected "
            f"({PROBE}, channels) of finite numbers; correct output or seconds under features in params.yaml"
        )
    return embed


def saved_model_function(path: Path, output: str) -> "Callable[[tf.Tensor], tf.Tensor]":
    """Load the function of a SavedModel from samples (Batch, Samples) to an output (Batch, Channels).

    Raises:
        InputError: it has no such output, or takes something else beside samples.
    """
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))
    signatures = loaded.signatures
    outputs = {name: list(function.structured_outputs) for name, function in signatures.items()}
    chosen = next((name for name, names in outputs.items() if output in names), None)
    if chosen is None:
        raise InputError(_no_output(path, output, [name for names in outputs.values() for name in names]))
    names = list(signatures[chosen].structured_input_signature[1])
    if len(names) != 1:
        raise InputError(f"{path}: takes {len(names)} inputs, {', '.join(names)}; expected one, the samples")

    def function(samples: tf.Tensor) -> tf.Tensor:
        # Its variables live as long as what was loaded.
        return loaded.signatures[chosen](**{names[0]: samples})[output]

    return function


def _saved_model(path: Path, output: str) -> Embedder:
    import tensorflow as tf

    function = saved_model_function(path, output)
    return lambda samples: np.asarray(function(tf.constant(samples)))


def _onnx(path: Path, output: str) -> Embedder:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=onnxruntime.get_available_providers())
    outputs = [each.name for each in session.get_outputs()]
    if output not in outputs:
        raise InputError(_no_output(path, output, outputs))
    name = session.get_inputs()[0].name
    return lambda samples: session.run([output], {name: samples})[0]


def _litert(path: Path, output: str) -> Embedder:
    model = LiteModel(path)
    if output not in model.outputs:
        raise InputError(_no_output(path, output, list(model.outputs)))
    return lambda samples: model(samples, output)


def _no_output(path: Path, output: str, found: list[str]) -> str:
    return f"{path}: has no output {output}; set output under features in params.yaml to one of {', '.join(found)}"
