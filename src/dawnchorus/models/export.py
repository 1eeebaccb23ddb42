"""Export of a model bundle as one LiteRT file that takes sound and needs neither TensorFlow nor this package.

The file is loaded again and compared with the bundle before it gets its name.
"""

import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from numpy.typing import NDArray

from dawnchorus.errors import InputError
from dawnchorus.features.mel import mel_spectrogram
from dawnchorus.files import replacing
from dawnchorus.models.bundle import Bundle
from dawnchorus.models.front_end import MelFrontEnd
from dawnchorus.models.members import load_ensemble
from dawnchorus.models.shapes import Shapes

Target = Literal["litert", "birdnet"]
Quantization = Literal["none", "float16", "int8"]
# The input that programs for BirdNET 2.4 give a model.
BIRDNET_SAMPLES, BIRDNET_RATE = 144_000, 48_000
# Largest difference of a score that is only rounding; None where precision is given up for size.
MOST_DIFFERENCE: dict[Quantization, float | None] = {"none": 1e-4, "float16": 2e-3, "int8": None}
# Log odds are as large as this at most, as those of a float32 close to 1.
MOST_ODDS = 16.0
SECONDS_TO_TIME = 2.0


@dataclass(frozen=True)
class Exported:
    """How an exported file compares with its bundle.

    Attributes:
        difference: largest difference of a score.
        agreement: share of the pairs of scores of a species, in all windows, that have the same order.
        n_bytes: size of the file.
        times_real_time: seconds of sound for each second of one thread.
    """

    difference: float
    agreement: float
    n_bytes: int
    times_real_time: float


def export_model(
    bundle: Bundle, target: Target, quantization: Quantization, output: Path, recordings: NDArray[np.float32]
) -> Exported:
    """Write a bundle as a LiteRT file, with its labels, thresholds and a text about it beside it.

    Args:
        bundle: the model.
        target: "litert" for scores from 0 to 1; "birdnet" for log odds, which programs for BirdNET 2.4 expect.
        quantization: of the weights.
        output: file that ends in .tflite.
        recordings: windows of sound to compare scores of, shape [Windows, Samples], as from `check_sounds`.

    Raises:
        InputError: the model cannot be exported so, or the exported file's scores differ from the bundle's.
    """
    settings = bundle.info.settings
    _require_possible(bundle, target, output)
    scorer = load_ensemble(bundle)
    with replacing(output) as path:
        _convert(_with_front_end(scorer, bundle, target), path, quantization)
        interpreter = _load(path, samples_of(bundle))
        found = np.concatenate([_run(interpreter, each[None]) for each in recordings])
        if target == "birdnet":
            found = 1 / (1 + np.exp(-found))
        frames = Shapes.of(settings).window[0]
        windows = np.stack([mel_spectrogram(each, settings.spectrogram)[:frames] for each in recordings])
        expected = np.asarray(scorer.predict(windows.astype(np.float16), verbose=0))
        difference = float(np.abs(found - expected).max())
        most = MOST_DIFFERENCE[quantization]
        if most is not None and not difference <= most:
            raise InputError(
                f"{output}: its scores differ from those of {bundle.folder} by up to {difference:.2g}, expected at "
                f"most {most:g}; it was not written"
            )
        result = Exported(
            difference, _agreement(found, expected), path.stat().st_size,
            _speed(interpreter, recordings[:1]) * settings.window.seconds,
        )  # fmt: skip
    beside = output.with_suffix("")
    with replacing(beside.with_name(f"{beside.name}_Labels.txt")) as path:
        path.write_text("\n".join(label_lines(bundle)) + "\n", encoding="utf-8")
    with replacing(beside.with_name(f"{beside.name}_thresholds.csv")) as path:
        shutil.copyfile(bundle.thresholds, path)
    with replacing(beside.with_name(f"{beside.name}_README.md")) as path:
        path.write_text(_text(bundle, target, quantization, output, result), encoding="utf-8")
    return result


def samples_of(bundle: Bundle) -> int:
    """The number of samples that an exported file takes: those of a window."""
    settings = bundle.info.settings
    return round(settings.window.seconds * settings.spectrogram.sample_rate)


def check_sounds(n_samples: int, sample_rate: int) -> NDArray[np.float32]:
    """Sounds that tell apart wrong front ends: silence, an impulse, noise of several levels, and sweeps.

    Args:
        n_samples: samples of each.
        sample_rate: Hz.

    Returns:
        Shape [Sounds, Samples].
    """
    rng = np.random.default_rng(0)
    t = np.arange(n_samples) / sample_rate
    silence = np.zeros(n_samples)
    impulse = np.where(np.arange(n_samples) == n_samples // 3, 1.0, 0.0)
    # A short sound that is filled up with silence.
    short = np.where(t < t[-1] / 3, rng.normal(0, 0.1, n_samples), 0)
    noise = [rng.normal(0, level, n_samples) for level in (1e-4, 1e-2, 0.1, 0.3)]
    sweeps = [
        0.3 * np.sin(2 * np.pi * (low * t + (high - low) * t**2 / (2 * t[-1]))) + rng.normal(0, 0.01, n_samples)
        for low, high in ((300, 3000), (2000, 9000), (11000, 1000), (500, sample_rate / 2.2))
    ]
    return np.array([silence, impulse, short, *noise, *sweeps], np.float32)


def label_lines(bundle: Bundle) -> list[str]:
    """The labels as programs for BirdNET read them: `Scientific name_Common name`, in the order of scores."""
    return [
        f"{each.scientific_name or each.species}_{each.common_name or each.species}" for each in bundle.info.species
    ]


def _require_possible(bundle: Bundle, target: Target, output: Path) -> None:
    if output.suffix != ".tflite":
        raise InputError(f"{output}: expected a file name that ends in .tflite")
    if any(member.is_head for member in bundle.info.members):
        raise InputError(
            f"{bundle.folder}: has members on embeddings, which cannot be exported yet; train an experiment with "
            "embeddings: [] to export it"
        )
    settings = bundle.info.settings
    n_fft = settings.spectrogram.n_fft
    if n_fft & (n_fft - 1):
        raise InputError(
            f"{bundle.folder}: spectrogram.n_fft is {n_fft}; LiteRT's Fourier transform needs a power of two"
        )
    n_samples, rate = samples_of(bundle), settings.spectrogram.sample_rate
    if target == "birdnet" and (n_samples, rate) != (BIRDNET_SAMPLES, BIRDNET_RATE):
        raise InputError(
            f"{bundle.folder}: takes {n_samples} samples at {rate} Hz, but programs for BirdNET 2.4 give "
            f"{BIRDNET_SAMPLES} at {BIRDNET_RATE} Hz; train with window.seconds: 3.0 and spectrogram.sample_rate: "
            "48000, or export --to litert"
        )


def _with_front_end(scorer: keras.Model, bundle: Bundle, target: Target) -> keras.Model:
    """A model from samples (Batch, Samples) to scores or log odds (Batch, Species)."""
    settings = bundle.info.settings
    samples = keras.Input((samples_of(bundle),), dtype="float32", name="samples")
    scores = scorer(MelFrontEnd(settings.spectrogram, Shapes.of(settings).window[0], name="front_end")(samples))
    if target == "birdnet":
        odds = ops.log(ops.maximum(scores, 1e-12)) - ops.log(ops.maximum(1 - scores, 1e-12))
        scores = ops.clip(odds, -MOST_ODDS, MOST_ODDS)
    return keras.Model(samples, keras.layers.Identity(name="predictions")(scores))


def _convert(model: keras.Model, path: Path, quantization: Quantization) -> None:
    settings: dict[str, Any] = {} if quantization == "none" else {"optimizations": [tf.lite.Optimize.DEFAULT]}
    if quantization == "float16":
        settings["target_spec"] = {"supported_types": [tf.float16]}
    # A converter that is made of a function of the model, instead of a saved one, gives NaN for all sounds.
    model.export(path, format="litert", verbose=False, **settings)


def _load(path: Path, n_samples: int) -> Any:
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise InputError(
            "the exported file cannot be compared with the model: install ai-edge-litert, which the extra `litert` has"
        ) from error
    interpreter = Interpreter(str(path), num_threads=1)
    interpreter.resize_tensor_input(interpreter.get_input_details()[0]["index"], (1, n_samples))
    interpreter.allocate_tensors()
    return interpreter


def _run(interpreter: Any, samples: NDArray[np.float32]) -> NDArray[np.float32]:
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], samples)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"]).copy()


def _agreement(found: NDArray[np.floating], expected: NDArray[np.floating]) -> float:
    """The share of pairs of windows with the same order in both, over all species; ties in either do not count."""
    ours, theirs = (np.sign(scores[:, None] - scores[None]) for scores in (found, expected))
    counted = (ours != 0) & (theirs != 0)
    return float((ours == theirs)[counted].mean()) if counted.any() else 1.0


def _speed(interpreter: Any, samples: NDArray[np.float32]) -> float:
    """Windows scored in a second."""
    _run(interpreter, samples)
    n_runs, began = 0, time.perf_counter()
    while time.perf_counter() - began < SECONDS_TO_TIME:
        _run(interpreter, samples)
        n_runs += 1
    return n_runs / (time.perf_counter() - began)


def _text(bundle: Bundle, target: Target, quantization: Quantization, output: Path, result: Exported) -> str:
    settings = bundle.info.settings
    unit = "log odds, to which the host applies a sigmoid" if target == "birdnet" else "scores from 0 to 1"
    n_samples, rate = samples_of(bundle), settings.spectrogram.sample_rate
    if target == "birdnet":
        hosts = "programs that load custom models for BirdNET 2.4 give it this input and expect this output."
    elif (n_samples, rate) == (BIRDNET_SAMPLES, BIRDNET_RATE):
        hosts = "not those for BirdNET 2.4, which expect log odds: export with `--to birdnet`."
    else:
        hosts = f"not those for BirdNET 2.4, which give {BIRDNET_SAMPLES} samples at {BIRDNET_RATE} Hz."
    lines = [
        f"# {output.name}",
        "",
        f"A LiteRT file with {len(bundle.info.members)} networks, exported by Dawnchorus.",
        "",
        f"- Input: `samples`, float32 from -1 to 1, shape [batch, {n_samples}]: {settings.window.seconds:g} s at "
        f"{rate} Hz, mono. Fill up a shorter sound with zeros.",
        f"- Output: shape [batch, {len(bundle.info.species)}]: {unit}, in the order of `{output.stem}_Labels.txt`.",
        f"- Thresholds: `{output.stem}_thresholds.csv`, as scores from 0 to 1, and what can be promised of them.",
        f"- Programs: any with LiteRT; {hosts}",
        f"- Weights: {'float32' if quantization == 'none' else quantization}, {result.n_bytes / 1e6:.2f} MB.",
        f"- Compared with the model: largest difference of a score {result.difference:.2g}; {result.agreement:.3%} of "
        "pairs in the same order.",
        f"- Speed where it was exported: {result.times_real_time:.0f} times real time on one thread.",
        "",
        "The card of the model, with its limits and licence:",
        "",
        (bundle.folder / "README.md").read_text(encoding="utf-8"),
    ]
    return "\n".join(lines)
