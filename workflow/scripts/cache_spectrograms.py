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
from dawnchorus.data.recordings import read_recordings
from dawnchorus.features.mel import empty_bands, mel_blocks, mel_to_frequency
from dawnchorus.features.store import write_features
from dawnchorus.files import replacing
from dawnchorus.progress import track
from dawnchorus.workflow.cores import cores


def cache_recording(recording: tuple[str, Path], folder: Path, settings: Spectrogram) -> None:
    recording_id, path = recording
    write_features(folder, recording_id, mel_blocks(read_blocks(path, settings.sample_rate), settings))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--audio", type=Path, required=True, help="folder of audio files")
    parser.add_argument("--recordings", type=Path, required=True, help="table of the usable ones")
    parser.add_argument("--output", type=Path, required=True, help="folder of spectrograms; replaced")
    arguments = parser.parse_args()
    settings = load_params(arguments.params).spectrogram
    empty = empty_bands(settings)
    if len(empty):
        print(
            f"{len(empty)} of {settings.n_mels} mel bands are empty, the highest at "
            f"{mel_to_frequency(empty[-1], settings):.0f} Hz: they are narrower than n_fft's frequencies lie apart and "
            "always hold the lowest level; fewer n_mels, a larger n_fft or a higher f_min avoid them",
            file=sys.stderr,
        )
    recordings = {name: arguments.audio / file for name, file in read_recordings(arguments.recordings).file.items()}
    # Each process computes in one thread.
    with (
        replacing(arguments.output) as folder,
        ProcessPoolExecutor(cores(), initializer=threadpool_limits, initargs=(1,)) as pool,
    ):
        folder.mkdir()
        work = pool.map(partial(cache_recording, folder=folder, settings=settings), recordings.items())
        for _ in track(work, len(recordings), f"{arguments.audio.name} recordings cached"):
            pass


if __name__ == "__main__":
    run(main)
