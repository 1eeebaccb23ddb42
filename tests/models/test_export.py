"""Exported files: they score as the model, in another runtime, and what cannot be exported is refused."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from ai_edge_litert.interpreter import Interpreter
from bundles import SPECIES, make_bundle, settings_of
from tiny import ROOT, changed

from dawnchorus.config.params import Params
from dawnchorus.errors import InputError
from dawnchorus.inference.streaming import score_recording
from dawnchorus.models.bundle import Bundle, read_bundle
from dawnchorus.models.export import Quantization, check_sounds, export_model, samples_of
from dawnchorus.models.members import load_ensemble


@pytest.fixture(scope="module")
def bundle(params: Params, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A model with windows of 3 s at 48 kHz, as BirdNET's."""
    return read_bundle(make_bundle(tmp_path_factory.mktemp("export") / "model", changed(params, {"seed": 1}), 0.0))


@pytest.fixture(scope="module")
def exported(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("exported") / "model.tflite"
    found = export_model(bundle, "litert", "none", path, check_sounds(samples_of(bundle), 48_000))
    assert found.difference <= 1e-4
    assert found.agreement > 0.999
    assert found.n_bytes == path.stat().st_size
    assert found.times_real_time > 1
    return path


def run(path: Path, samples: np.ndarray) -> np.ndarray:
    interpreter = Interpreter(str(path))
    interpreter.resize_tensor_input(interpreter.get_input_details()[0]["index"], samples.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], samples)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A recording of one window, with noise that ends early."""
    samples = np.random.default_rng(0).normal(0, 0.1, 144_000) * (np.arange(144_000) < 100_000)
    soundfile.write(tmp_path / "a.wav", samples, 48_000, subtype="FLOAT")
    return tmp_path / "a.wav"


def test_a_file_scores_a_recording_as_detect_does(
    exported: Path, bundle: Bundle, params: Params, recording: Path
) -> None:
    samples = soundfile.read(recording, dtype="float32")[0]
    scorer = load_ensemble(bundle).predict_on_batch
    _, (expected,), _ = score_recording(scorer, recording, settings_of(params), 1.5, "mean", 1)
    # Several at once score as one.
    found = run(exported, np.stack([samples, 0 * samples, samples]))
    np.testing.assert_allclose(found[[0, 2]], [expected, expected], atol=1e-4)
    assert exported.with_name("model_Labels.txt").read_text().splitlines() == [
        "Setophaga virens_Black-throated Green Warbler", f"{SPECIES[1].species}_{SPECIES[1].species}",
    ]  # fmt: skip
    assert exported.with_name("model_thresholds.csv").read_bytes() == bundle.thresholds.read_bytes()
    text = exported.with_name("model_README.md").read_text()
    assert "shape [batch, 144000]: 3 s at 48000 Hz" in text
    assert "# A model\n" in text


@pytest.mark.parametrize("quantization", ["none", "float16"])
def test_a_file_for_birdnets_programs_gives_log_odds(
    exported: Path, bundle: Bundle, tmp_path: Path, quantization: Quantization
) -> None:
    sounds = check_sounds(samples_of(bundle), 48_000)
    found = export_model(bundle, "birdnet", quantization, tmp_path / "b.tflite", sounds)
    assert found.difference <= (1e-4 if quantization == "none" else 2e-3)
    scores, odds = run(exported, sounds), run(tmp_path / "b.tflite", sounds)
    np.testing.assert_allclose(1 / (1 + np.exp(-odds)), scores, atol=3e-3)
    if quantization == "float16":
        assert found.n_bytes < 0.6 * exported.stat().st_size


def test_a_file_is_only_written_where_its_scores_are_the_models(bundle: Bundle, tmp_path: Path) -> None:
    wrong = np.full((1, samples_of(bundle)), np.nan, np.float32)
    with pytest.raises(InputError, match=r"b\.tflite: its scores differ .* by up to nan, expected at most 0\.0001"):
        export_model(bundle, "litert", "none", tmp_path / "b.tflite", wrong)
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_exported_is_refused_with_the_reason(tiny: Params, tmp_path: Path) -> None:
    short = read_bundle(make_bundle(tmp_path / "short", tiny))
    sounds = check_sounds(samples_of(short), 48_000)
    with pytest.raises(InputError, match=r"takes 96000 samples at 48000 Hz, but programs for BirdNET 2\.4 give 144000"):
        export_model(short, "birdnet", "none", tmp_path / "a.tflite", sounds)
    with pytest.raises(InputError, match=r"a\.onnx: expected a file name that ends in \.tflite"):
        export_model(short, "litert", "none", tmp_path / "a.onnx", sounds)
    odd = read_bundle(
        make_bundle(tmp_path / "odd", changed(tiny, {"spectrogram": {"n_fft": 2000, "hop_length": 1000}}))
    )
    with pytest.raises(InputError, match=r"n_fft is 2000; LiteRT's Fourier transform needs a power of two"):
        export_model(odd, "litert", "none", tmp_path / "a.tflite", sounds)


def test_the_program_of_the_page_finds_what_scores_above_thresholds(
    exported: Path, recording: Path, tmp_path: Path
) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/export.md").read_text(), re.DOTALL)
    (tmp_path / "program.py").write_text(program)
    done = subprocess.run(
        [sys.executable, tmp_path / "program.py", exported, recording], capture_output=True, text=True, check=True
    )
    # The model's first species has the threshold 0, and the second none.
    lines = done.stdout.splitlines()
    assert [line.split("  ")[:2] for line in lines] == [["0.0 s", "Setophaga virens_Black-throated Green Warbler"]]
    score = run(exported, soundfile.read(recording, dtype="float32")[0][None])[0, 0]
    assert float(lines[0].split()[-1]) == pytest.approx(score, abs=0.006)
