"""Exported files: they score as the model, in another runtime, and what cannot be exported is refused."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import librosa
import numpy as np
import onnx
import pandas as pd
import pytest
import soundfile
from bundles import SPECIES, make_bundle, settings_of
from exported_files import run
from scipy.special import expit, logit
from tiny import ROOT, changed

from dawnchorus.config.params import Params
from dawnchorus.errors import InputError
from dawnchorus.export import comparison, exporting
from dawnchorus.export.comparison import Comparison, check_sounds, windows_of
from dawnchorus.export.exporting import export_model, label_lines
from dawnchorus.export.front_end import MelFrontEnd
from dawnchorus.export.litert import load_litert
from dawnchorus.export.request import SUFFIXES, Quantization, Request, Runner, Target
from dawnchorus.features.mel import mel_spectrogram
from dawnchorus.inference.streaming import score_recording
from dawnchorus.models.building import build_models
from dawnchorus.models.bundle import Bundle, Species, read_bundle
from dawnchorus.models.members import load_ensemble
from dawnchorus.models.shapes import Shapes

SOUNDS = check_sounds(144_000, 48_000)


@pytest.fixture(autouse=True)
def short_timing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "SECONDS_TO_TIME", 0.1)


@pytest.fixture(scope="module")
def bundle(params: Params, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A model with windows of 3 s at 48 kHz, as BirdNET's."""
    folder = tmp_path_factory.mktemp("export") / "model"
    return read_bundle(make_bundle(folder, params, 0.0, student="small_resnet"))


@pytest.fixture(scope="module")
def exported(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("exported") / "model.tflite"
    found = export_model(bundle, Request("litert"), path)
    assert found.sounds.difference <= 1e-4
    assert found.sounds.agreement > 0.99
    assert found.recordings is None
    assert found.n_bytes == path.stat().st_size
    assert found.times_real_time > 1
    return path


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A recording of one window."""
    soundfile.write(tmp_path / "a.wav", np.random.default_rng(0).normal(0, 0.1, 144_000), 48_000, subtype="FLOAT")
    return tmp_path / "a.wav"


@pytest.mark.parametrize(("n_fft", "hop"), [(2048, 1024), (2048, 500), (2000, 600), (509, 254)])
def test_the_front_end_is_librosas_with_any_length_of_a_frame(params: Params, n_fft: int, hop: int) -> None:
    settings = changed(params, {"spectrogram": {"n_fft": n_fft, "hop_length": hop}}).spectrogram
    sound = SOUNDS[-1]
    found = MelFrontEnd(settings, 60)(sound[None, :40_000]).numpy()[0]
    mel = librosa.feature.melspectrogram(
        y=sound[:40_000].astype(float),
        sr=48_000,
        n_fft=n_fft,
        hop_length=hop,
        n_mels=64,
        fmin=200,
        fmax=12_000,
        pad_mode="constant",
    )
    expected = librosa.power_to_db(mel, top_db=None).T[:60]
    # Decibels and the lowest of them are rounded to steps of 1/256.
    np.testing.assert_allclose(found[: len(expected)], expected - expected.min(), atol=1 / 256 + 1e-3)
    # Behind the sound is its lowest level.
    assert not found[len(expected) :].any()


@pytest.mark.parametrize("n_samples", [500, 49_151, 49_152, 49_153, 60_000, 143_999])
def test_a_file_scores_a_recording_shorter_than_a_window_as_detect_does(
    exported: Path, bundle: Bundle, params: Params, tmp_path: Path, n_samples: int
) -> None:
    samples = np.random.default_rng(0).normal(0, 0.1, n_samples).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", samples, 48_000, subtype="FLOAT")
    scorer = load_ensemble(bundle).predict_on_batch
    _, expected, _ = score_recording(scorer, tmp_path / "a.wav", settings_of(params), 1.5, "mean", 1)
    # Programs fill up with zeros.
    found = run(exported, np.pad(samples, (0, 144_000 - n_samples))[None])
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_file_scores_a_silent_recording_as_detect_does(
    exported: Path, bundle: Bundle, params: Params, tmp_path: Path
) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(60_000), 48_000)
    scorer = load_ensemble(bundle).predict_on_batch
    _, expected, _ = score_recording(scorer, tmp_path / "a.wav", settings_of(params), 1.5, "mean", 1)
    np.testing.assert_allclose(run(exported, np.zeros((1, 144_000), np.float32)), expected, atol=1e-4)


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
    table = pd.read_csv(exported.with_name("model_thresholds.csv"))
    assert list(table.species) == bundle.codes
    np.testing.assert_array_equal(table.threshold, pd.read_csv(bundle.thresholds).threshold)
    text = exported.with_name("model_README.md").read_text()
    assert "shape [batch, 144000]: 3 s at 48000 Hz" in text
    assert "small_cnn-0, small_cnn-1" in text
    assert "# A model\n" in text


def test_two_calls_of_a_species_have_labels_of_their_own(bundle: Bundle) -> None:
    names = {"scientific_name": "Turdus merula", "common_name": "Common Blackbird"}
    species = [Species(species=code, **names) for code in ("SONG", "ALARM")]
    species.append(Species(species="WREN", scientific_name="", common_name=""))
    assert label_lines(replace(bundle, info=bundle.info.model_copy(update={"species": species}))) == [
        "Turdus merula_Common Blackbird (SONG)", "Turdus merula_Common Blackbird (ALARM)", "WREN_WREN",
    ]  # fmt: skip


@pytest.mark.parametrize("target", ["litert", "onnx", "birdnet"])
@pytest.mark.parametrize("quantization", ["none", "float16", "int8"])
def test_each_kind_of_file_scores_as_the_model(
    exported: Path, bundle: Bundle, tmp_path: Path, target: Target, quantization: Quantization
) -> None:
    path = tmp_path / f"b{SUFFIXES[target]}"
    found = export_model(bundle, Request(target, quantization), path, SOUNDS[3:6])
    scores, other = run(exported, SOUNDS), run(path, SOUNDS)
    if target == "birdnet":
        # It gives log odds.
        other = expit(other)
    np.testing.assert_allclose(other, scores, atol={"none": 1e-4, "float16": 2e-3, "int8": 0.05}[quantization])
    assert found.sounds.difference == pytest.approx(np.abs(other - scores).max(), abs=1e-4)
    assert found.recordings is not None
    assert found.recordings.n_windows == 3
    if quantization != "none":
        assert found.n_bytes < {"float16": 0.6, "int8": 0.45}[quantization] * exported.stat().st_size
    if target == "onnx":
        content = onnx.load(path)
        onnx.checker.check_model(content, full_check=True)
        assert [each.name for each in content.graph.input] == ["samples"]


def test_members_can_be_chosen(bundle: Bundle, tmp_path: Path) -> None:
    both, first, second = (tmp_path / f"{name}.tflite" for name in ("both", "first", "second"))
    export_model(bundle, Request("litert"), both)
    # As an earlier export of all members left it.
    (tmp_path / "first_thresholds.csv").write_text("")
    export_model(bundle, Request("litert", members=["small_cnn-0"]), first)
    export_model(bundle, Request("litert", members=["small_cnn-1"]), second)
    np.testing.assert_allclose(run(both, SOUNDS), (run(first, SOUNDS) + run(second, SOUNDS)) / 2, atol=1e-6)
    # The model's thresholds are not for a member's scores.
    assert not (tmp_path / "first_thresholds.csv").exists()
    assert "- Thresholds: none." in (tmp_path / "first_README.md").read_text()
    with pytest.raises(
        InputError, match=r"has no member 'resnet-0'; expected one of small_cnn-0, small_cnn-1, student"
    ):
        export_model(bundle, Request("litert", members=["resnet-0"]), first)
    with pytest.raises(InputError, match="the student is no member of the ensemble; export it alone"):
        export_model(bundle, Request("litert", members=["student", "small_cnn-0"]), first)
    with pytest.raises(InputError, match=r"but not for small_cnn-0 alone; leave out --calibrated or --members"):
        export_model(bundle, Request("litert", members=["small_cnn-0"], is_calibrated=True), first)


def test_a_student_is_exported_with_its_own_thresholds(params: Params, bundle: Bundle, tmp_path: Path) -> None:
    export_model(bundle, Request("litert", members=["student"]), tmp_path / "a.tflite")
    network, _ = build_models("small_resnet", Shapes.of(params), len(SPECIES), 0.0, 2)
    network.load_weights(bundle.folder / "student.weights.h5")
    # They have no zeros at the end.
    sounds = SOUNDS[3:]
    windows = np.stack([mel_spectrogram(each, params.spectrogram)[:141] for each in sounds])
    expected = network.predict_on_batch(np.round(windows * 256) / 256)
    np.testing.assert_allclose(run(tmp_path / "a.tflite", sounds), expected, atol=1e-4)
    table = pd.read_csv(tmp_path / "a_thresholds.csv")
    np.testing.assert_array_equal(table.threshold, pd.read_csv(bundle.folder / "student_thresholds.csv").threshold)


@pytest.mark.parametrize("target", ["onnx", "birdnet"])
def test_probabilities_are_those_of_the_models_calibration(
    exported: Path, bundle: Bundle, tmp_path: Path, target: Target
) -> None:
    path = tmp_path / f"b{SUFFIXES[target]}"
    export_model(bundle, Request(target, is_calibrated=True), path)
    scores, found = run(exported, SOUNDS).astype(float), run(path, SOUNDS)
    found = expit(found) if target == "birdnet" else found
    # The slope, offset and prevalence that `make_bundle` sets for the first species.
    expected = expit(1.2 * logit(scores[:, 0]) + 0.5 + logit(0.1))
    np.testing.assert_allclose(found[:, 0], expected, atol=1e-4)
    # The prevalence of the second is unknown.
    np.testing.assert_allclose(found[:, 1], 0, atol=1e-6)
    table = pd.read_csv(tmp_path / "b_thresholds.csv")
    assert table.threshold[0] == pytest.approx(0, abs=1e-9)
    assert "probabilities" in (tmp_path / "b_README.md").read_text()


@pytest.mark.parametrize(
    ("quantization", "wrong", "message"),
    [
        ("none", 1.5e-4, r"by up to 0\.0001\d, expected at most 0\.0001;"),
        ("float16", 4e-3, r"by up to 0\.00\d+, expected at most 0\.002;"),
        ("none", np.nan, r"by up to nan, expected at most 0\.0001;"),
    ],
)
def test_a_file_with_one_wrong_score_is_not_written(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quantization: Quantization, wrong: float,
    message: str,
) -> None:  # fmt: skip
    def load(path: Path) -> Runner:
        scores = load_litert(path)
        return lambda samples: scores(samples) + (np.array([0, wrong]) if (samples == SOUNDS[4]).all() else 0)

    monkeypatch.setattr(exporting, "load_litert", load)
    with pytest.raises(InputError, match=rf"b\.tflite: its scores differ from those of .*model {message}"):
        export_model(bundle, Request("litert", quantization), tmp_path / "b.tflite")
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_not_written_without_sound_to_compare_it_on(bundle: Bundle, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no recording with any sound to compare it on"):
        export_model(bundle, Request("litert"), tmp_path / "b.tflite", [])
    assert list(tmp_path.iterdir()) == []


def test_sound_beyond_the_range_of_the_store_scores_as_in_detect(
    exported: Path, bundle: Bundle, params: Params, tmp_path: Path
) -> None:
    """Floats on the scale of integers may be so loud."""
    tone = np.sin(2 * np.pi * 3000 * np.arange(144_000) / 48_000)
    samples = (9e4 * (tone + 0.1 * SOUNDS[5])).astype(np.float32)
    assert mel_spectrogram(samples, params.spectrogram).max() > 130
    soundfile.write(tmp_path / "a.wav", samples, 48_000, subtype="FLOAT")
    scorer = load_ensemble(bundle).predict_on_batch
    _, expected, _ = score_recording(scorer, tmp_path / "a.wav", settings_of(params), 1.5, "mean", 1)
    np.testing.assert_allclose(run(exported, samples[None]), expected, atol=1e-4)


def test_what_cannot_be_exported_is_refused_with_the_reason(tiny: Params, tmp_path: Path) -> None:
    short = read_bundle(make_bundle(tmp_path / "short", tiny))
    with pytest.raises(InputError, match=r"takes 96000 samples at 48000 Hz, but programs for BirdNET 2\.4 give 144000"):
        export_model(short, Request("birdnet"), tmp_path / "a.tflite")
    with pytest.raises(InputError, match=r"has no student; name the student's backbone in `student` in params\.yaml"):
        export_model(short, Request("litert", members=["student"]), tmp_path / "a.tflite")
    with pytest.raises(InputError, match=r"a\.onnx: expected a file name that ends in \.tflite"):
        export_model(short, Request("litert"), tmp_path / "a.onnx")


def test_a_comparison_counts_ranks_and_detections() -> None:
    expected = np.array([[0.1, 0.5], [0.2, 0.5], [0.3, 0.5], [0.4, 0.5]])
    found = expected + np.array([[0, 0], [0, 0], [0.2, 0], [0, 0.1]])
    thresholds = np.array([0.35, np.nan])
    # One of six pairs of windows has the other order: (5 - 1) / 6. The second species has no ranks.
    result = Comparison.of(found, expected, thresholds)
    assert (result.n_windows, result.detections, result.lost, result.added) == (4, 1, 0, 1)
    assert result.difference == pytest.approx(0.2)
    assert result.typical == pytest.approx(0.193)
    assert result.agreement == result.least_agreement == pytest.approx(4 / 6)


def test_a_recording_is_cut_into_windows_at_the_models_rate(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    stereo = rng.normal(0, 0.1, (int(2.5 * 44_100), 2))
    soundfile.write(tmp_path / "a.wav", stereo, 44_100, subtype="FLOAT")
    windows = list(windows_of(tmp_path / "a.wav", 48_000, "mean", 48_000))
    assert [len(each) for each in windows] == [48_000] * 3
    assert not windows[-1][24_000:].any()
    assert windows[-1][:23_990].std() == pytest.approx(0.1 / np.sqrt(2), rel=0.1)


def test_the_program_of_the_page_hears_a_microphone_as_it_hears_a_file(
    exported: Path, recording: Path, tmp_path: Path
) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/export.md").read_text(), re.DOTALL)
    (tmp_path / "program.py").write_text(program)
    samples, rate = soundfile.read(recording, dtype="int16")
    # Two windows and a part of one.
    samples = np.concatenate([samples, samples, samples[: len(samples) // 3]])
    soundfile.write(tmp_path / "b.wav", samples, rate, subtype="PCM_16")
    by_file, by_pipe = (
        subprocess.run([sys.executable, tmp_path / "program.py", exported, *more], capture_output=True, check=True,
                       input=sound).stdout.decode().splitlines()
        for more, sound in (([tmp_path / "b.wav"], b""), (["-", str(rate)], samples.tobytes()))
    )  # fmt: skip
    assert by_pipe == by_file
    step = len(soundfile.read(recording)[0]) / rate / 2
    assert [line.split()[0] for line in by_file] == [f"{number * step:.1f}" for number in range(4)]


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
