"""Dawnchorus: find which species call in soundscape recordings."""

import os
import sys

# TensorFlow reads both variables once, on import. Level 2 keeps its notes on its build out of every log.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# Use oneDNN's kernels on every processor. TensorFlow enables them only on some, but they halve the time of a training
# step on others, too.
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"

# What computes is the project's own choice, whatever the user's environment says. The stages pass `train.backend` on.
_backend = os.environ.get("DAWNCHORUS_BACKEND", "tensorflow")
if _backend not in ("tensorflow", "jax"):
    sys.exit(f"error: DAWNCHORUS_BACKEND: found {_backend!r}, expected tensorflow or jax")
os.environ["KERAS_BACKEND"] = _backend
# These would limit or change a training. `models/backbone.py` overrides what Keras reads from the user's keras.json.
for _name in ("KERAS_MAX_EPOCHS", "KERAS_MAX_STEPS_PER_EPOCH", "KERAS_NNX_ENABLED"):
    os.environ.pop(_name, None)


class _KerasAlone:
    """Tells Keras that scikit-learn and matplotlib are missing, so that it leaves out parts that are not used here.

    It imports both wherever they are installed. That takes a third of the time in which a training starts.
    """

    @staticmethod
    def find_spec(name: str, *_: object) -> None:
        keras = sys.modules.get("keras")
        # Keras names its version last.
        if name.partition(".")[0] in ("matplotlib", "sklearn") and keras and not hasattr(keras, "__version__"):
            raise ModuleNotFoundError(f"{name} is not imported by Keras", name=name)


sys.meta_path.insert(0, _KerasAlone)
