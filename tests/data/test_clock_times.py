"""Start times are read as recorders write them, with their zone, and never guessed."""

import struct
from datetime import tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import soundfile
from sounds import RATE, noise, written

from dawnchorus.audio.file_checks import inspect, look_at_header
from dawnchorus.data.clock_times import start_of
from dawnchorus.data.quality import as_table, starts_without_zone

PUERTO_RICO = ZoneInfo("America/Puerto_Rico")
AUDIOMOTH = "Recorded at 19:17:30 10/01/2018 (UTC{}) by AudioMoth 0FE081F80FE081F0 at gain setting 2"


@pytest.mark.parametrize(
    ("name", "notes", "expected"),
    [
        ("20240611_053000.WAV", AUDIOMOTH.format(""), "2018-01-10T19:17:30+00:00"),
        ("x.wav", AUDIOMOTH.format("+1"), "2018-01-10T19:17:30+01:00"),
        ("x.wav", AUDIOMOTH.format("-3:30"), "2018-01-10T19:17:30-03:30"),
        ("x.wav", "GUANO|Version: 1.0\nTimestamp: 2018-01-10T19:17:30-04:00\nMake: x", "2018-01-10T19:17:30-04:00"),
        ("x.wav", "Timestamp: 2018-01-10T19:17:30Z\n", "2018-01-10T19:17:30+00:00"),
        ("x.wav", "Timestamp: 2018-01-10 19:17:30\n", "2018-01-10T19:17:30-04:00"),
        ("5AFC1D5C.WAV", "", "2018-05-16T12:00:28+00:00"),
        ("site1/20240611_053000.WAV", "", "2024-06-11T05:30:00-04:00"),
        ("20240611_053000T.WAV", "", "2024-06-11T05:30:00-04:00"),
        ("SM04_0+1_20240611_053000.wav", "", "2024-06-11T05:30:00-04:00"),
        ("S4A03895_20240611_053000_Bin1.flac", "", "2024-06-11T05:30:00-04:00"),
        ("swift_20240611_053000Z.wav", "", "2024-06-11T05:30:00+00:00"),
        ("20240611T053000+1000_REC.flac", "", "2024-06-11T05:30:00+10:00"),
    ],
)
def test_what_recorders_write(name: str, notes: str, expected: str) -> None:
    found = start_of(name, notes, PUERTO_RICO)
    assert found is not None
    assert found.isoformat() == expected


@pytest.mark.parametrize(
    ("name", "local"),
    [
        ("20240611_053000.WAV", None),  # whose zone nobody knows
        ("20241311_053000.WAV", PUERTO_RICO),  # a thirteenth month
        ("20240611_253000.WAV", PUERTO_RICO),
        ("20240611.WAV", PUERTO_RICO),
        ("20240611T053000+9999.WAV", PUERTO_RICO),
        ("110624_053000.WAV", PUERTO_RICO),
        ("120240611_053000.WAV", PUERTO_RICO),
        ("20240611_0530001.WAV", PUERTO_RICO),
        ("20240611_053000_20240612_053000.WAV", PUERTO_RICO),  # one of two
        ("19700101_000000.WAV", PUERTO_RICO),  # a clock that was never set
        ("DEADBEEF.WAV", PUERTO_RICO),
        ("12345678.WAV", PUERTO_RICO),
        ("recording.WAV", PUERTO_RICO),
    ],
)
def test_nothing_is_guessed(name: str, local: tzinfo | None) -> None:
    assert start_of(name, "", local) is None


@pytest.mark.parametrize("notes", ["Timestamp: 2018-01-10\n", "Timestamp: yesterday 19:00\n", AUDIOMOTH.format("+99")])
def test_a_damaged_note_is_no_time(notes: str) -> None:
    assert start_of("x.wav", notes, PUERTO_RICO) is None


def test_the_header_of_a_wav_tells(tmp_path: Path) -> None:
    path = written(tmp_path / "a.wav", noise())
    content = path.read_bytes()
    comment = AUDIOMOTH.format("").encode().ljust(100, b"\0")
    info = b"INFO" + b"ICMT" + struct.pack("<I", len(comment)) + comment
    path.write_bytes(content[:12] + b"LIST" + struct.pack("<I", len(info)) + info + content[12:])
    for found in (inspect(path, RATE, 3.0), look_at_header(path)):
        assert found.faults == []
        table = as_table({"train": {"a": found}}, {"train": {"a": ""}}, {}, tmp_path)
        assert table.start["a"] == "2018-01-10T19:17:30+00:00"
    guano = b"GUANO|Version: 1.0\nTimestamp: 2018-01-10T19:17:30-04:00\n"
    path.write_bytes(content + b"guan" + struct.pack("<I", len(guano)) + guano)
    assert (
        as_table({"train": {"a": look_at_header(path)}}, {"train": {"a": ""}}, {}, tmp_path)
        .start["a"]
        .endswith("-04:00")
    )


def test_the_comment_of_a_flac_tells(tmp_path: Path) -> None:
    flac, comment = tmp_path / "a.flac", AUDIOMOTH.format("-3:30")
    with soundfile.SoundFile(flac, "w", RATE, 1) as file:
        file.title, file.comment = "Küste", comment
        file.write(noise())
    notes = look_at_header(flac).notes
    assert {comment, "Küste"} <= set(notes.splitlines())
    found = start_of("a.flac", notes, None)
    assert found is not None
    assert found.isoformat() == "2018-01-10T19:17:30-03:30"
    # Damaged sizes end the comments, not the program.
    content = flac.read_bytes()
    at = content.index(comment.encode()) - len("comment=") - 4
    for size in (b"\xff\xff\xff\x7f", b"\x00\x00\x00\x00"):
        flac.write_bytes(content[:at] + size + content[at + 4 :])
        assert isinstance(look_at_header(flac).notes, str)


def test_recordings_without_a_zone_are_remarked_on_until_it_is_given(tmp_path: Path) -> None:
    found = {name: look_at_header(written(tmp_path / f"{name}.wav", noise())) for name in ("20240611_053000", "b")}
    unknown = as_table({"train": found, "test": {}}, {"train": dict.fromkeys(found, "")}, {}, tmp_path)
    (remark,) = starts_without_zone({"train": found, "test": {}}, unknown)
    assert remark.startswith("1 recordings have a date and time, but no time zone, for example 20240611_053000")
    known = as_table({"train": found, "test": {}}, {"train": dict.fromkeys(found, "")}, {}, tmp_path, PUERTO_RICO)
    assert known.start["20240611_053000"] == "2024-06-11T05:30:00-04:00"
    assert starts_without_zone({"train": found, "test": {}}, known) == []
