"""The pre-flight of recordings: what is wrong or unusual with each, before anything is computed from them."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
from numpy.typing import NDArray

from dawnchorus.audio.decoding import ABSURD_PEAK, RATES

BLOCK = 2**20


# Annotations are rounded, and MP3 decoders cut or pad some frames: so much too long or too short is nothing.
TOLERANCE_SECONDS = 0.1


# So many samples at full scale in succession are no peak but one that was cut off.
CLIPPED_RUN = 3


FULL_SCALE = 0.999


# More than a year; libsndfile's answer where a FLAC does not say its length.
MOST_FRAMES = 2**45


# Recorders count a heading or a filling byte too much.
RIFF_TOLERANCE = 16


# A WAV that was written to a pipe says this, for its size was not known.
UNKNOWN_RIFF_SIZE = 0xFFFFFFFF


@dataclass
class Inspection:
    """What one audio file holds.

    Attributes:
        path: the file.
        rate: samples a second; 0 where nothing can be read.
        channels: number of channels.
        seconds: length of what can be decoded.
        peak: largest absolute sample, full scale being 1.
        rms: root mean square of the samples.
        digest: hash of the decoded samples.
        same_as: the first file with the same samples, of those in its folder.
        faults: why the recording cannot be used.
        remarks: what is unusual and does no harm.
    """

    path: Path
    rate: int = 0
    channels: int = 0
    seconds: float = 0.0
    peak: float = 0.0
    rms: float = 0.0
    digest: str = ""
    same_as: Path | None = None
    faults: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def inspect(path: Path, sample_rate: int, window_seconds: float) -> Inspection:
    """Decode a whole audio file, block by block, and say what is wrong or unusual with it.

    Args:
        path: the file.
        sample_rate: the rate that recordings are expected to have, Hz.
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
    except (OSError, soundfile.SoundFileError) as error:
        found.faults.append(f"unreadable: {str(error).strip()}")
        return found
    if path.suffix != path.suffix.lower():
        found.remarks.append(f"upper-case extension: {path.suffix}")
    size = path.stat().st_size
    riff_size = _riff_size(path)
    if riff_size != UNKNOWN_RIFF_SIZE and riff_size + 8 > size + RIFF_TOLERANCE:
        found.faults.append(f"truncated: its header says {riff_size + 8} bytes, the file has {size}")
    if found.faults:
        return found
    if found.seconds == 0:
        found.faults.append("empty: no samples")
        return found
    if found.peak > ABSURD_PEAK:
        found.faults.append(f"no sound: samples of up to {found.peak:.0e}, full scale being 1")
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


def _decode(file: soundfile.SoundFile, found: Inspection) -> None:
    """Fill in what the samples say."""
    expected, decoded, squares, clipped, finite = file.frames, 0, 0.0, False, True
    digest = hashlib.blake2b(digest_size=16)
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
    found.seconds = decoded / found.rate
    if expected > MOST_FRAMES:
        found.faults.append(f"unreadable: its length is not in its header{reason}; encode it again")
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
    """The size in bytes that a WAV's first chunk says; 0 for other files."""
    with path.open("rb") as file:
        head = file.read(8)
    return int.from_bytes(head[4:8], "little") if head[:4] == b"RIFF" else 0


def add_duplicates(inspections: Iterable[Inspection]) -> None:
    """Say of each usable recording which is the first of its folder with its samples; remark on every later copy."""
    first: dict[str, Path] = {}
    first_of_folder: dict[tuple[str, Path], Path] = {}
    for one in inspections:
        if one.faults:
            continue
        other = first.setdefault(one.digest, one.path)
        if other != one.path:
            one.remarks.append(f"duplicate content: same samples as {other.parent.name}/{other.name}")
        one.same_as = first_of_folder.setdefault((one.digest, one.path.parent), one.path)


def add_labels_past_the_end(inspections: dict[str, Inspection], tables: dict[str, pd.DataFrame]) -> None:
    """Fault each recording, if nothing else is wrong with it, that an annotation reaches beyond.

    Args:
        inspections: by recording_id.
        tables: annotations of them by file name; the index is the line in the file less 2.
    """
    ends = pd.Series({recording_id: one.seconds for recording_id, one in inspections.items() if not one.faults})
    for name, table in tables.items():
        past = table.t_max > table.recording_id.map(ends) + TOLERANCE_SECONDS
        for recording_id, rows in table[past].groupby("recording_id"):
            line, t_max = rows.index[0] + 2, rows.t_max.iloc[0]
            more = f" and {len(rows) - 1} more rows" if len(rows) > 1 else ""
            inspections[recording_id].faults.append(
                f"labels past the end: {name} line {line}{more}: t_max {t_max:g} s, "
                f"recording {ends[recording_id]:.2f} s"
            )


def as_table(inspections: dict[str, dict[str, Inspection]]) -> pd.DataFrame:
    """A row for each recording.

    Args:
        inspections: by split and recording_id.

    Returns:
        split, recording_id, file, rate (Hz), channels, seconds, peak, rms, usable (0 or 1), same_as (the split's first
        recording with the same samples), problem (faults, then remarks; empty for none).
    """
    rows = [
        {
            "split": split,
            "recording_id": recording_id,
            "file": one.path.name,
            "rate": one.rate,
            "channels": one.channels,
            "seconds": round(one.seconds, 3),
            "peak": round(one.peak, 5),
            "rms": round(one.rms, 6),
            "usable": int(not one.faults),
            "same_as": one.same_as.stem if one.same_as else recording_id,
            "problem": "; ".join(one.faults + one.remarks),
        }
        for split, by_id in inspections.items()
        for recording_id, one in by_id.items()
    ]
    return pd.DataFrame(rows)


def summary(inspections: dict[str, dict[str, Inspection]]) -> str:
    """A few lines: how many recordings there are, how long, and how often each problem, by split and recording_id."""
    lines = []
    for split, by_id in inspections.items():
        hours = sum(one.seconds for one in by_id.values()) / 3600
        unusable = sum(bool(one.faults) for one in by_id.values())
        lines.append(f"{split}: {len(by_id)} recordings, {hours:.1f} h, {unusable} of them cannot be used")
        kinds = Counter(text.split(":")[0] for one in by_id.values() for text in one.faults + one.remarks)
        lines += [f"  {kind}: {count}" for kind, count in kinds.most_common()]
    return "\n".join(lines)
