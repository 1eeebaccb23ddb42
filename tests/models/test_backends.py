"""Every backbone on Keras's other backends, if they are installed."""

import importlib.util
import os
import subprocess
import sys

import pytest

from dawnchorus.models.declarations import backbone_names

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


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
@pytest.mark.parametrize("backbone", backbone_names())
def test_models_are_built_on_other_backends_without_tensorflow(backend: str, backbone: str) -> None:
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    command = [sys.executable, "-c", BUILD, backbone]
    done = subprocess.run(command, env=os.environ | {"KERAS_BACKEND": backend}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
