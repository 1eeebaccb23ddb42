"""`dawnchorus detect`: detections in any recordings by a model bundle, without the workflow's stages."""

import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import filelock
import numpy as np
import pandas as pd

from dawnchorus.audio.decoding import Channel
from dawnchorus.data.formats.writing import write_labels
from dawnchorus.data.recordings import SUFFIXES, escaped, list_recordings
from dawnchorus.data.table_layout import read_text
from dawnchorus.errors import InputError
from dawnchorus.features.frames import to_seconds
from dawnchorus.files import replacing
from dawnchorus.inference.detect import Work, score_all
from dawnchorus.inference.detection_files import as_labels, write_detections
from dawnchorus.inference.detections import Detector, species_lines
from dawnchorus.inference.journal import Journal
from dawnchorus.inference.threshold_tables import read_thresholds
from dawnchorus.models.bundle import read_bundle
from dawnchorus.models.shapes import Shapes
from dawnchorus.workflow.gpus import jobs_can_use_gpus, list_gpus

MOST_SHOWN = 20
LOG = "detect.log"
# Those of `formats.writing` that can hold what a program found.
FORMATS = ("raven", "raven-table", "audacity", "kaleidoscope", "aoef")


@dataclass(frozen=True)
class Options:
    """What a user may choose; None stands for the model's own setting.

    Attributes:
        hop_seconds: time between the starts of two windows, s.
        gap_seconds: windows with at most this much time between them are one detection, s.
        min_seconds: shorter detections are left out, s.
        threshold: one score for all species.
        channel: number of the channel, from 1; "mean"; or "each".
        timezone: of recorders that did not write one.
        formats: some of `FORMATS`, in which detections are written besides.
        cores: number of cores to use.
    """

    hop_seconds: float | None
    gap_seconds: float | None
    min_seconds: float | None
    threshold: float | None
    channel: Channel | Literal["each"] | None
    timezone: str | None
    formats: Sequence[str]
    cores: int


def detect(model: Path, paths: Sequence[Path], output: Path, options: Options) -> int:
    """Detect species in recordings, and print a line for each.

    Args:
        model: folder of the bundle.
        paths: as in `find_recordings`.
        output: folder for the results, new or from a call with the same model and settings.
        options: the user's.

    Returns:
        The number of recordings that could not be read.

    Raises:
        InputError: no recordings, a damaged model, or results of other settings.
    """
    bundle = read_bundle(model)
    settings = bundle.info.settings
    recordings = find_recordings(paths)
    hop = settings.predict.hop_seconds if options.hop_seconds is None else options.hop_seconds
    window_seconds = to_seconds(Shapes.of(settings).window[0], settings.spectrogram)
    if hop > window_seconds:
        raise InputError(
            f"--hop: found {hop:g} s, expected at most the length of a window, {window_seconds:g} s: parts of "
            "recordings would never be scored"
        )
    channel = settings.channel if options.channel is None else options.channel
    probabilities, thresholds = read_thresholds(bundle.thresholds, bundle.codes)
    if options.threshold is not None:
        thresholds = thresholds.assign(threshold=options.threshold, precision=np.nan)
    journal = Journal(output, bundle.codes)
    if output.exists() and not journal.exists() and any(not path.name.startswith(".") for path in output.iterdir()):
        raise InputError(f"{output}: has other files than `dawnchorus detect` writes; name a new folder as --output")
    output.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(output / ".lock", timeout=0)
    try:
        held = lock.acquire()
    except filelock.Timeout as error:
        raise InputError(
            f"{output}: another `dawnchorus detect` writes to it; wait, or choose another --output"
        ) from error
    with held:
        journal.begin(
            {"model": bundle.scorer_digest, "hop": hop, "channel": str(channel), "timezone": options.timezone or ""}
        )
        zone = None if options.timezone is None else ZoneInfo(options.timezone)
        workers = max(1, min(options.cores, len(recordings)))
        if jobs_can_use_gpus("tensorflow"):
            # Each process has a GPU of its own.
            workers = min(workers, len(list_gpus()))
        prepare = partial(_use_device, max(1, options.cores // workers), output / LOG)
        try:
            problems = score_all(recordings, Work(bundle, hop, channel, zone), journal, workers, prepare)
        except KeyboardInterrupt as error:
            raise InputError("interrupted; the same command goes on where this one was") from error
        detector = Detector(
            bundle.info.species, probabilities, thresholds.threshold.to_numpy(), settings.detect.precision,
            window_seconds, settings.detect.gap_seconds if options.gap_seconds is None else options.gap_seconds,
            settings.detect.min_seconds if options.min_seconds is None else options.min_seconds,
        )  # fmt: skip
        counts, facts = write_detections(output, recordings, journal.read, detector, problems)
        remarks = _write_formats(output, options.formats, recordings, facts)
    print(*species_lines(thresholds, counts, len(recordings) - len(problems)), sep="\n")
    print(*remarks, sep="\n", end="\n" if remarks else "")
    print(f"Detections: {output / 'detections.csv'}")
    if problems:
        shown = [f"{recordings[name]}: {why}" for name, why in list(problems.items())[:MOST_SHOWN]]
        more = [f"... and {len(problems) - MOST_SHOWN} more"] if len(problems) > MOST_SHOWN else []
        print(
            f"{len(problems)} recordings could not be read; {output / 'unreadable.csv'} lists them", *shown, *more,
            sep="\n", file=sys.stderr,
        )  # fmt: skip
    return len(problems)


def _write_formats(
    output: Path, formats: Sequence[str], recordings: Mapping[str, Path], facts: pd.DataFrame
) -> list[str]:
    """Write the detections in other programs' formats, a folder for each; returns remarks.

    Formats of an earlier call are written again, so that they never differ from the tables.

    Args:
        output: has `detections.parquet`.
        formats: some of `FORMATS`.
        recordings: audio files by recording_id.
        facts: of the scored recordings, as from `write_detections`.
    """
    formats = [name for name in FORMATS if name in formats or (output / name).exists()]
    if not formats:
        return []
    labels = as_labels(pd.read_parquet(output / "detections.parquet"))
    root = Path(os.path.commonpath([recordings[name].parent for name in facts.index] or [output.resolve()]))
    table = facts.assign(file=[recordings[name].relative_to(root).as_posix() for name in facts.index])
    remarks = []
    for name in formats:
        with replacing(output / name) as folder:
            folder.mkdir()
            remarks += write_labels(name, folder, labels, table, root)
    return remarks


def find_recordings(paths: Sequence[Path]) -> dict[str, Path]:
    """Find the recordings that paths mean.

    Args:
        paths: audio files; folders whose files are used, also in folders in them; and texts (`*.txt`) that list such
            paths, one in each line.

    Returns:
        The absolute path of each by recording_id, sorted. In a single folder, the recording_id is the path below it
        without suffix. With several paths, it begins with the name of the folder, and a file has its own name. Among
        them are files and folders that `why_unusable` refuses.

    Raises:
        InputError: a path is missing or no recording, or two recordings have the same recording_id.
    """
    found: dict[str, Path] = {}
    known: set[Path] = set()
    is_list = {path: path.suffix.lower() == ".txt" and path.is_file() for path in paths}
    paths = [each for path in paths for each in (_listed(path) if is_list[path] else [path])]
    folders = [path for path in paths if path.is_dir()]
    names = Counter(path.resolve().name for path in folders)
    for path in paths:
        if path.is_dir():
            below = list_recordings(path.resolve(), with_unusable=True)[0]
            name = path.resolve().name
            # Two cards of two recorders may both be called DCIM.
            name = path.resolve().as_posix().lstrip("/") if names[name] > 1 else name
            prefix = f"{name}/" if len(paths) > 1 else ""
            each = {prefix + key: file for key, file in below.items()}
        elif not path.exists():
            raise InputError(f"{path}: is missing; expected recordings or folders of recordings")
        elif path.suffix.lower() not in SUFFIXES:
            raise InputError(f"{path}: is no recording; expected a file that ends in {', '.join(SUFFIXES)}")
        else:
            each = {escaped(path.stem): path}
        for key, file in each.items():
            # A folder that is a link could not be told from others.
            file = file if file.is_dir() else file.resolve()
            if file in known:
                continue
            known.add(file)
            if found.setdefault(key, file) != file:
                raise InputError(f"{file}: has the same name as {found[key]}; give the folder that both are in instead")
    return dict(sorted(found.items()))


def _listed(path: Path) -> list[Path]:
    """The paths in a list; relative ones are relative to the working directory."""
    lines = [line.strip() for line in read_text(path).splitlines()]
    paths = [Path(line) for line in lines if line]
    if not paths:
        raise InputError(f"{path}: lists no recordings; expected a path in each line")
    for number, line in enumerate(lines, start=1):
        if line and not Path(line).exists():
            raise InputError(f"{path}: line {number}: {line} is missing; correct or remove the line")
    return paths


def _use_device(threads: int, log: Path) -> None:
    """Set up a process that scores; what TensorFlow and decoders write to the terminal goes to a log."""
    with log.open("a") as file:
        os.dup2(file.fileno(), sys.stderr.fileno())
    # Keras takes seconds to import, and only these processes need it.
    from dawnchorus.workflow.devices import use_device

    use_device(threads)
