"""Quality checks and caching of damaged audio files, as a separate process that may crash or hang.

`python tests/fuzzed_audio.py <kind> <cases> <folder>` prints the count of each outcome. `<folder>/case` has the number
of the current case; its audio file is in the same folder. Where ffmpeg is installed, it decodes each usable file too:
length and the place of a click must agree.
"""

import itertools
import json
import resource
import shutil
import struct
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import scipy.signal
import soundfile
from numpy.typing import NDArray
from tiny import ROOT

from dawnchorus.audio.decoding import open_forward, read_blocks, read_forward
from dawnchorus.audio.file_checks import inspect
from dawnchorus.config.loading import load_params
from dawnchorus.config.spectrogram import Spectrogram
from dawnchorus.data.quality import as_table
from dawnchorus.errors import InputError
from dawnchorus.features.mel import mel_blocks
from dawnchorus.features.store import FeatureStore, from_codes, write_features

# Suffix, rate (Hz), channels and encoding of the original file, by kind.
KINDS: dict[str, tuple[str, int, int, dict[str, str]]] = {
    "wav": ("wav", 48_000, 2, {}),
    "float": ("wav", 22_050, 1, {"subtype": "FLOAT"}),
    "headings": ("wav", 48_000, 1, {}),
    "flac": ("flac", 48_000, 2, {}),
    "ogg": ("ogg", 44_100, 1, {}),
    "mp3": ("mp3", 48_000, 1, {}),
}
# Differences from ffmpeg or the original of up to this many samples, the longest block of a format, are allowed.
BLOCK = 4096
MOST_CHANNELS = 63
CLICK = 0.6  # as a fraction of the length
# Limit of additional memory, in bytes. None of these small files may need more.
MEMORY = 2**30


def damaged(good: bytes, rng: np.random.Generator) -> bytes:
    """Damage a file: flip, set, cut off, insert or repeat bytes, or replace them by an implausible number."""
    content = bytearray(good)
    for _ in range(rng.integers(1, 4)):
        if not content:
            break
        within_heading = rng.random() < 0.6
        at = int(rng.integers(min(len(content), 64) if within_heading else len(content)))
        match rng.integers(6):
            case 0:
                content[at] ^= 1 << int(rng.integers(8))
            case 1:
                content[at] = int(rng.integers(256))
            case 2:
                del content[int(rng.integers(len(content))) :]
            case 3:
                content[at:at] = rng.bytes(int(rng.integers(1, 40)))
            case 4:
                content[at:at] = content[at : at + int(rng.integers(1, 200))]
            case 5:
                width = int(rng.choice([2, 4, 8]))
                number = int(rng.choice([0, 1, -1, 255, 2**16, 2**31 - 1, -(2**31), 2**36 - 1]))
                content[at : at + width] = struct.pack(rng.choice(["<q", ">q"]), number)[:width]
    return bytes(content)


def with_valid_sums(content: bytes) -> bytes:
    """Correct the checksums of the pages of an OGG file, because libogg skips pages with wrong checksums."""
    found = bytearray(content)
    starts = [*(at for at in range(len(found)) if found[at : at + 4] == b"OggS"), len(found)]
    for start, end in itertools.pairwise(starts):
        if end - start >= 27:
            found[start + 22 : start + 26] = bytes(4)
            found[start + 22 : start + 26] = struct.pack("<I", _ogg_sum(found[start:end]))
    return bytes(found)


def _ogg_sum(page: bytearray) -> int:
    value = 0
    for byte in page:
        value = (value << 8) & 0xFFFFFFFF ^ SUMS[value >> 24 ^ byte]
    return value


def _sums() -> list[int]:
    values = []
    for value in range(256):
        value <<= 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value >> 31 else 0)) & 0xFFFFFFFF
        values.append(value)
    return values


SUMS = _sums()


def headings(good: bytes) -> Iterator[bytes]:
    """WAV files with all combinations of valid and invalid numbers in the header."""
    for kind, channels, rate, bits, size in itertools.product(
        [1, 3, 0xFFFE], [0, 1, 1024, 65_535], [0, 1, 999, 48_000, 10_000_001, 2**31 - 1, 2**32 - 1], [0, 8, 16, 64],
        [0, 2, 2**31 - 1, 2**32 - 1],
    ):  # fmt: skip
        frame = min(channels * bits // 8, 65_535)
        yield (
            good[:20]
            + struct.pack("<HHIIHH", kind, channels, rate, rate * frame % 2**32, frame, bits)
            + good[36:40]
            + struct.pack("<I", size)
            + good[44:]
        )


def outcome(path: Path, settings: Spectrogram) -> str:
    """Check and cache a file, and return "usable" or the kind of fault. Unexpected errors end the process."""
    found = inspect(path, settings.sample_rate, window_seconds=3.0)
    assert np.isfinite([found.rate, found.seconds, found.peak, found.rms]).all(), found
    assert not as_table({"train": {"a": found}}, {"train": {"a": ""}}, {}, path.parent).isna().any(axis=None)
    try:
        blocks = list(mel_blocks(read_blocks(path, settings.sample_rate), settings))
    except InputError as error:
        message = str(error)
        if str(path) not in message or not found.faults:
            raise AssertionError(f"the quality checks find {found.faults}") from error
        return found.faults[0].split(":")[0]
    spectrogram = np.concatenate(blocks)
    assert np.isfinite(spectrogram).all()
    assert spectrogram.min() >= -100
    write_features(path.parent, "a", blocks)
    store = FeatureStore(path.parent)
    stored = np.empty(spectrogram.shape, np.int16)
    store.read("a", 0, stored)
    assert store.frames("a") == len(spectrogram)
    np.testing.assert_allclose(from_codes(stored), np.minimum(spectrogram, 127.99), atol=0.01)
    if found.faults:
        return found.faults[0].split(":")[0]
    frame = settings.hop_length / settings.sample_rate
    assert abs(len(spectrogram) * frame - found.seconds) <= 2 * frame, (len(spectrogram), found)
    return "usable"


def agrees(path: Path, original: NDArray[np.float32]) -> bool:
    """Whether length and click of a usable file are as ffmpeg decodes them, or as in the original file."""
    with open_forward(path) as file:
        rate, channels = file.samplerate, file.channels
        ours = np.concatenate([block.mean(axis=1) for block in read_forward(file, 2**16)])
    command = ["ffmpeg", "-nostdin", "-v", "quiet", "-i", str(path), "-ar", str(rate), "-f", "f32le", "-"]
    content = subprocess.run(command, stdout=subprocess.PIPE).stdout
    size = 4 * channels
    theirs = np.frombuffer(content[: len(content) // size * size], "<f4").reshape(-1, channels).mean(axis=1)
    if channels > MOST_CHANNELS:
        # ffmpeg refuses as many.
        return not len(theirs)
    if not ours.any():
        # Nothing tells where silence is.
        return not theirs.any()
    return any(
        len(other) > 0 and abs(len(ours) - len(other)) <= BLOCK and abs(delay(ours, other)) <= BLOCK
        for other in (theirs, original)
    )


def delay(one: NDArray[np.float32], other: NDArray[np.float32]) -> int:
    """By how many samples a recording is later than another, by the signs, which a loud click cannot dominate."""
    product = scipy.signal.correlate(np.sign(one), np.sign(other), method="fft")
    return int(product.argmax()) - (len(other) - 1)


def main() -> None:
    kind, cases, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    suffix, rate, channels, options = KINDS[kind]
    path = folder / f"a.{suffix}"
    samples = np.random.default_rng(0).normal(0, 0.02, (rate, channels))
    click = int(CLICK * rate)
    samples[click : click + 16] += np.hanning(16)[:, None] * 0.8
    soundfile.write(path, samples, rate, **options)
    good = path.read_bytes()
    settings = load_params(ROOT / "params.yaml").spectrogram
    assert outcome(path, settings) == "usable"
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))

    rng = np.random.default_rng(list(kind.encode()))
    contents = headings(good) if kind == "headings" else (damaged(good, rng) for _ in range(cases))
    outcomes: Counter[str] = Counter()
    has_ffmpeg = shutil.which("ffmpeg") is not None
    for case, content in enumerate(itertools.islice(contents, cases)):
        (folder / "case").write_text(str(case))
        path.write_bytes(with_valid_sums(content) if kind == "ogg" and case % 2 else content)
        found = outcome(path, settings)
        outcomes[found] += 1
        if found == "usable" and has_ffmpeg:
            assert agrees(path, samples.mean(axis=1)), "length or position differ from ffmpeg's and the original's"
    print(json.dumps(outcomes))


if __name__ == "__main__":
    main()
