"""MP3: a list of frames, each with a header that gives its length; the file has no length of its own.

The first frame may hold an Info or Xing header with the number of frames, and the samples that an encoder added at both
ends. Decoders believe it, and without it they estimate.
"""

import os
import re
from dataclasses import dataclass
from typing import BinaryIO

from dawnchorus.audio.containers.container import UNKNOWN, Container, several_streams

# ISO 11172-3 and 13818-3, layer III: kbit/s by index, for MPEG 1 and for MPEG 2 and 2.5.
BIT_RATES = (
    (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
)
RATES = (44_100, 48_000, 32_000)
# Tags may stand before, between and behind the frames.
TAGS = (b"ID3", b"TAG", b"APETAGEX", b"LYRICSBEGIN")
BLOCK = 2**16
# Decoders look this far for the first frame.
MOST_JUNK = 2**16
# The first two bytes of a frame of layer III.
START = re.compile(rb"\xff[\xe2\xe3\xf2\xf3\xfa\xfb]")


@dataclass(frozen=True)
class Frame:
    """A frame's header.

    Attributes:
        kind: MPEG version, sample rate and whether it is mono: equal in all frames of a stream.
        size: bytes.
        samples: samples per channel.
        side: bytes between the header and the main data.
    """

    kind: tuple[int, int, bool]
    size: int
    samples: int
    side: int


def parse_header(header: bytes) -> Frame | None:
    """The frame that begins with four bytes; None if they are no header of layer III, or one of free format."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return None
    version = header[1] >> 3 & 3
    bit_rate, rate = header[2] >> 4, header[2] >> 2 & 3
    if version == 1 or rate == 3 or bit_rate in (0, 15):
        return None
    is_1, is_mono = version == 3, header[3] >> 6 == 3
    hertz = RATES[rate] // {3: 1, 2: 2, 0: 4}[version]
    size = (144 if is_1 else 72) * 1000 * BIT_RATES[not is_1][bit_rate] // hertz + (header[2] >> 1 & 1)
    side = (17 if is_mono else 32) if is_1 else (9 if is_mono else 17)
    return Frame((version, hertz, is_mono), size, 1152 if is_1 else 576, side)


def examine(file: BinaryIO) -> Container:
    """Count the frames, and look for gaps between them and for another stream behind the first.

    Args:
        file: the file.
    """
    size = file.seek(0, os.SEEK_END)
    start = find_start(file)
    first = None if start is None else _frame(file, start)
    if start is None or first is None:
        # Layer I or II, free format, or no MP3 at all.
        return Container(UNKNOWN, ())
    at = start
    info = _info(file, at, first)
    if info is not None:
        # Its frame has no sound.
        at += first.size
    n_frames = 0
    faults: list[str] = []
    while at < size:
        frame = _frame(file, at)
        if frame is not None and frame.kind == first.kind and at + frame.size <= size:
            if _info(file, at, frame) is not None:
                faults.append(several_streams(at))
                break
            n_frames += 1
            at += frame.size
            continue
        more = _find_frame(file, at + 1, size, size)
        if more is None:
            break
        file.seek(at)
        is_tag = file.read(12).startswith(TAGS)
        seconds = n_frames * first.samples / first.kind[1]
        faults.append(
            several_streams(more)
            if is_tag
            else f"hole: bytes {at} to {more}, {seconds:.2f} s from the start, are damaged, and all after them "
            "would be early"
        )
        break
    if not faults and info is not None and info.n_frames is not None and abs(n_frames - info.n_frames) > 1:
        stated, there = (n * first.samples / first.kind[1] for n in (info.n_frames, n_frames))
        faults.append(
            f"longer than stated: the header declares {stated:.2f} s, the frames have {there:.2f} s; repair the "
            "header: ffmpeg -i <file> -c copy <new file>.mp3"
            if there > stated
            else f"truncated: the header declares {stated:.2f} s, the frames have {there:.2f} s"
        )
    samples = max(0, n_frames * first.samples - (info.added if info is not None else 0))
    # A decoder may leave out the first frame if it needs data from one before.
    return Container("MP3", (".mp3",), samples, first.samples, faults)


@dataclass(frozen=True)
class Info:
    """An Info or Xing header: the number of frames behind it, and the samples that the encoder added at both ends."""

    n_frames: int | None
    added: int


def _info(file: BinaryIO, at: int, frame: Frame) -> Info | None:
    file.seek(at + 4 + frame.side)
    content = file.read(min(frame.size - 4 - frame.side, 160))
    if content[:4] not in (b"Xing", b"Info"):
        return None
    flags = int.from_bytes(content[4:8])
    n_frames = int.from_bytes(content[8:12]) if flags & 1 else None
    # LAME's extension follows four optional fields: frames, bytes, table of contents, quality.
    lame = 8 + sum(size for bit, size in enumerate((4, 4, 100, 4)) if flags >> bit & 1)
    # Delay and padding have 12 bits each.
    both = int.from_bytes(content[lame + 21 : lame + 24]) if len(content) >= lame + 24 else 0
    return Info(n_frames, (both >> 12) + (both & 0xFFF))


def _frame(file: BinaryIO, at: int) -> Frame | None:
    file.seek(at)
    return parse_header(file.read(4))


def find_start(file: BinaryIO) -> int | None:
    """The offset of the first frame, behind tags and up to 64 KiB of anything else; None if there is none.

    Args:
        file: the file.
    """
    size = file.seek(0, os.SEEK_END)
    start = skip_id3(file, 0)
    file.seek(start)
    header = file.read(32)
    if header.startswith(b"APETAGEX"):
        start += 32 + int.from_bytes(header[12:16], "little")
    return _find_frame(file, start, min(size, start + MOST_JUNK), size)


def _find_frame(file: BinaryIO, at: int, last: int, size: int) -> int | None:
    """The first offset from `at` to `last` of a frame that another frame, or the end of the file, follows."""
    while at < last:
        file.seek(at)
        block = file.read(BLOCK + 3)
        for match in START.finditer(block):
            place = at + match.start()
            frame = parse_header(block[match.start() : match.start() + 4])
            if frame is not None and place < last:
                following = _frame(file, place + frame.size)
                if place + frame.size == size or (following is not None and following.kind == frame.kind):
                    return place
        at += BLOCK
    return None


def skip_id3(file: BinaryIO, at: int) -> int:
    """The offset behind the ID3v2 tags at an offset."""
    while True:
        file.seek(at)
        header = file.read(10)
        if len(header) < 10 or header[:3] != b"ID3":
            return at
        # The size has four bytes of seven bits.
        at += 10 + sum((byte & 0x7F) << shift for byte, shift in zip(header[6:], (21, 14, 7, 0), strict=True))
        at += 10 * (header[5] >> 4 & 1)
