"""FLAC: a header with the number of samples, their checksum and comments, then frames."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from dawnchorus.audio.containers.container import Container, several_streams

MAGIC = b"fLaC"
# The first block of metadata, STREAMINFO, has 34 bytes; the highest bit tells whether it is the last.
STREAMINFO = (b"fLaC\0\0\0\x22", b"fLaC\x80\0\0\x22")
BLOCK = 2**20
# The type of a block of metadata with comments, "key=value" each, and of one that cannot be.
COMMENTS, FORBIDDEN = 4, 127


@dataclass
class FlacContainer(Container):
    """The structure of a FLAC file.

    Attributes:
        md5: checksum of all samples, as integers, little-endian, in whole bytes; empty where the header has none.
    """

    md5: bytes = b""


def examine(file: BinaryIO, start: int) -> FlacContainer:
    """Read the header and look for another stream behind this one.

    Args:
        file: the file.
        start: offset of `MAGIC`.
    """
    found = FlacContainer("FLAC", (".flac",))
    file.seek(start)
    content = file.read(42)
    if len(content) < 42:
        found.faults.append("unreadable: the header is incomplete")
        return found
    # RFC 9639: the number of samples has 36 bits.
    (bits,) = struct.unpack_from(">Q", content, 18)
    found.frames = bits % 2**36 or None
    found.md5 = content[26:42].strip(b"\0") and content[26:42]
    found.notes = _comments(file, start + len(MAGIC))
    another = _find_stream(file, start + len(MAGIC))
    if another is not None:
        found.faults.append(several_streams(another))
    return found


def _comments(file: BinaryIO, at: int) -> str:
    """The values of all comments, a line each (RFC 9639, section 8.6). Where they are damaged, those before."""
    is_last = False
    while not is_last:
        file.seek(at)
        head = file.read(4)
        if len(head) < 4 or head[0] & 127 == FORBIDDEN:
            break
        is_last, size = bool(head[0] & 128), int.from_bytes(head[1:], "big")
        if head[0] & 127 == COMMENTS:
            return "\n".join(_values(file.read(size)))
        at += 4 + size
    return ""


def _values(block: bytes) -> Iterator[str]:
    """The values in a block of comments. Numbers are little-endian, unlike elsewhere in FLAC."""
    at = 4 + int.from_bytes(block[:4], "little")
    left = int.from_bytes(block[at : at + 4], "little")
    at += 4
    while left and at + 4 <= len(block):
        size = int.from_bytes(block[at : at + 4], "little")
        _, _, value = block[at + 4 : at + 4 + size].partition(b"=")
        yield value.decode("utf-8", errors="replace")
        at, left = at + 4 + size, left - 1


def _find_stream(file: BinaryIO, at: int) -> int | None:
    file.seek(at)
    tail = b""
    while block := file.read(BLOCK):
        places = [place for magic in STREAMINFO if (place := (tail + block).find(magic)) >= 0]
        if places:
            return file.tell() - len(tail + block) + min(places)
        tail = block[-7:]
    return None
