"""Lengths of very many recordings, estimated from their sizes without opening each."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

import soundfile

from dawnchorus.audio.decoding import RATES

# Files that are opened at most, each some milliseconds on a network file system.
MOST_OPENED = 1000
# 16 bits at 48 kHz, for files of a kind that cannot be opened.
BYTES_PER_SECOND = 96_000.0
# More than a year. libsndfile returns a larger number if it does not know the length.
MOST_SECONDS = 4e7


def estimate_seconds(sizes: Mapping[Path, int]) -> dict[Path, float]:
    """Estimate lengths. The header of one file tells the bit rate of all of its format in its folder.

    Where there are very many folders, those between share the median of the others.

    Args:
        sizes: of audio files, bytes.

    Returns:
        The length of each, s.
    """
    groups: dict[tuple[Path, str], list[Path]] = defaultdict(list)
    for path in sizes:
        groups[path.parent, path.suffix.lower()].append(path)
    step = -(-len(groups) // MOST_OPENED)
    rates = {
        key: _bytes_per_second(sorted(groups[key], key=sizes.__getitem__)) for key in list(groups)[:: max(1, step)]
    }
    by_suffix: dict[str, list[float]] = defaultdict(list)
    for (_, suffix), rate in rates.items():
        by_suffix[suffix] += [rate] if rate else []
    found: dict[Path, float] = {}
    for key, files in groups.items():
        others = by_suffix[key[1]]
        rate = rates.get(key) or (median(others) if others else BYTES_PER_SECOND)
        found |= {path: sizes[path] / rate for path in files}
    return found


def _bytes_per_second(files: Sequence[Path]) -> float | None:
    """The bit rate of the file in the middle, which is neither cut off nor joined; None if it cannot be read."""
    path = files[len(files) // 2]
    try:
        # Opening a pipe would wait for its other end.
        if not path.is_file():
            return None
        header, size = soundfile.info(path), path.stat().st_size
    except (OSError, soundfile.SoundFileError):
        return None
    if header.frames <= 0 or not RATES[0] <= header.samplerate <= RATES[1] or header.duration > MOST_SECONDS:
        return None
    return size / header.duration
