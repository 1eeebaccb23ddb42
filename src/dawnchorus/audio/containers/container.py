"""What a container states, and what is wrong with its structure."""

from dataclasses import dataclass, field

UNKNOWN = "unknown"


@dataclass
class Container:
    """The structure of an audio file.

    Attributes:
        format: name of the format; `UNKNOWN` for one whose structure is not read here.
        suffixes: the file name suffixes that belong to it, in lower case.
        frames: exact number of samples per channel, where the format states one or implies one; otherwise None.
        tolerance: by how many samples a decoder may rightly differ from `frames`.
        faults: reasons why the sound cannot be trusted.
        remarks: unusual but harmless properties.
        notes: texts that recorders write into the header, such as comments and GUANO metadata.
    """

    format: str
    suffixes: tuple[str, ...]
    frames: int | None = None
    tolerance: int = 0
    faults: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    notes: str = ""


def several_streams(at: int) -> str:
    """The fault of a file in which another stream begins at a byte, as in two joined files."""
    return (
        f"several streams: another one begins at byte {at} and would not be decoded; split the file: "
        f"head -c {at} <file> > <first file>; tail -c +{at + 1} <file> > <second file>"
    )
