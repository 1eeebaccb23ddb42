"""Write an exported file, compare it with its model, and write labels, thresholds and a text beside it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dawnchorus.config.model import ModelSettings
from dawnchorus.errors import InputError
from dawnchorus.export.comparison import Comparison, Exported, check_sounds, has_silence, windows_per_second
from dawnchorus.export.embedded import HeadScores, sharing_terms
from dawnchorus.export.graph import Output, build_graph, samples_of
from dawnchorus.export.hosts import require_birdnets_input
from dawnchorus.export.litert import load_litert, write_litert
from dawnchorus.export.onnx_files import load_onnx, write_onnx
from dawnchorus.export.parts import Part, choose_part
from dawnchorus.export.readme import readme
from dawnchorus.export.request import SUFFIXES, Quantization, Request, Runner
from dawnchorus.features.mel import mel_spectrogram
from dawnchorus.features.store import from_codes, to_codes
from dawnchorus.files import replacing
from dawnchorus.inference.streaming import cut_windows
from dawnchorus.inference.threshold_tables import read_thresholds
from dawnchorus.inference.thresholds import WindowModel
from dawnchorus.models.bundle import Bundle
from dawnchorus.models.shapes import Shapes

# Largest difference of a score that is only rounding; None where precision is given up for size.
MOST_DIFFERENCE: dict[Quantization, float | None] = {"none": 1e-4, "float16": 2e-3, "int8": None}
# BirdNET stretches sound to the same loudness and takes roots of power. Of digital silence, that leaves the rounding
# errors of the Fourier transform, which differ between libraries; they change scores by up to 0.015. Weights of less
# precision change them by more, but no score is NaN.
SILENT_SECONDS = 0.02
SILENT_DIFFERENCE: dict[Quantization, float] = {"none": 0.05, "float16": 1.0, "int8": 1.0}
BATCH_SIZE = 16
# Of the thresholds beside a file.
COLUMNS = ["species", "threshold", "precision", "precision_low", "no_promise"]


def export_model(
    bundle: Bundle, request: Request, output: Path, recordings: Iterable[NDArray[np.float32]] | None = None
) -> Exported:
    """Write a model as one file, with its labels, thresholds and a text about it beside it.

    Args:
        bundle: the model.
        request: what to export.
        output: the file, whose name ends as `SUFFIXES` says.
        recordings: windows of recordings to compare scores of, shape [Samples] each.

    Raises:
        InputError: the model cannot be exported so, or the exported file's scores differ from the model's.
    """
    settings = bundle.info.settings
    if output.suffix != SUFFIXES[request.target]:
        raise InputError(f"{output}: expected a file name that ends in {SUFFIXES[request.target]}")
    if request.target == "birdnet":
        require_birdnets_input(bundle)
    part = choose_part(bundle, request.members, request.target)
    thresholds, probabilities = _thresholds(bundle, part, request)
    with replacing(output) as path:
        run = _write(part, settings, Output(request.target == "birdnet", probabilities), request, path)
        n_silent = round(SILENT_SECONDS * settings.spectrogram.sample_rate)

        def compare(windows: Iterable[NDArray[np.float32]]) -> Comparison:
            found, expected, unsure = [], [], []
            for samples in _batches(windows):
                given = np.array([run(each) for each in samples])
                unsure += [bool(part.heads) and has_silence(each, n_silent) for each in samples]
                found.append(1 / (1 + np.exp(-given)) if request.target == "birdnet" else given)
                scores = _score(part, settings, samples)
                # A species whose probability is unknown has 0 in the file.
                expected.append(scores if probabilities is None else np.nan_to_num(probabilities.probabilities(scores)))
            if not found:
                raise InputError(f"{output}: there is no recording with any sound to compare it on; it was not written")
            limits = np.full(len(bundle.codes), np.nan) if thresholds is None else thresholds.threshold.to_numpy(float)
            comparison = Comparison.of(np.concatenate(found), np.concatenate(expected), limits, np.array(unsure))
            most, most_silent = MOST_DIFFERENCE[request.quantization], SILENT_DIFFERENCE[request.quantization]
            if not comparison.unsure_difference <= most_silent:
                raise InputError(
                    f"{output}: in windows with digital silence, its scores differ from those of {bundle.folder} by up "
                    f"to {comparison.unsure_difference:.2g}, expected at most {most_silent:g}; it was not written"
                )
            # The negated comparison also catches NaN.
            if most is not None and not comparison.difference <= most:
                raise InputError(
                    f"{output}: its scores differ from those of {bundle.folder} by up to {comparison.difference:.2g}, "
                    f"expected at most {most:g}; it was not written"
                )
            return comparison

        sounds = check_sounds(samples_of(settings), settings.spectrogram.sample_rate)
        result = Exported(
            compare(sounds), None if recordings is None else compare(recordings), path.stat().st_size,
            windows_per_second(run, sounds[-1]) * settings.window.seconds,
            sharing_terms(part.heads),
        )  # fmt: skip
    beside = output.with_suffix("")
    with replacing(beside.with_name(f"{beside.name}_Labels.txt")) as path:
        path.write_text("\n".join(label_lines(bundle)) + "\n", encoding="utf-8")
    table = beside.with_name(f"{beside.name}_thresholds.csv")
    if thresholds is None:
        # That of an earlier export is not this file's.
        table.unlink(missing_ok=True)
    else:
        with replacing(table) as path:
            thresholds.to_csv(path, index=False, float_format="%.9g")
    with replacing(beside.with_name(f"{beside.name}_README.md")) as path:
        path.write_text(readme(bundle, part, request, output, result), encoding="utf-8")
    return result


def label_lines(bundle: Bundle) -> list[str]:
    """The labels as programs for BirdNET read them: `Scientific name_Common name`, in the order of scores.

    Those programs refuse equal labels, such as those of two calls of one species, so these end with the code.
    """
    names = [(each.scientific_name or each.species, each.common_name or each.species) for each in bundle.info.species]
    is_repeated = [count > 1 for count in map(Counter(names).__getitem__, names)]
    return [
        f"{scientific}_{common} ({code})" if repeated else f"{scientific}_{common}"
        for (scientific, common), code, repeated in zip(names, bundle.codes, is_repeated, strict=True)
    ]


def _thresholds(bundle: Bundle, part: Part, request: Request) -> tuple[pd.DataFrame | None, WindowModel | None]:
    """The thresholds of what a file gives, and the model that turns its scores into probabilities if it shall."""
    if part.thresholds is None:
        if request.is_calibrated:
            raise InputError(
                f"{bundle.folder}: probabilities are known for the mean of all members, but not for "
                f"{', '.join(part.names)} alone; leave out --calibrated or --members"
            )
        return None, None
    model, table = read_thresholds(part.thresholds, bundle.codes)
    if request.is_calibrated:
        table["threshold"] = model.probabilities(table.threshold.to_numpy(float))
    return table[COLUMNS], model if request.is_calibrated else None


def _write(part: Part, settings: ModelSettings, output: Output, request: Request, path: Path) -> Runner:
    """Write a file, and load it."""
    try:
        graph = build_graph(part.networks, [HeadScores(each) for each in part.heads], settings, output)
        if request.target == "onnx":
            write_onnx(graph, path, request.quantization)
            return load_onnx(path)
        write_litert(graph, path, request.quantization)
        return load_litert(path)
    except InputError:
        raise
    # Each step has exceptions of its own for operations that LiteRT does not have.
    except Exception as error:
        if not part.heads:
            raise
        frozen = ", ".join(each.settings.model for each in part.heads)
        reason = str(error).strip().split("\n")[0]
        raise InputError(f"{frozen}: cannot be converted to a LiteRT file: {reason}") from error


def _score(part: Part, settings: ModelSettings, samples: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """The scores that `detect` gives recordings of one window, shape [Windows, Species]."""
    # That is the stretch that an embedding hears, as the file takes no other.
    scores = [each.scores(each.embed(np.stack(samples))) for each in part.heads]
    if part.networks is None:
        return np.sum(scores, axis=0)
    length = Shapes.of(settings).window[0]
    windows = []
    for each in samples:
        # Zeros at the end fill up a shorter recording.
        frames = to_codes(mel_spectrogram(np.trim_zeros(each, "b"), settings.spectrogram))
        windows.append(from_codes(next(window for _, window in cut_windows([frames], length, length))))
    return np.sum([np.asarray(part.networks.predict_on_batch(np.stack(windows))), *scores], axis=0)


def _batches(windows: Iterable[NDArray[np.float32]]) -> Iterator[list[NDArray[np.float32]]]:
    waiting = iter(windows)
    while several := list(islice(waiting, BATCH_SIZE)):
        yield several
