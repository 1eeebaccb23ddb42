"""Programs that are not ours take exported files, and score recordings as the model does."""

from pathlib import Path

import birdnet
import numpy as np
import pytest
import soundfile
from bundles import make_bundle
from sounds import calls
from tiny import changed

from dawnchorus.config.params import Params
from dawnchorus.errors import InputError
from dawnchorus.export import comparison
from dawnchorus.export.comparison import windows_of
from dawnchorus.export.exporting import export_model
from dawnchorus.export.request import SUFFIXES, Request, Target
from dawnchorus.inference.streaming import score_recording
from dawnchorus.models.bundle import Bundle, Species, read_bundle
from dawnchorus.models.members import load_ensemble


def species(number: int) -> list[Species]:
    return [Species(species=f"s{n}", scientific_name=f"Genus species{n}", common_name="") for n in range(number)]


def scores_of_model(bundle: Bundle, path: Path) -> np.ndarray:
    """The scores that `detect` gives the windows of a recording, each as a recording of its own, without overlap."""
    scorer, found = load_ensemble(bundle).predict_on_batch, []
    for number, samples in enumerate(windows_of(path, 48_000, "mean", 144_000)):
        alone = path.with_name(f"{path.stem}_{number}.flac.wav")
        soundfile.write(alone, np.trim_zeros(samples, "b") if samples.any() else samples, 48_000, subtype="FLOAT")
        found.append(score_recording(scorer, alone, bundle.info.settings, 3.0, "mean", 1)[1][0])
    return np.array(found)


@pytest.fixture(autouse=True)
def short_timing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "SECONDS_TO_TIME", 0.1)


@pytest.mark.slow
def test_birdnets_package_scores_as_the_model(params: Params, tmp_path: Path) -> None:
    folder = make_bundle(tmp_path / "model", params, species=species(24))
    bundle = read_bundle(folder)
    file = tmp_path / "exported.tflite"
    export_model(bundle, Request("birdnet"), file)
    sound, _ = calls(8)
    recordings = {
        # Longer than a window, and not a whole number of windows.
        "long": (sound, 48_000),
        "short": (sound[:60_000], 48_000),
        "silent": (np.zeros(144_000), 48_000),
        # Another rate, and two channels.
        "stereo": (np.stack([sound, 0.5 * sound], axis=1), 44_100),
    }
    paths = [tmp_path / f"{name}.wav" for name in recordings]
    for path, (samples, rate) in zip(paths, recordings.values(), strict=True):
        soundfile.write(path, samples, rate, subtype="FLOAT")
    host = birdnet.load_custom("acoustic", "2.4", "tf", file, tmp_path / "exported_Labels.txt")
    found = host.predict(paths, top_k=None, default_confidence_threshold=None, n_workers=1)
    table = found.to_dataframe()
    labels = (tmp_path / "exported_Labels.txt").read_text().splitlines()
    assert len(labels) == 24
    for path in paths:
        of_file = table[table.input.map(lambda name, path=path: Path(name).name == path.name)]
        theirs = of_file.pivot(index="start_time", columns="species_name", values="confidence")[labels].to_numpy()
        ours = scores_of_model(bundle, path)
        # Their resampling of the last one differs from ours.
        np.testing.assert_allclose(theirs, ours, atol=0.02 if path.stem == "stereo" else 1e-4)


@pytest.mark.parametrize("n_species", [1, 130])
def test_birdnets_package_takes_any_number_of_species(params: Params, tmp_path: Path, n_species: int) -> None:
    bundle = read_bundle(make_bundle(tmp_path / "model", params, species=species(n_species)))
    export_model(bundle, Request("birdnet", members=["small_cnn-0"]), tmp_path / "a.tflite")
    found = birdnet.inspect_custom_tflite(tmp_path / "a.tflite")
    assert (found.version, found.n_species) == ("2.4", n_species)


# Images as small as each takes, and no smaller than the window.
@pytest.mark.parametrize(
    ("backbone", "image"),
    [
        ("small_resnet", None),
        pytest.param("efficientnet", 32, marks=pytest.mark.slow),
        pytest.param("resnet", 32, marks=pytest.mark.slow),
        pytest.param("inception", 75, marks=pytest.mark.slow),
    ],
)
def test_every_backbone_runs_or_is_refused_with_the_reason(
    tiny: Params, tmp_path: Path, backbone: str, image: int | None
) -> None:
    settings = changed(tiny, {"image": {"frames": image, "mels": image}})
    bundle = read_bundle(make_bundle(tmp_path / "model", settings, backbone=backbone, has_lite_files=False))
    # Of these, Keras makes ONNX files that no program can run.
    is_invalid = backbone in ("efficientnet", "resnet")
    targets: tuple[Target, ...] = ("litert",) if is_invalid else ("litert", "onnx")
    if is_invalid:
        with pytest.raises(InputError, match="turns constants of this network's backbone into inputs"):
            export_model(bundle, Request("onnx", members=[f"{backbone}-0"]), tmp_path / "a.onnx")
    for target in targets:
        # It is compared with the model before it is written.
        export_model(bundle, Request(target, members=[f"{backbone}-0"]), tmp_path / f"a{SUFFIXES[target]}")
    with pytest.raises(InputError, match="takes 96000 samples at 48000 Hz"):
        export_model(bundle, Request("birdnet"), tmp_path / "b.tflite")
