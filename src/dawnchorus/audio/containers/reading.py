"""Reading the structure of a file of any supported format."""

from pathlib import Path

from dawnchorus.audio.containers import flac, mp3, ogg, riff
from dawnchorus.audio.containers.container import Container

# Offset and first bytes of files that people mistake for recordings, or that libsndfile does not decode.
FOREIGN = {
    (4, b"ftyp"): "AAC or ALAC in MP4",
    (0, bytes.fromhex("3026b2758e66cf11")): "Windows Media Audio",
    (0, bytes.fromhex("1a45dfa3")): "Matroska or WebM",
    (0, b"wvpk"): "WavPack",
    (0, b"MAC "): "Monkey's Audio",
}
HEAD = 16


def examine(path: Path) -> Container:
    """Read what the container of an audio file states, without decoding.

    Args:
        path: the file.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
        for (at, magic), name in FOREIGN.items():
            if head[at:].startswith(magic):
                advice = "convert it to FLAC: ffmpeg -i <file> <new file>.flac"
                return Container(name, (), faults=[f"unreadable: contains {name}, which cannot be decoded; {advice}"])
        start = mp3.skip_id3(file, 0)
        file.seek(start)
        magic = file.read(4)
        if magic in riff.LAYOUTS and start == 0:
            return riff.examine(file)
        if magic == flac.MAGIC:
            return flac.examine(file, start)
        if magic == ogg.MAGIC:
            return ogg.examine(file)
        return mp3.examine(file)
