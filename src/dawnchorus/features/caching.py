"""Caching the spectrograms of many recordings, on several cores."""

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from threadpoolctl import threadpool_limits

from dawnchorus.audio.decoding import Channel, read_blocks
from dawnchorus.config.spectrogram import Spectrogram
from dawnchorus.errors import InputError
from dawnchorus.features.mel import mel_blocks
from dawnchorus.features.store import write_features
from dawnchorus.progress import track


def cache_spectrograms(
    recordings: dict[str, Path],
    folder: Path,
    settings: Spectrogram,
    channel: Channel,
    workers: int,
    what: str,
    skip_bad: bool = False,
) -> list[str]:
    """Write the spectrogram of each recording into a folder.

    Args:
        recordings: audio files by the name that their spectrogram gets below the folder, without its suffix.
        folder: gets `<name>.npy`.
        settings: of the spectrograms.
        channel: number of the channel to use, from 1, or "mean".
        workers: processes, each of which computes in one thread.
        what: shown as progress, for example "train recordings cached".
        skip_bad: whether a recording that cannot be decoded is left out.

    Returns:
        Why recordings were left out, a text for each.

    Raises:
        InputError: a recording cannot be decoded, and `skip_bad` is false.
        OSError: a recording is missing or may not be read.
    """
    cache = partial(_cache, folder=folder, settings=settings, channel=channel, skip_bad=skip_bad)
    with ProcessPoolExecutor(workers, initializer=threadpool_limits, initargs=(1,)) as pool:
        return [why for why in track(pool.map(cache, recordings.items()), len(recordings), what) if why]


def _cache(recording: tuple[str, Path], folder: Path, settings: Spectrogram, channel: Channel, skip_bad: bool) -> str:
    """Cache a recording; returns why it was left out, or nothing."""
    name, path = recording
    if skip_bad:
        # A file that is missing or may not be read is no bad recording: its `OSError` ends the run.
        path.open("rb").close()
    try:
        write_features(folder, name, mel_blocks(read_blocks(path, settings.sample_rate, channel), settings))
    except InputError as error:
        if not skip_bad:
            raise
        return str(error)
    return ""
