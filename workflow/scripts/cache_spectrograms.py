"""Cache the mel spectrogram of every usable recording of a split."""

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from threadpoolctl import threadpool_limits

from dawnchorus.audio.decoding import read_blocks
from dawnchorus.cli import run
from dawnchorus.config.loading import load_params
from dawnchorus.config.spectrogram import Spectrogram
from dawnchorus.data.quality import inspect
from dawnchorus.data.recordings import read_recordings
from dawnchorus.data.splits import TEST, TRAIN, UNLABELLED
from dawnchorus.features.mel import empty_bands, mel_blocks, mel_to_frequency
from dawnchorus.features.store import write_features
from dawnchorus.files import replacing
from dawnchorus.progress import track
from dawnchorus.workflow.cores import cores


def cache_recording(recording: tuple[str, Path], folder: Path, settings: Spectrogram, look_first: bool) -> str:
    """Cache a recording and return '', or, with `look_first`, return why it is unusable."""
    recording_id, path = recording
    # `ingest` has already decoded and checked the other recordings.
    faults = inspect(path, settings.sample_rate, window_seconds=0).faults if look_first else []
    if not faults:
        write_features(folder, recording_id, mel_blocks(read_blocks(path, settings.sample_rate), settings))
    return f"{path}: {'; '.join(faults)}" if faults else ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--split", choices=(TRAIN, TEST, UNLABELLED), required=True)
    parser.add_argument("--recordings", type=Path, required=True, help="table of the recordings")
    parser.add_argument("--output", type=Path, required=True, help="output folder; an existing one is replaced")
    arguments = parser.parse_args()
    params = load_params(arguments.params)
    settings = params.spectrogram
    empty = empty_bands(settings)
    if len(empty):
        print(
            f"{len(empty)} of {settings.n_mels} mel bands are empty, the highest at "
            f"{mel_to_frequency(empty[-1], settings):.0f} Hz: they are narrower than the spacing of n_fft's "
            "frequencies and always have the lowest level; reduce n_mels, or increase n_fft or f_min",
            file=sys.stderr,
        )
    table = read_recordings(arguments.recordings)
    # The stage does not depend on the root: the table has a hash of each recording, so moving the data reruns nothing.
    root = Path(params.data.root)
    recordings = {str(name): root / file for name, file in table.file[table.usable].items()}
    # Each process uses one thread.
    with (
        replacing(arguments.output) as folder,
        ProcessPoolExecutor(cores(), initializer=threadpool_limits, initargs=(1,)) as pool,
    ):
        folder.mkdir()
        cache = partial(cache_recording, folder=folder, settings=settings, look_first=arguments.split == UNLABELLED)
        work = pool.map(cache, recordings.items())
        bad = [why for why in track(work, len(recordings), f"{arguments.split} recordings cached") if why]
    if bad:
        print(f"{len(bad)} unlabelled recordings are unusable and left out:", *bad, sep="\n", file=sys.stderr)


if __name__ == "__main__":
    run(main)
