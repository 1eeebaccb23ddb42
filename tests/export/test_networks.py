"""LiteRT files of networks: one that would score otherwise, or not at all, is not written, and the log says why."""

from pathlib import Path

import keras
import numpy as np
import pytest

from dawnchorus.export.networks import write_lite_network
from dawnchorus.litert import LiteModel


def network_of(layer: keras.Layer) -> keras.Model:
    """A network of a layer and the mean over time and frequency."""
    windows = keras.Input((47, 32))
    return keras.Model(windows, keras.layers.GlobalAveragePooling1D()(layer(windows)), name="own")


def test_a_network_becomes_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_lite_network(network_of(keras.layers.Rescaling(1 / 100)), "own-0", tmp_path / "a.tflite")
    assert (tmp_path / "a.tflite").read_bytes()[4:8] == b"TFL3"
    assert "LiteRT file, so" not in capsys.readouterr().err


class Unknown(keras.layers.Layer):
    """An operation that LiteRT does not have."""

    def call(self, x: object) -> object:
        """Bessel's function of the levels."""
        import tensorflow as tf

        return tf.math.bessel_i0e(x)


def test_a_network_that_litert_cannot_run_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_lite_network(network_of(Unknown()), "own-0", tmp_path / "a.tflite")
    told = capsys.readouterr().err
    assert "own-0: has no LiteRT file, so `dawnchorus detect` needs TensorFlow for it: " in told
    assert "BesselI0e" in told
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("wrong", [2e-4, np.nan])
def test_a_file_with_wrong_scores_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], wrong: float
) -> None:
    score = LiteModel.__call__
    monkeypatch.setattr(LiteModel, "__call__", lambda *given: score(*given) + wrong)
    write_lite_network(network_of(keras.layers.Rescaling(1 / 100)), "own-0", tmp_path / "a.tflite")
    assert f"its scores would differ by up to {'nan' if np.isnan(wrong) else '0.0002'}" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_no_fault_of_the_network(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        write_lite_network(network_of(keras.layers.Rescaling(1 / 100)), "own-0", tmp_path / "gone/a.tflite")
