"""OGG: pages with a number, a checksum and the position of their last sample."""

import os
import struct
from dataclasses import dataclass
from functools import cache
from typing import BinaryIO

from dawnchorus.audio.containers.container import Container, several_streams

MAGIC = b"OggS"
# RFC 3533: capture pattern, version, flags, position, stream, number of the page, checksum, number of segments.
HEADER = struct.Struct("<4sBBqIIIB")
FIRST, LAST = 2, 4
# By the first bytes of a stream.
CODECS = {
    b"\x01vorbis": "Vorbis",
    b"OpusHead": "Opus",
    b"\x7fFLAC": "FLAC",
    b"Speex   ": "Speex",
    b"fishead": "Skeleton",
}
DECODED = ("Vorbis", "Opus")
BLOCK = 2**16
POLYNOMIAL = 0x04C11DB7


@dataclass(frozen=True)
class Page:
    """A page: offset, offset of its body, offset of the next page, flags, stream and number."""

    start: int
    body: int
    end: int
    flags: int
    stream: int
    number: int


def examine(file: BinaryIO) -> Container:
    """Look for damaged, missing and foreign pages, which decoders skip.

    Args:
        file: a file that begins with `MAGIC`.
    """
    found = Container("OGG", (".ogg", ".oga", ".opus"))
    size = file.seek(0, os.SEEK_END)
    page = _page(file, 0)
    if page is None:
        found.faults.append("unreadable: the first page is incomplete")
        return found
    file.seek(page.body)
    start = file.read(8)
    codec = next((name for magic, name in CODECS.items() if start.startswith(magic)), "an unknown codec")
    if codec not in DECODED:
        found.faults.append(
            f"unreadable: {codec} in OGG cannot be decoded; convert it to FLAC: ffmpeg -i <file> <new file>.flac"
        )
        return found
    first = page
    while page.end < size:
        following = _page(file, page.end)
        if following is None or following.end > size:
            after = _find_page(file, page.end + 1)
            if after is None and page.flags & LAST:
                found.remarks.append(f"padded: {size - page.end} bytes follow the sound")
                break
            if after is None:
                found.faults.append(f"truncated: no whole page follows byte {page.end} of {size}")
            else:
                found.faults.append(f"hole: bytes {page.end} to {after} are damaged, and all after them would be early")
            return found
        if following.stream != first.stream or following.flags & FIRST:
            found.faults.append(several_streams(following.start))
            return found
        if following.number != (page.number + 1) % 2**32:
            found.faults.append(
                f"hole: pages {page.number + 1} to {following.number - 1} are missing at byte {page.end}, and all "
                "after them would be early"
            )
            return found
        page = following
    if not _is_valid(file, page):
        found.faults.append(f"truncated: the last page, at byte {page.start}, is damaged")
    elif not page.flags & LAST:
        found.remarks.append("no end mark: the recording was cut off, or the recorder did not finish the file")
    return found


def _page(file: BinaryIO, at: int) -> Page | None:
    """The page at an offset; None where there is none."""
    file.seek(at)
    header = file.read(HEADER.size)
    if len(header) < HEADER.size or header[:5] != MAGIC + b"\0":
        return None
    _, _, flags, _, stream, number, _, n_segments = HEADER.unpack(header)
    segments = file.read(n_segments)
    body = at + HEADER.size + n_segments
    return Page(at, body, body + sum(segments), flags, stream, number)


def _find_page(file: BinaryIO, at: int) -> int | None:
    """The offset of the next page after a hole."""
    file.seek(at)
    tail = b""
    while block := file.read(BLOCK):
        place = (tail + block).find(MAGIC)
        if place >= 0:
            return file.tell() - len(tail + block) + place
        tail = block[-3:]
    return None


def _is_valid(file: BinaryIO, page: Page) -> bool:
    """Whether the checksum of a page fits its content."""
    file.seek(page.start)
    content = bytearray(file.read(page.end - page.start))
    (stated,) = struct.unpack_from("<I", content, 22)
    content[22:26] = bytes(4)
    value = 0
    for byte in content:
        value = (value << 8) & 0xFFFFFFFF ^ _checksums()[value >> 24 ^ byte]
    return value == stated


@cache
def _checksums() -> list[int]:
    values = []
    for value in range(256):
        value <<= 24
        for _ in range(8):
            value = (value << 1 ^ (POLYNOMIAL if value >> 31 else 0)) & 0xFFFFFFFF
        values.append(value)
    return values
