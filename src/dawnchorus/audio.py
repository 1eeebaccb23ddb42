"""Reading recordings."""

from pathlib import Path

import librosa
import numpy as np
import soundfile
from numpy.typing import NDArray

from dawnchorus.errors import InputError

SUFFIXES = (".flac", ".wav", ".ogg", ".mp3")


def list_recordings(folder: Path) -> dict[str, Path]:
    """The audio files directly in a folder by recording_id, which is the file's name without its suffix, sorted.

    Raises:
        InputError: the folder is missing or has no audio file, or two files are one recording.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: is missing; `data.root` in params.yaml names the folder that holds it")
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in SUFFIXES:
            if path.stem in found:
                raise InputError(f"{path}: recording {path.stem!r} is there twice, as {found[path.stem].name} too")
            found[path.stem] = path
    if not found:
        raise InputError(f"{folder}: holds no recording; expected files that end in {', '.join(SUFFIXES)}")
    return found


def read_recording(path: Path, sample_rate: int) -> NDArray[np.float32]:
    """Read a recording as mono samples in -1 to 1, shape [Samples], at `sample_rate` Hz.

    Channels are averaged; another rate is resampled by soxr.

    Raises:
        InputError: the file cannot be decoded or has no samples.
    """
    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (OSError, soundfile.SoundFileError) as error:
        raise InputError(f"{path}: cannot be decoded: {error}; replace or remove the file") from error
    if not len(samples):
        raise InputError(f"{path}: has no samples; replace or remove the file")
    mono = samples.mean(axis=1)
    if rate != sample_rate:
        mono = librosa.resample(mono, orig_sr=rate, target_sr=sample_rate)
    return mono
