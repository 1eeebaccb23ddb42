"""Peak memory of caching, training input and inference, which must not grow with the data set."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import soundfile
from cached_recordings import caching_options
from rows import Row

ROOT = Path(__file__).parent.parent
SIZES = (100, 2_000)
SECONDS = 5
LONG_HOURS = 4

# Reads all windows of two epochs.
INPUT = """
import sys
from itertools import islice
from pathlib import Path
import numpy as np
from dawnchorus.data.annotations import Annotations
from dawnchorus.training.sampling import WindowSampler
from dawnchorus.config.loading import load_params
folder, size = Path(sys.argv[2]), int(sys.argv[3])
names = np.array([f"r{number}" for number in range(size)])
boxes = np.tile([1.0, 1e3, 2.0, 2e3], (size, 1))
annotations = Annotations(names, boxes, np.zeros(size, int), np.ones(size, bool))
sampler = WindowSampler(annotations, folder, load_params(sys.argv[1]), 24, ("benchmark", 0))
for _ in islice(sampler.batches(), 2 * sampler.steps_per_epoch):
    pass
"""
INFERENCE = """
import sys
from pathlib import Path
from dawnchorus.workflow.devices import use_device
from dawnchorus.inference.scoring import score_recordings
from dawnchorus.models.building import build_models
from dawnchorus.config.loading import load_params
from dawnchorus.models.shapes import Shapes
params = load_params(sys.argv[1])
use_device(1)
scorer, _ = build_models("small_cnn", Shapes.of(params), 24, 0.0, seed=1)
names = [f"r{number}" for number in range(int(sys.argv[3]))]
score_recordings(scorer, Path(sys.argv[2]), names, scorer.input_shape[1], 8)
"""


def measure(folder: Path, params_file: Path) -> list[Row]:
    """Measure peak memory for many recordings, with that for few as the limit, and for one long recording."""
    soundfile.write(folder / "short.flac", np.random.default_rng(0).normal(0, 0.1, SECONDS * 48_000), 48_000)
    peaks: dict[str, list[float]] = {"caching": [], "training input": [], "inference": []}
    for size in SIZES:
        spectrograms = folder / str(size)
        peaks["caching"].append(cache(folder, ["short.flac"] * size, spectrograms, params_file))
        for name, program in (("training input", INPUT), ("inference", INFERENCE)):
            peaks[name].append(peak([sys.executable, "-c", program, str(params_file), str(spectrograms), str(size)]))
    rows = [
        Row(f"memory: {name}, {SIZES[1]} recordings (limit: {SIZES[0]})", "MB", many, None, few, faster_is_more=False)
        for name, (few, many) in peaks.items()
    ]
    minute = np.random.default_rng(0).normal(0, 0.1, 60 * 48_000)
    with soundfile.SoundFile(folder / "long.wav", "w", 48_000, 1) as file:
        for _ in range(60 * LONG_HOURS):
            file.write(minute)
    long = cache(folder, ["long.wav"], folder / "long", params_file)
    return [*rows, Row(f"memory: caching {LONG_HOURS} hours", "MB", long, None, 1500.0, faster_is_more=False)]


def cache(folder: Path, files: list[str], output: Path, params_file: Path) -> float:
    options = caching_options([folder / file for file in files], folder, params_file)
    return peak([sys.executable, "workflow/scripts/cache_spectrograms.py", *options, "--output", str(output)])


def peak(command: list[str]) -> float:
    """Peak anonymous memory in MB of a command and its children together, sampled 50 times per second."""
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": "src"}, stderr=subprocess.DEVNULL)
    largest = 0.0
    while process.poll() is None:
        largest = max(largest, sum(anonymous(pid) for pid in family(process.pid)))
        try:
            process.wait(0.02)
        except subprocess.TimeoutExpired:
            continue
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return largest


def family(pid: int) -> list[int]:
    """The ids of a process and all its descendants."""
    found = [pid]
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split() if Path(f"/proc/{pid}").exists() else []:
        found += family(int(child))
    return found


def anonymous(pid: int) -> float:
    """Memory of a process that is not backed by a file, MB; 0 if the process has just ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1024
