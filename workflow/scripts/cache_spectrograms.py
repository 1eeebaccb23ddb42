"""Cache the mel spectrogram of every recording in a folder."""

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from dawnchorus import params
from dawnchorus.audio import list_recordings, read_recording
from dawnchorus.cached import write_spectrogram
from dawnchorus.files import replacing
from dawnchorus.params import load_params
from dawnchorus.progress import track
from dawnchorus.script import run
from dawnchorus.spectrogram import mel_spectrogram


def cache_recording(recording: Path, folder: Path, settings: params.Spectrogram) -> None:
    samples = read_recording(recording, settings.sample_rate)
    write_spectrogram(folder, recording.stem, mel_spectrogram(samples, settings))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--recordings", type=Path, required=True, help="folder of audio files")
    parser.add_argument("--output", type=Path, required=True, help="folder of spectrograms; replaced")
    arguments = parser.parse_args()
    settings = load_params(arguments.params).spectrogram
    paths = list_recordings(arguments.recordings).values()
    with replacing(arguments.output) as folder, ProcessPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        folder.mkdir()
        work = pool.map(partial(cache_recording, folder=folder, settings=settings), paths, chunksize=4)
        for _ in track(work, len(paths), f"{arguments.recordings.name} recordings cached"):
            pass


if __name__ == "__main__":
    run(main)
