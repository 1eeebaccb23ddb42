"""Speed and memory of `dawnchorus detect` with the demo's model, next to BirdNET on the same recordings."""

import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from pathlib import Path

import birdnet_speed
import keras
import numpy as np
import scipy.fft
import soundfile
import threadpoolctl
from memory import peak
from numpy.lib.stride_tricks import sliding_window_view
from rows import Row, in_turn, on_one_core

from dawnchorus.config.model import ModelSettings
from dawnchorus.features.frames import to_frames
from dawnchorus.inference.detect import BATCH_SIZE
from dawnchorus.inference.streaming import Scorer, score_recording
from dawnchorus.inference.windows import tile
from dawnchorus.models.bundle import read_bundle
from dawnchorus.models.lite_networks import load_lite_networks
from dawnchorus.models.members import load_ensemble

ROOT = Path(__file__).parent.parent
RATE = birdnet_speed.RATE
LONG_HOURS = 4
DAY_HOURS = 24
# Of each recording of the row on all cores, s.
PART_SECONDS = 1800


@dataclass(frozen=True)
class Side:
    """A way to run `dawnchorus detect`.

    Attributes:
        name: for the table.
        folder: of the model.
        hop_seconds: time between the starts of two windows, s.
        scorer: the model.
        settings: of the model.
    """

    name: str
    folder: Path
    hop_seconds: float
    scorer: Scorer
    settings: ModelSettings

    @classmethod
    def of(cls, name: str, folder: Path, hop_seconds: float) -> "Side":
        """Load a model."""
        bundle = read_bundle(folder)
        scorer = load_lite_networks(bundle, 1)
        _check_same(load_ensemble(bundle), scorer)
        return cls(name, folder, hop_seconds, scorer, bundle.info.settings)

    def ours(self, path: Path) -> None:
        """Score a recording."""
        score_recording(self.scorer, path, self.settings, self.hop_seconds, "mean", BATCH_SIZE)

    def limit(self, path: Path, seconds: int) -> None:
        """Decode a recording, Fourier transform it, and make the forward passes, without more."""
        spectrogram = self.settings.spectrogram
        for samples in soundfile.blocks(path, 60 * RATE, dtype="float32"):
            padded = np.pad(samples, (0, spectrogram.n_fft))
            frames = sliding_window_view(padded, spectrogram.n_fft)[:: spectrogram.hop_length]
            for start in range(0, len(frames), 128):
                scipy.fft.rfft(frames[start : start + 128], axis=1)
        shape = (to_frames(self.settings.window.seconds, spectrogram), spectrogram.n_mels)
        batch = np.zeros((BATCH_SIZE, *shape), np.float32)
        hop = to_frames(self.hop_seconds, spectrogram)
        n_windows = len(tile(1 + seconds * RATE // spectrogram.hop_length, shape[0], hop))
        for first in range(0, n_windows, BATCH_SIZE):
            self.scorer(batch[: n_windows - first])

    def command(self, paths: Iterable[Path], folder: Path, cores: int = 1) -> list[str]:
        """The command that scores recordings anew."""
        output = folder / "found"
        shutil.rmtree(output, ignore_errors=True)
        return [sys.executable, "-m", "dawnchorus.command", "detect", str(self.folder), *map(str, paths),
                "--output", str(output), "--hop", str(self.hop_seconds), "--cores", str(cores)]  # fmt: skip


def measure(folder: Path) -> list[Row]:
    """Measure all rows with the results of the demo."""
    threadpoolctl.threadpool_limits(1)
    whole = ROOT / "results/model"
    single = _single_member(whole, folder / "single")
    settings = read_bundle(whole).info.settings
    n_members = len(read_bundle(whole).info.members)
    sides = [
        Side.of(f"{n_members} members, hop {settings.predict.hop_seconds:g} s", whole, settings.predict.hop_seconds),
        Side.of(f"1 member, hop {birdnet_speed.SECONDS} s", single, birdnet_speed.SECONDS),
    ]
    rows = []
    with on_one_core():
        for name, seconds, times in (("a minute", 60, 5), (f"{LONG_HOURS} hours", LONG_HOURS * 3600, 1)):
            recording = joined(folder / f"{seconds}.flac", seconds)
            rows += _one_core(sides, recording, name, seconds, times, folder)
            recording.unlink()
    return [*rows, _all_cores(sides[0], folder), _memory(sides[1], folder)]


def _one_core(sides: list[Side], recording: Path, name: str, seconds: int, times: int, folder: Path) -> list[Row]:
    """The rows on a recording, without and with the start of the program."""
    without_start: list[float] = []

    def peer() -> None:
        without_start.append(float(_run([sys.executable, str(ROOT / "benchmarks/birdnet_speed.py"), str(recording)])))

    turns: dict[str, Callable[[], object]] = {"BirdNET": peer}
    for side in sides:
        turns[side.name] = partial(side.ours, recording)
        turns[f"limit {side.name}"] = partial(side.limit, recording, seconds)
        turns[f"start {side.name}"] = partial(_detect, side, [recording], folder)
    took = in_turn(turns, times, warm_up=False)
    birdnet_seconds = statistics.median(without_start)
    unit = "x real time"
    return [
        *(
            Row(f"detection, {name}, {side.name}", unit, seconds / took[side.name], seconds / birdnet_seconds,
                seconds / took[f"limit {side.name}"])
            for side in sides
        ),
        *(
            Row(f"detection with start, {name}, {side.name}", unit, seconds / took[f"start {side.name}"],
                seconds / took["BirdNET"])
            for side in sides
        ),
    ]  # fmt: skip


def _all_cores(side: Side, folder: Path) -> Row:
    """Two recordings for each core on all cores and on one, without the time that the command takes for none."""
    cores = os.sched_getaffinity(0)
    several, short = folder / "several", folder / "short"
    for place, seconds in ((several, PART_SECONDS), (short, 1)):
        place.mkdir()
        first = joined(place / "0.flac", seconds)
        for number in range(1, 2 * len(cores)):
            os.link(first, place / f"{number}.flac")

    def detect_on(place: Path, n_cores: int) -> None:
        _detect(side, [place], folder, n_cores)

    took = in_turn(
        {f"{place.name} {n}": partial(detect_on, place, n) for n in (len(cores), 1) for place in (several, short)},
        times=1, warm_up=False,
    )  # fmt: skip
    total = 2 * len(cores) * PART_SECONDS
    everywhere, one = (total / (took[f"several {n}"] - took[f"short {n}"]) for n in (len(cores), 1))
    name = f"detection, {len(cores)} cores, {side.name}"
    return Row(name, "x real time", everywhere, one, len(cores) * one)


def _memory(side: Side, folder: Path) -> Row:
    """Peak memory of the whole command for a day, at another sample rate, next to that for an hour."""
    peaks = []
    for hours in (DAY_HOURS, 1):
        path = folder / f"{hours}.wav"
        minute = np.random.default_rng(0).normal(0, 0.1, 60 * 16_000)
        with soundfile.SoundFile(path, "w", 16_000, 1, "PCM_U8") as file:
            for _ in range(hours * 60):
                file.write(minute)
        peaks.append(peak(side.command([path], folder)))
        path.unlink()
    return Row(f"memory: detection, {DAY_HOURS} hours (limit: 1 hour)", "MB", peaks[0], None, peaks[1], False)


def _detect(side: Side, paths: list[Path], folder: Path, cores: int = 1) -> None:
    _run(side.command(paths, folder, cores))


def _run(command: list[str]) -> str:
    environment = os.environ | {"PYTHONPATH": "src"}
    return subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout


def _single_member(whole: Path, folder: Path) -> Path:
    """Copy a model with its first member alone."""
    shutil.copytree(whole, folder)
    info = json.loads((folder / "model.json").read_text())
    info["members"] = [info["members"][0] | {"weight": 1.0}]
    (folder / "model.json").write_text(json.dumps(info))
    return folder


def joined(path: Path, seconds: int) -> Path:
    """Join the demo's test recordings to one of a length, as 16-bit FLAC."""
    parts = cycle(sorted((ROOT / "data/demo/dataset/test").glob("*.flac")))
    left = seconds * RATE
    with soundfile.SoundFile(path, "w", RATE, 1, "PCM_16") as file:
        while left:
            samples, _ = soundfile.read(next(parts), dtype="int16")
            file.write(samples[:left])
            left -= len(samples[:left])
    return path


def _check_same(model: keras.Model, scorer: Scorer) -> None:
    windows = np.random.default_rng(0).normal(-60, 9, (BATCH_SIZE, *model.input_shape[1:])).astype(np.float32)
    np.testing.assert_allclose(scorer(windows), model.predict_on_batch(windows), atol=1e-5)
