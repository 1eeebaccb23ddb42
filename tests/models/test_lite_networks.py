"""Networks by LiteRT against Keras, and without TensorFlow."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from bundles import forget_file, make_bundle

from dawnchorus.config.params import Params
from dawnchorus.errors import InputError
from dawnchorus.models.bundle import read_bundle
from dawnchorus.models.lite_networks import load_lite_networks

SHAPE = (47, 32)  # frames and mel bands of a window of `tiny`


@pytest.mark.parametrize("backbone", ["small_cnn", "small_resnet"])
@pytest.mark.parametrize("threads", [1, 2])
def test_any_number_of_windows_scores_as_keras_scores_it(
    tiny: Params, tmp_path: Path, backbone: str, threads: int
) -> None:
    from dawnchorus.models.members import load_ensemble

    bundle = read_bundle(make_bundle(tmp_path / "model", tiny, backbone=backbone))
    model, scores = load_ensemble(bundle), load_lite_networks(bundle, threads)
    for size in (1, 5, 16, 5):
        windows = np.random.default_rng(size).normal(-60, 9, (size, *SHAPE)).astype(np.float32)
        expected = model.predict_on_batch(windows)
        assert expected.std() > 1e-4
        found = scores(windows)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, atol=1e-6)
        # So it makes no difference where a block of a recording ends, or how many cores there are.
        np.testing.assert_array_equal(found[-1:], load_lite_networks(bundle, 1)(windows[-1:]))


def test_tensorflow_and_keras_are_not_imported(tiny: Params, tmp_path: Path) -> None:
    make_bundle(tmp_path / "model", tiny)
    program = f"""
import sys
from pathlib import Path
import numpy as np
from dawnchorus.workflow.detection_task import _load
from dawnchorus.models.bundle import read_bundle
members = _load(read_bundle(Path("model")), 1, False, Path("log"))
assert members.networks(np.zeros((1, *{SHAPE}), np.float32)).shape == (1, 2)
print([name for name in ("tensorflow", "keras") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("[]\n", 0), done.stderr


def test_without_tensorflow_a_model_of_an_earlier_version_is_refused(tiny: Params, tmp_path: Path) -> None:
    forget_file(make_bundle(tmp_path / "model", tiny), "members/small_cnn-1.tflite")
    program = """
from pathlib import Path
from dawnchorus.models.bundle import read_bundle
from dawnchorus.workflow import detection_task
detection_task.find_spec = lambda name: None
try:
    detection_task._load(read_bundle(Path("model")), 1, False, Path("log"))
except detection_task.InputError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout == (
        "model: needs TensorFlow, which is not installed, because it has no LiteRT file of small_cnn-1; install "
        "dawnchorus[cpu]\n"
    ), done.stderr


def test_a_file_that_is_none_is_named(tiny: Params, tmp_path: Path) -> None:
    bundle = read_bundle(make_bundle(tmp_path / "model", tiny))
    (tmp_path / "model/members/small_cnn-1.tflite").write_bytes(b"TFL3, but no more")
    with pytest.raises(
        InputError, match=r"members/small_cnn-1\.tflite: cannot be read by LiteRT: .*; copy the model a"
    ):
        load_lite_networks(bundle, 1)
