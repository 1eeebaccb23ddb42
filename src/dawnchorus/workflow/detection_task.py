"""The parts of `dawnchorus detect`: checks, scoring, and writing of tables, which may be jobs of their own."""

import os
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Self
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import threadpoolctl

from dawnchorus.data.clock_times import start_of
from dawnchorus.data.formats.writing import write_labels
from dawnchorus.data.sites import find_sites
from dawnchorus.errors import InputError
from dawnchorus.features.frames import to_seconds
from dawnchorus.files import replacing
from dawnchorus.inference.detect import Work, score_all
from dawnchorus.inference.detection_files import as_labels, write_detections
from dawnchorus.inference.detections import Detector, species_lines
from dawnchorus.inference.journal import Journal
from dawnchorus.inference.members import Members
from dawnchorus.inference.streaming import Scorer
from dawnchorus.inference.threshold_tables import read_thresholds
from dawnchorus.models.bundle import Bundle, read_bundle
from dawnchorus.models.embedding_heads import has_saved_model, licences, load_heads
from dawnchorus.models.lite_networks import load_lite_networks, why_not_by_litert
from dawnchorus.models.shapes import Shapes
from dawnchorus.workflow.detect_options import FORMATS, Options
from dawnchorus.workflow.file_locks import lock
from dawnchorus.workflow.gpus import jobs_can_use_gpus, list_gpus

LOG = "detect.log"


@dataclass(frozen=True)
class Task:
    """Detection in recordings with a model, whose settings were checked.

    Attributes:
        output: folder for the results.
        options: the user's.
        work: how recordings are scored.
        journal: the scores in the output folder.
        thresholds: of each species, as from `read_thresholds`.
        detector: makes detections of scores.
    """

    output: Path
    options: Options
    work: Work
    journal: Journal
    thresholds: pd.DataFrame
    detector: Detector

    @classmethod
    def of(cls, model: Path, output: Path, options: Options) -> Self:
        """Check a model and the settings; nothing is written.

        Args:
            model: folder of the bundle.
            output: folder for the results, new or from a call with the same model and settings.
            options: the user's.

        Raises:
            InputError: a damaged model, a wrong setting, or an output folder with other files.
        """
        bundle = read_bundle(model)
        settings = bundle.info.settings
        hop = settings.predict.hop_seconds if options.hop is None else options.hop
        window_seconds = to_seconds(Shapes.of(settings).window[0], settings.spectrogram)
        if hop > window_seconds:
            raise InputError(
                f"--hop: found {hop:g} s, expected at most the length of a window, {window_seconds:g} s: parts of "
                "recordings would never be scored"
            )
        channel = settings.channel if options.channel is None else options.channel
        zone = None if options.timezone is None else ZoneInfo(options.timezone)
        probabilities, thresholds = read_thresholds(bundle.thresholds, bundle.codes)
        if options.threshold is not None:
            thresholds = thresholds.assign(threshold=options.threshold, precision=np.nan)
        journal = Journal(output, bundle.codes)
        if output.exists() and not journal.exists() and any(not path.name.startswith(".") for path in output.iterdir()):
            raise InputError(f"{output}: has other files than `dawnchorus detect` writes; name a new folder as output")
        detector = Detector(
            bundle.info.species, probabilities, thresholds.threshold.to_numpy(), settings.detect.precision,
            window_seconds, settings.detect.gap_seconds if options.gap is None else options.gap,
            settings.detect.min_seconds if options.min_seconds is None else options.min_seconds,
        )  # fmt: skip
        return cls(output, options, Work(bundle, hop, channel, zone), journal, thresholds, detector)

    def lock(self, shared: bool = False) -> IO[str]:
        """Create the output folder and lock it, for as long as the returned file is open.

        Args:
            shared: for a process that only adds recordings to the journal that no other one adds.

        Raises:
            InputError: another process holds it.
        """
        self.output.mkdir(parents=True, exist_ok=True)
        held = (
            f"{self.output}: another `dawnchorus detect`, or a job of `snakemake detect`, writes to it; wait until it "
            "ends, or choose another output folder"
        )
        return lock(self.output / ".lock", held, shared)

    def begin(self) -> None:
        """Begin the journal, or check that it is of the same model, settings and version of this package.

        Raises:
            InputError: it is of others.
        """
        self.journal.begin(
            {
                "dawnchorus": version("dawnchorus"),
                "model": self.work.bundle.scorer_digest,
                "hop": self.work.hop_seconds,
                "channel": str(self.work.channel),
                "timezone": self.options.timezone or "",
            }
        )

    def sites(self, recordings: Iterable[str]) -> dict[str, str]:
        """The site of each recording, by recording_id; empty where it is unknown.

        Raises:
            InputError: `--site-pattern` finds none in a recording_id.
        """
        return find_sites({"": recordings}, self.options.site_pattern, "--site-pattern")[""]

    def score(self, recordings: Mapping[str, Path], cores: int) -> dict[str, str]:
        """Score the recordings that the journal does not have yet.

        Args:
            recordings: audio files by recording_id.
            cores: number of cores to use.

        Returns:
            Why recordings could not be scored, by recording_id.

        Raises:
            InputError: the model is damaged, or the run is interrupted.
        """
        workers = max(1, min(cores, len(recordings)))
        uses_gpu = jobs_can_use_gpus(os.environ["KERAS_BACKEND"])
        if uses_gpu:
            # Each process has a GPU of its own.
            workers = min(workers, len(list_gpus()))
        threads = max(1, cores // workers)
        load = partial(_load, self.work.bundle, threads, uses_gpu, self.output / LOG)
        try:
            return score_all(recordings, self.work, self.journal, workers, load)
        except KeyboardInterrupt as error:
            raise InputError("interrupted; the same command goes on where this one was") from error

    def write(self, recordings: Mapping[str, Path], problems: Mapping[str, str]) -> list[str]:
        """Write the detections in scored recordings, and all other tables.

        Args:
            recordings: audio files by recording_id, sorted.
            problems: why recordings could not be scored, by recording_id, sorted.

        Returns:
            Lines for people: one for each species, and remarks.
        """
        counts, facts = write_detections(
            self.output, recordings, self.sites(recordings), self.journal.read, self.detector, problems
        )
        remarks = _write_formats(self.output, self.options.format, recordings, facts)
        species = species_lines(self.thresholds, counts, len(recordings) - len(problems))
        remarks += licences(self.work.bundle.info)
        without_zone = [
            name for name, start in facts.start.items() if not start and start_of(recordings[name].name, "", UTC)
        ]
        if without_zone:
            remarks.append(
                f"{len(without_zone)} recordings have a date, but no time zone, for example {without_zone[0]}: "
                "with --timezone, detections get clock times"
            )
        if (self.thresholds.no_promise != "").all() and self.options.threshold is None:
            folders = [str(self.output), "--model", str(self.work.bundle.folder)]
            remarks.append(
                "No precision is promised: listen to a random sample first, "
                f"dawnchorus review start {shlex.join(folders)} --purpose measure -n 30"
            )
        return [*species, *remarks, f"Detections: {self.output / 'detections.csv'}"]


def _write_formats(
    output: Path, formats: Sequence[str], recordings: Mapping[str, Path], facts: pd.DataFrame
) -> list[str]:
    """Write the detections in other programs' formats, a folder for each; returns remarks.

    Formats of an earlier call are written again, so that they never differ from the tables.

    Args:
        output: has `detections.parquet`.
        formats: some of `detect_options.FORMATS`.
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


def _load(bundle: Bundle, threads: int, uses_gpu: bool, log: Path) -> Members:
    """Set up a process that scores, and load the model in it.

    Args:
        bundle: the model.
        threads: number of threads.
        uses_gpu: whether networks score on a GPU, which Keras can and LiteRT cannot.
        log: gets what libraries and decoders would write to the terminal.

    Raises:
        InputError: the model is damaged, or needs a library that is not installed.
    """
    with log.open("a") as file:
        os.dup2(file.fileno(), sys.stderr.fileno())
    threadpoolctl.threadpool_limits(threads)
    why_not = "a GPU is used" if uses_gpu else why_not_by_litert(bundle)
    needs_keras = bool(bundle.info.networks and why_not)
    needs_saved_model = has_saved_model(bundle)
    if uses_gpu or needs_keras or needs_saved_model:
        by_tensorflow = needs_saved_model or os.environ["KERAS_BACKEND"] == "tensorflow"
        if by_tensorflow and find_spec("tensorflow") is None:
            reason = "it has heads on a SavedModel" if needs_saved_model else why_not
            raise InputError(
                f"{bundle.folder}: needs TensorFlow, which is not installed, because {reason}; install dawnchorus[cpu]"
            )
        if os.environ["KERAS_BACKEND"] == "jax" and find_spec("jax") is None:
            raise InputError("DAWNCHORUS_BACKEND: found jax, which is not installed; install it, or choose tensorflow")
        # Keras takes seconds to import.
        from dawnchorus.workflow.devices import use_device

        use_device(threads)
    networks: Scorer | None = None
    if needs_keras:
        from dawnchorus.models.members import load_ensemble

        networks = load_ensemble(bundle).predict_on_batch
    elif bundle.info.networks:
        networks = load_lite_networks(bundle, threads)
    return Members(networks, load_heads(bundle))
