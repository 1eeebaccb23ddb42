"""Checks of audio files: what is wrong or unusual with each, found by decoding it once from start to end."""

import hashlib
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from dawnchorus.audio.containers.container import UNKNOWN, Container
from dawnchorus.audio.containers.flac import FlacContainer
from dawnchorus.audio.containers.reading import examine
from dawnchorus.audio.decoding import ABSURD_PEAK, RATES, Channel, ForwardFile, open_forward, read_forward
from dawnchorus.audio.sound_checks import SoundChecks

BLOCK = 2**16
# For the place where a damaged file ends.
SMALL_BLOCK = 1024
# A decoder reads ahead, and tags may follow the sound.
MOST_UNREAD = 2**16
# Annotations are rounded. Smaller differences in length are ignored.
TOLERANCE_SECONDS = 0.1
# More than a year. libsndfile returns a larger number if it does not know the length.
MOST_FRAMES = 2**45
NO_SOUND = "no sound of a known format; if another program plays it, convert it: ffmpeg -i <file> <new file>.flac"
# Bits per sample of the encodings of FLAC.
FLAC_BITS = {"PCM_S8": 8, "PCM_16": 16, "PCM_24": 24}


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
        notes: texts from the header.
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
    notes: str = ""


def inspect(path: Path, sample_rate: int, window_seconds: float, channel: Channel = "mean") -> Inspection:
    """Decode a whole audio file, block by block, and report its faults and remarks.

    Args:
        path: the file.
        sample_rate: expected sample rate of the recordings, Hz.
        window_seconds: length of a window, s.
        channel: number of the channel that is used, from 1, or "mean" for the mean of all channels.
    """
    found = Inspection(path)
    try:
        container = examine(path)
        found.notes = container.notes
        found.faults += container.faults
        if found.faults:
            return found
        with open_forward(path) as file:
            found.rate, found.channels = file.samplerate, file.channels
            if not RATES[0] <= found.rate <= RATES[1]:
                found.faults.append(f"absurd rate: {found.rate} Hz, expected {RATES[0]} to {RATES[1]}")
                return found
            checks = _decode(file, container, found, channel)
        found.file_digest = _hash_of_file(path)
    except (OSError, soundfile.SoundFileError) as error:
        found.faults.append(f"unreadable: {_reason(path, error)}")
        return found
    if found.faults:
        return found
    if not checks.frames:
        found.faults.append("empty: no samples")
    elif checks.frames * sample_rate < found.rate:
        found.faults.append(f"empty: {checks.frames} samples at {found.rate} Hz, less than one at {sample_rate} Hz")
    elif found.peak > ABSURD_PEAK:
        found.faults.append(f"no sound: samples of up to {found.peak:.0e}, where full scale is 1")
    elif channel != "mean" and channel > found.channels:
        found.faults.append(f"no channel {channel}: the file has {found.channels}; correct data.channel in params.yaml")
    else:
        found.remarks += container.remarks + checks.remarks() + _remarks_on_format(found, container, sample_rate)
        if found.seconds < window_seconds:
            found.remarks.append(f"shorter than a window: {found.seconds:.2f} s")
    return found


def stated_seconds(path: Path) -> float:
    """The length of a recording by its container, s; 0 if it cannot be read."""
    return look_at_header(path, with_hash=False).seconds


def look_at_header(path: Path, with_hash: bool = True) -> Inspection:
    """Read only the container of a file, and hash the file, for a recording from which nothing is computed."""
    found = Inspection(path)
    try:
        container = examine(path)
        found.notes = container.notes
        found.faults += container.faults
        if not found.faults:
            with open_forward(path) as file:
                found.rate, found.channels = file.samplerate, file.channels
                frames = file.frames if container.frames is None else container.frames
            # An encoder that wrote to a pipe leaves no length in a FLAC.
            found.seconds = (frames if frames < MOST_FRAMES else _count_decodable(path)) / found.rate
            if with_hash:
                found.file_digest = found.digest = _hash_of_file(path)
    except (OSError, soundfile.SoundFileError) as error:
        found.faults.append(f"unreadable: {_reason(path, error)}")
    return found


def _reason(path: Path, error: Exception) -> str:
    """Why a file cannot be read or decoded."""
    if path.is_symlink() and not path.exists():
        return f"the file is a link to {path.readlink()}, which does not exist"
    if isinstance(error, OSError):
        return error.strerror or str(error)
    # Other errors of libsndfile call a file of a format that it does not know missing, or a pipe.
    is_known = examine(path).format != UNKNOWN
    return str(getattr(error, "error_string", error)).strip() if is_known else NO_SOUND


def _hash_of_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def _decode(file: soundfile.SoundFile, container: Container, found: Inspection, channel: Channel) -> SoundChecks:
    """Decode all samples, and fill in the properties and problems that depend on them."""
    checks = SoundChecks(found.rate, found.channels, file.subtype, channel)
    digest = hashlib.blake2b(f"{found.rate} {found.channels}".encode(), digest_size=16)
    bits = FLAC_BITS.get(file.subtype) if isinstance(container, FlacContainer) and container.md5 else None
    md5 = hashlib.md5(usedforsecurity=False)
    decoded, reason = 0, ""
    try:
        for block in read_forward(file, BLOCK, "int32" if bits else "float32"):
            decoded += len(block)
            if bits:
                md5.update(_as_bytes(block, bits))
                # Exact, because no sample has more than 24 bits.
                block = block.astype(np.float32) * np.float32(2.0**-31)
            digest.update(block.tobytes())
            checks.add(block)
    except soundfile.SoundFileError as error:
        decoded, reason = _count_decodable(found.path), f" ({str(error).strip()})"
    found.seconds, found.is_decoded = decoded / found.rate, True
    expected, tolerance = container.frames, container.tolerance
    if expected is None and file.frames < MOST_FRAMES:
        expected = file.frames
        # A WAV may hold an MP3, of which a decoder leaves out up to two frames.
        tolerance = 2304 if file.subtype.startswith("MPEG") else 0
    if expected is not None and decoded < expected - tolerance:
        found.faults.append(f"truncated: {found.seconds:.2f} of {expected / found.rate:.2f} s can be decoded{reason}")
    elif reason:
        found.faults.append(f"damaged: only the first {found.seconds:.2f} s can be decoded{reason}")
    elif isinstance(container, FlacContainer) and md5.digest() != container.md5:
        # The second decoding is rare: nearly all encoders write the checksum.
        if _is_longer(found.path):
            found.faults.append(
                f"longer than stated: the header declares {found.seconds:.2f} s, and more sound follows; repair the "
                "file: ffmpeg -i <file> <new file>.flac"
            )
        elif bits:
            found.faults.append("damaged: the samples do not have the checksum (MD5) that the header states")
    if not checks.is_finite:
        found.faults.append("NaN or infinite samples")
    else:
        found.peak, found.rms = checks.peak, checks.rms
        found.digest = digest.hexdigest()
    return checks


def _as_bytes(samples: NDArray[np.int32], bits: int) -> bytes:
    """Samples as FLAC's checksum has them: little-endian, in as many bytes as they have bits."""
    samples = samples >> (32 - bits)
    if bits == 24:
        return samples.astype("<i4").view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
    return samples.astype(f"<i{bits // 8}").tobytes()


def _count_decodable(path: Path) -> int:
    """The number of samples per channel before the first that cannot be decoded."""
    decoded = 0
    with suppress(soundfile.SoundFileError), open_forward(path) as file:
        for block in read_forward(file, SMALL_BLOCK * file.channels):
            decoded += len(block)
    return decoded


def _is_longer(path: Path) -> bool:
    """Whether the decoder leaves much of the file unread when it has as many samples as the header states."""
    with path.open("rb") as raw, ForwardFile(raw) as file:
        for _ in read_forward(file, BLOCK):
            continue
        return path.stat().st_size - raw.tell() > MOST_UNREAD


def _remarks_on_format(found: Inspection, container: Container, sample_rate: int) -> list[str]:
    """Unusual properties of the format. Recorders write suffixes in upper case, too."""
    remarks = []
    suffix = found.path.suffix
    if container.format != UNKNOWN and suffix.lower() not in container.suffixes:
        remarks.append(f"{container.format} by content: named {suffix}")
    if found.rate != sample_rate:
        remarks.append(f"another rate: {found.rate} Hz")
    if found.channels > 1:
        remarks.append("stereo" if found.channels == 2 else f"several channels: {found.channels}")
    return remarks
