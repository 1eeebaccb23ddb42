"""FLAC: a header with the number of samples and their checksum, then frames."""

import struct
from dataclasses import dataclass
from typing import BinaryIO

from dawnchorus.audio.containers.container import Container, several_streams

MAGIC = b"fLaC"
# The first block of metadata, STREAMINFO, has 34 bytes; the highest bit tells whether it is the last.
STREAMINFO = (b"fLaC\0\0\0\x22", b"fLaC\x80\0\0\x22")
BLOCK = 2**20


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
    another = _find_stream(file, start + len(MAGIC))
    if another is not None:
        found.faults.append(several_streams(another))
    return found


def _find_stream(file: BinaryIO, at: int) -> int | None:
    file.seek(at)
    tail = b""
    while block := file.read(BLOCK):
        places = [place for magic in STREAMINFO if (place := (tail + block).find(magic)) >= 0]
        if places:
            return file.tell() - len(tail + block) + min(places)
        tail = block[-7:]
    return None
