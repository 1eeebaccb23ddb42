"""Cache the mel spectrogram of every recording in a folder."""

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from dawnchorus.audio import list_recordings
from dawnchorus.files import replacing
from dawnchorus.params import load_params
from dawnchorus.progress import track
from dawnchorus.script import run
from dawnchorus.spectrogram import cache_spectrogram


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
        work = pool.map(partial(cache_spectrogram, folder=folder, settings=settings), paths, chunksize=4)
        for _ in track(work, len(paths), f"{arguments.recordings.name} recordings cached"):
            pass


if __name__ == "__main__":
    run(main)
