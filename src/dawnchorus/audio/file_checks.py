"""Checks of audio files: what is wrong or unusual with each, found by decoding it once from start to end."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from dawnchorus.audio.decoding import ABSURD_PEAK, RATES

BLOCK = 2**20
# Annotations are rounded, and MP3 decoders cut or pad some frames. Smaller differences in length are ignored.
TOLERANCE_SECONDS = 0.1
# This many consecutive samples at full scale count as clipping.
CLIPPED_RUN = 3
FULL_SCALE = 0.999
# More than a year. libsndfile returns a larger number if a FLAC header has no length.
MOST_FRAMES = 2**45
# Some recorders count a chunk header or a padding byte too many.
RIFF_TOLERANCE = 16
# A WAV written to a pipe has this value, because its size was unknown.
UNKNOWN_RIFF_SIZE = 0xFFFFFFFF


@dataclass
class Inspection:
    """Properties and problems of one audio file.

    Attributes:
        path: the file.
        rate: sample rate, Hz; 0 if the file is unreadable.
        channels: number of channels.
        seconds: length of the part that can be decoded, s.
        peak: largest absolute sample; full scale is 1.
        rms: root mean square of the samples.
        is_decoded: whether the file was decoded; peak and rms are 0 where it was not.
        file_digest: hash of the file.
        digest: hash of rate, channels and decoded samples; hash of the file if it was not decoded.
        faults: reasons why the recording is unusable.
        remarks: unusual but harmless properties.
    """

    path: Path
    rate: int = 0
    channels: int = 0
    seconds: float = 0.0
    peak: float = 0.0
    rms: float = 0.0
    is_decoded: bool = False
    file_digest: str = ""
    digest: str = ""
    faults: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def inspect(path: Path, sample_rate: int, window_seconds: float) -> Inspection:
    """Decode a whole audio file, block by block, and report its faults and remarks.

    Args:
        path: the file.
        sample_rate: expected sample rate of the recordings, Hz.
        window_seconds: length of a window, s.
    """
    found = Inspection(path)
    try:
        with soundfile.SoundFile(path) as file:
            found.rate, found.channels = file.samplerate, file.channels
            if file.format == "MP3" and path.suffix.lower() != ".mp3":
                found.remarks.append(f"MP3 by content: named {path.suffix}")
            if not RATES[0] <= found.rate <= RATES[1]:
                found.faults.append(f"absurd rate: {found.rate} Hz, expected {RATES[0]} to {RATES[1]}")
                return found
            _decode(file, found)
        found.file_digest = _hash_of_file(path)
    except (OSError, soundfile.SoundFileError) as error:
        found.faults.append(f"unreadable: {str(error).strip()}")
        return found
    if path.suffix != path.suffix.lower():
        found.remarks.append(f"upper-case extension: {path.suffix}")
    size = path.stat().st_size
    riff_size = _riff_size(path)
    if riff_size != UNKNOWN_RIFF_SIZE and riff_size + 8 > size + RIFF_TOLERANCE:
        found.faults.append(f"truncated: the header declares {riff_size + 8} bytes, the file has {size}")
    if found.faults:
        return found
    if found.seconds == 0:
        found.faults.append("empty: no samples")
        return found
    if found.peak > ABSURD_PEAK:
        found.faults.append(f"no sound: samples of up to {found.peak:.0e}, where full scale is 1")
        return found
    if found.peak == 0:
        found.remarks.append("silent")
    if found.rate != sample_rate:
        found.remarks.append(f"another rate: {found.rate} Hz")
    if found.channels > 1:
        found.remarks.append("stereo" if found.channels == 2 else f"several channels: {found.channels}")
    if found.seconds < window_seconds:
        found.remarks.append(f"shorter than a window: {found.seconds:.2f} s")
    return found


def look_at_header(path: Path) -> Inspection:
    """Read only the header of a file, for a recording from which nothing is computed."""
    found = Inspection(path)
    try:
        header = soundfile.info(path)
        found.rate, found.channels, found.seconds = header.samplerate, header.channels, header.duration
        found.file_digest = found.digest = _hash_of_file(path)
    except (OSError, soundfile.SoundFileError) as error:
        found.faults.append(f"unreadable: {str(error).strip()}")
    return found


def _hash_of_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def _decode(file: soundfile.SoundFile, found: Inspection) -> None:
    """Decode all samples and fill in the properties and problems that depend on them."""
    expected, decoded, squares, clipped, finite = file.frames, 0, 0.0, False, True
    digest = hashlib.blake2b(f"{found.rate} {found.channels}".encode(), digest_size=16)
    reason = ""
    try:
        while len(block := file.read(max(1, BLOCK // file.channels), dtype="float32", always_2d=True)):
            decoded += len(block)
            finite = finite and bool(np.isfinite(block).all())
            digest.update(block.tobytes())
            if finite:
                found.peak = max(found.peak, float(np.abs(block).max()))
                squares += float(np.square(block, dtype=np.float64).sum())
                clipped = clipped or _is_clipped(block)
    except soundfile.SoundFileError as error:
        reason = f" ({str(error).strip()})"
    found.seconds, found.is_decoded = decoded / found.rate, True
    if expected > MOST_FRAMES:
        found.faults.append(f"unreadable: the header has no length{reason}; encode the file again")
    elif reason or decoded < expected - TOLERANCE_SECONDS * found.rate:
        found.faults.append(f"truncated: {found.seconds:.2f} of {expected / found.rate:.2f} s can be decoded{reason}")
    if not finite:
        found.peak = 0.0
        found.faults.append("NaN or infinite samples")
    elif decoded:
        found.rms = float(np.sqrt(squares / (decoded * found.channels)))
        found.digest = digest.hexdigest()
    if clipped:
        found.remarks.append("clipped")


def _is_clipped(block: NDArray[np.float32]) -> bool:
    full = np.abs(block) >= FULL_SCALE
    runs = full[: len(full) - CLIPPED_RUN + 1].copy()
    for shift in range(1, CLIPPED_RUN):
        runs &= full[shift : shift + len(runs)]
    return bool(runs.any())


def _riff_size(path: Path) -> int:
    """The size in bytes that the RIFF header of a WAV declares; 0 for other files."""
    with path.open("rb") as file:
        head = file.read(8)
    return int.from_bytes(head[4:8], "little") if head[:4] == b"RIFF" else 0
