"""Formats that are a list of chunks, one of which holds the samples: WAV, RF64, Wave64 and AIFF."""

import os
import struct
from dataclasses import dataclass
from typing import BinaryIO

from dawnchorus.audio.containers.container import Container

# Programs that write to a pipe, and some recorders, state a size near one of these, because they do not know it:
# 2^31 - 4096 (sox), 2^31 - 1, 2^31 (arecord), 2^32 - 1 (ffmpeg); also with the size of the header added or subtracted.
PLACEHOLDERS = (range(2**31 - 0x1100, 2**31 + 0x100), range(2**32 - 0x1100, 2**32))
UNKNOWN = 2**32 - 1
# Some recorders count a chunk header or a padding byte too many.
TOLERANCE_BYTES = 16
# What may follow the samples other than whole chunks.
METADATA = (
    b"ID3",
    b"id3 ",
    b"TAG",
    b"LIST",
    b"bext",
    b"iXML",
    b"axml",
    b"guan",
    b"wamd",
    b"cue ",
    b"_PMX",
    b"<?x",
    b"<x:",
)
# Chunks with texts. Larger ones have pictures.
NOTES = (b"guan", b"LIST")
MOST_NOTES = 2**16
# Less data than this after the last chunk is not missed.
TOLERANCE_SECONDS = 0.1


@dataclass(frozen=True)
class Layout:
    """How a format writes its chunks.

    Attributes:
        name: name of the format.
        suffixes: its file name suffixes.
        start: offset of the first chunk.
        identifier: length of a chunk's identifier, bytes.
        order: byte order for `struct`.
        size: `struct` format of a chunk's size.
        counts_header: whether the size includes the chunk's header.
        alignment: chunks start at multiples of this many bytes.
        encoding: first four bytes of the identifier of the chunk that describes the encoding.
        samples: first four bytes of the identifier of the chunk of samples.
    """

    name: str
    suffixes: tuple[str, ...]
    start: int
    identifier: int
    order: str
    size: str
    counts_header: bool
    alignment: int
    encoding: bytes
    samples: bytes


WAV_SUFFIXES = (".wav", ".wave")
# By the first four bytes of the file.
LAYOUTS = {
    b"RIFF": Layout("WAV", WAV_SUFFIXES, 12, 4, "<", "I", False, 2, b"fmt ", b"data"),
    b"RIFX": Layout("WAV", WAV_SUFFIXES, 12, 4, ">", "I", False, 2, b"fmt ", b"data"),
    b"RF64": Layout("WAV", WAV_SUFFIXES, 12, 4, "<", "I", False, 2, b"fmt ", b"data"),
    b"riff": Layout("Wave64", (".w64",), 40, 16, "<", "Q", True, 8, b"fmt ", b"data"),
    b"FORM": Layout("AIFF", (".aif", ".aiff", ".aifc"), 12, 4, ">", "I", False, 2, b"COMM", b"SSND"),
}


@dataclass(frozen=True)
class Chunk:
    """A chunk: the first four bytes of its identifier, the offset of its content, and its stated size in bytes."""

    kind: bytes
    start: int
    size: int


def examine(file: BinaryIO) -> Container:
    """Compare the sizes that the chunks state with the size of the file.

    Args:
        file: a file that begins with a key of `LAYOUTS`.
    """
    file.seek(0)
    magic = file.read(4)
    layout = LAYOUTS[magic]
    found = Container(layout.name, layout.suffixes)
    end = file.seek(0, os.SEEK_END)
    at, byte_rate, long_size = layout.start, 0.0, 0
    samples: Chunk | None = None
    while chunk := _chunk(file, layout, at, end):
        if chunk.kind == b"ds64":
            (long_size,) = struct.unpack("<8xQ", _content(file, chunk, 16))
        elif chunk.kind == layout.encoding:
            byte_rate = _byte_rate(_content(file, chunk, 18), layout)
        elif chunk.kind in NOTES and chunk.size <= MOST_NOTES:
            found.notes += _text(_content(file, chunk, chunk.size))
        elif chunk.kind == layout.samples and samples:
            found.faults.append(
                f"two chunks of samples: the second, at byte {chunk.start}, would not be decoded; join them (the "
                "header between them becomes a click): sox --ignore-length <file> <new file>"
            )
            return found
        elif chunk.kind == layout.samples:
            if chunk.size == UNKNOWN and long_size:
                chunk = Chunk(chunk.kind, chunk.start, long_size)
            samples = chunk
            there = end - chunk.start
            if chunk.size >= 2**62 or (magic == b"RF64" and chunk.size == UNKNOWN):
                found.faults.append(
                    "no length: the header does not state how long the sound is, as after writing to a pipe; convert "
                    "it: ffmpeg -i <file> <new file>.flac"
                )
                return found
            if _is_placeholder(chunk.size) and there < chunk.size:
                return found
            if chunk.size > there + TOLERANCE_BYTES:
                found.faults.append(
                    f"truncated: the header declares {_amount(chunk.size, byte_rate)} of sound, the file has "
                    f"{_amount(there, byte_rate)}; copy it from the recorder again"
                )
                return found
        at = _next(file, layout, chunk, end)
    rest = end - at
    if samples is None:
        found.faults.append(f"unreadable: the chunks of the {layout.name} header do not lead to the samples")
    elif rest > max(TOLERANCE_BYTES, TOLERANCE_SECONDS * byte_rate) and not _is_metadata(file, at):
        # A size of 32 bits wraps at 4 GiB.
        has_wrapped = (end - samples.start - samples.size) % 2**32 <= TOLERANCE_BYTES
        if not has_wrapped and _is_zero(file, at):
            found.remarks.append(f"padded: {rest} bytes of zeros follow the sound")
        else:
            found.faults.append(
                f"longer than stated: the header declares {_amount(samples.size, byte_rate)} of sound, but the file "
                f"has {_amount(end - samples.start, byte_rate)} after the header; if all of it is sound, repair the "
                "header: sox --ignore-length <file> <new file>"
            )
    return found


def _chunk(file: BinaryIO, layout: Layout, at: int, end: int) -> Chunk | None:
    """The chunk at an offset; None where there is none."""
    header = struct.Struct(f"{layout.order}4s{layout.identifier - 4}x{layout.size}")
    file.seek(at)
    content = file.read(header.size)
    if len(content) < header.size:
        return None
    kind, size = header.unpack(content)
    start = at + header.size
    if layout.counts_header:
        size -= header.size
    is_name = all(0x20 <= byte < 0x7F for byte in kind)
    fits = 0 <= size <= end - start + TOLERANCE_BYTES
    return Chunk(kind, start, size) if (kind == layout.samples and size >= 0) or (is_name and fits) else None


def _next(file: BinaryIO, layout: Layout, chunk: Chunk, end: int) -> int:
    """The offset of the next chunk. Some programs leave out the padding."""
    unpadded = min(chunk.start + chunk.size, end)
    padded = -(-unpadded // layout.alignment) * layout.alignment
    return padded if _chunk(file, layout, padded, end) else unpadded


def _content(file: BinaryIO, chunk: Chunk, size: int) -> bytes:
    """The first bytes of a chunk, filled up with zeros."""
    file.seek(chunk.start)
    return file.read(min(size, chunk.size)).ljust(size, b"\0")


def _byte_rate(content: bytes, layout: Layout) -> float:
    """Bytes per second, from the chunk that describes the encoding."""
    if layout.encoding == b"fmt ":
        return struct.unpack_from(f"{layout.order}I", content, 8)[0]
    channels, bits, exponent, mantissa = struct.unpack(">h4xhHQ", content)
    # The rate is an 80-bit number; its exponent is biased by 16383, and its mantissa has 63 binary places.
    return channels * ((bits + 7) // 8) * mantissa * 2.0 ** (min(exponent, 16_400) - 16_383 - 63)


def _text(content: bytes) -> str:
    """The text of a chunk, of which a LIST has several, with names and sizes between them."""
    return "".join(chr(byte) if 0x20 <= byte < 0x7F or byte == 0x0A else "\n" for byte in content) + "\n"


def _is_placeholder(size: int) -> bool:
    return any(size in sizes for sizes in PLACEHOLDERS)


def _amount(size: int, byte_rate: float) -> str:
    return f"{size} bytes" + (f" ({size / byte_rate:.2f} s)" if byte_rate > 0 else "")


def _is_metadata(file: BinaryIO, at: int) -> bool:
    """Whether a tag, or a chunk of metadata that is not whole, begins at an offset."""
    file.seek(at)
    return file.read(16).lstrip(b"\0").startswith(METADATA)


def _is_zero(file: BinaryIO, at: int) -> bool:
    file.seek(at)
    return not any(any(block) for block in iter(lambda: file.read(2**20), b""))
