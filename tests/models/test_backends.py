"""Every backbone on Keras's other backend, if it is installed; and no settings but the project's own."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tiny import ROOT, changed

from dawnchorus.config.params import Params
from dawnchorus.errors import InputError
from dawnchorus.models.declarations import backbone_names, require_backend

BUILD = """
import sys

from dawnchorus.models.building import build_models
from dawnchorus.models.shapes import Shapes

for frequency_channel in (False, True):
    scorer, trainer = build_models(
        sys.argv[1], Shapes((120, 100), (96, 96)), 5, 0.25, 1, frequency_channel, "log_mean_exp", frames=True
    )
    assert scorer.output_shape == (None, 5)
    assert trainer.output_shape == (None, 2, 5)
sys.exit("tensorflow" in sys.modules)
"""
SETTINGS = """
import json
import sys

from dawnchorus.models.building import build_models
from dawnchorus.models.shapes import Shapes
import keras

scorer, _ = build_models("small_cnn", Shapes((40, 32), (40, 32)), 5, 0.0, 1)
print(json.dumps([
    keras.config.backend(), keras.config.floatx(), keras.config.epsilon(), keras.config.image_data_format(),
    scorer.get_layer("head").dtype_policy.name, keras.config.max_epochs(), keras.config.max_steps_per_epoch(),
    {"matplotlib", "sklearn"} & sys.modules.keys() or None,
]))
# Keras leaves these out, but they are there for others.
import matplotlib.pyplot, sklearn.metrics
"""


def python(program: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program with additional environment variables."""
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")} | environment, capture_output=True, text=True,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("backbone", backbone_names())
def test_models_are_built_on_jax_without_tensorflow(backbone: str) -> None:
    if importlib.util.find_spec("jax") is None:
        pytest.skip("jax is not installed")
    done = python(BUILD, backbone, DAWNCHORUS_BACKEND="jax")
    assert done.returncode == 0, done.stderr


def test_no_setting_of_the_users_own_chooses_what_computes(tmp_path: Path) -> None:
    settings = {"floatx": "float16", "epsilon": 0.1, "backend": "torch", "image_data_format": "channels_first"}
    (tmp_path / "keras.json").write_text(json.dumps(settings))
    limits = {"KERAS_MAX_EPOCHS": "1", "KERAS_MAX_STEPS_PER_EPOCH": "1"}
    for environment in ({"KERAS_HOME": str(tmp_path)}, {"KERAS_BACKEND": "torch"}, limits):
        done = python(SETTINGS, **environment)
        assert json.loads(done.stdout or "null") == [
            "tensorflow",
            "float32",
            1e-7,
            "channels_last",
            "float32",
            None,
            None,
            None,
        ], done.stderr
        assert done.returncode == 0, done.stderr  # fmt: skip


def test_a_backend_that_the_project_does_not_know_is_refused(params: Params) -> None:
    done = python("import dawnchorus", DAWNCHORUS_BACKEND="torch")
    assert done.returncode == 1
    assert done.stderr == "error: DAWNCHORUS_BACKEND: found 'torch', expected tensorflow or jax\n"
    require_backend(params)
    if importlib.util.find_spec("jax") is None:
        with pytest.raises(InputError, match=r"train\.backend: jax is not installed"):
            require_backend(changed(params, {"train": {"backend": "jax"}}))
