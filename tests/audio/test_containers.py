"""Recordings whose container states a wrong length, or has holes, are read whole or refused, never cut or shifted."""

import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from sounds import RATE, calls, native, noise, places, written

from dawnchorus.audio.file_checks import Inspection, inspect, look_at_header
from dawnchorus.errors import InputError


def needs(program: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} is not installed")


def look(path: Path) -> Inspection:
    return inspect(path, RATE, window_seconds=3.0)


def wav(path: Path, samples: np.ndarray, data_size: int | None = None, riff_size: int | None = None) -> Path:
    """A WAV of 16 bits whose header may state any size."""
    content = (samples * 32_767).astype("<i2").tobytes()
    path.write_bytes(
        b"RIFF"
        + struct.pack("<I", 36 + len(content) if riff_size is None else riff_size)
        + b"WAVEfmt "
        + struct.pack("<IHHIIHH", 16, 1, 1, RATE, 2 * RATE, 2, 16)
        + b"data"
        + struct.pack("<I", len(content) if data_size is None else data_size)
        + content
    )
    return path


def by_ffmpeg(path: Path) -> np.ndarray:
    """All samples of a mono recording, by an independent decoder."""
    command = ["ffmpeg", "-nostdin", "-v", "quiet", "-i", str(path), "-f", "f32le", "-"]
    return np.frombuffer(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout, "<f4")


@pytest.mark.parametrize(
    ("data_size", "riff_size"),
    [
        pytest.param(0x7FFF_F000, 0x7FFF_F024, id="sox"),
        pytest.param(0xFFFF_FFFF, 0xFFFF_FFFF, id="ffmpeg"),
        pytest.param(0x8000_0000, 0x8000_0024, id="arecord"),
        pytest.param(0x7FFF_FFFF, 0x7FFF_FFFF, id="the largest signed number"),
        pytest.param(0x7FFF_FFFF - 36, 0x7FFF_FFFF, id="less the header"),
        pytest.param(None, 0x61F9_2214, id="only the size of the file is wrong"),
        pytest.param(None, 0, id="the size of the file was not filled in"),
    ],
)
def test_a_wav_with_a_placeholder_for_its_size_is_whole(
    tmp_path: Path, data_size: int | None, riff_size: int | None
) -> None:
    path = wav(tmp_path / "a.wav", noise(), data_size, riff_size)
    found = look(path)
    assert (found.faults, found.remarks, found.seconds) == ([], [], 5)
    np.testing.assert_allclose(native(path), noise(), atol=1e-4)


@pytest.mark.parametrize("stated", [0, 44, 2 * RATE, 10 * RATE - 100_000])
def test_a_wav_that_states_less_than_it_has_is_refused_with_both_sizes(tmp_path: Path, stated: int) -> None:
    path = wav(tmp_path / "a.wav", noise(), stated, stated + 36)
    (fault,) = look(path).faults
    assert fault.startswith("longer than stated: the header declares")
    for part in (f"{stated} bytes ({stated / 2 / RATE:.2f} s)", "480000 bytes (5.00 s)", "sox --ignore-length"):
        assert part in fault


def test_a_wav_whose_size_has_wrapped_is_refused(tmp_path: Path) -> None:
    path = wav(tmp_path / "a.wav", noise())
    # A sparse file: it takes no space on the disk.
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size + 2**32)
    (fault,) = look(path).faults
    assert fault.startswith(
        "longer than stated: the header declares 480000 bytes (5.00 s) of sound, but the file has 4295"
    )


def run_advice(advice: str, **files: Path) -> None:
    """Run the commands of a message, with its placeholders replaced by files."""
    for name, path in files.items():
        advice = advice.replace(f"<{name.replace('_', ' ')}>", str(path))
    subprocess.run(["bash", "-euc", advice], check=True)


@needs("sox")
def test_the_repair_of_a_wav_that_states_less_gives_all_of_it(tmp_path: Path) -> None:
    path = wav(tmp_path / "a.wav", noise(), 44)
    (fault,) = look(path).faults
    run_advice(fault.partition("repair the header: ")[2], file=path, new_file=tmp_path / "b.wav")
    assert (look(tmp_path / "b.wav").faults, look(tmp_path / "b.wav").seconds) == ([], 5)


def test_chunks_behind_the_samples_are_no_lost_sound(tmp_path: Path) -> None:
    path = wav(tmp_path / "a.wav", noise())
    content = path.read_bytes()
    for name, rest in {
        "metadata": b"LIST" + struct.pack("<I", 40_000) + bytes(range(1, 41)) * 1000,
        "odd": b"note" + struct.pack("<I", 5) + b"hello" + b"LIST" + struct.pack("<I", 30_000) + b"x" * 30_000,
        "a tag": b"ID3\3" + b"\1" * 40_000,
        "metadata that is cut": b"LIST" + struct.pack("<I", 100_000) + b"x" * 40_000,
    }.items():
        path.write_bytes(content + rest)
        assert (look(path).faults, look(path).remarks) == ([], []), name
    path.write_bytes(content + bytes(40_000))
    assert look(path).remarks == ["padded: 40000 bytes of zeros follow the sound"]


def test_two_chunks_of_samples_are_named(tmp_path: Path) -> None:
    path = wav(tmp_path / "a.wav", noise())
    content = path.read_bytes()
    path.write_bytes(content + content[36:])
    (fault,) = look(path).faults
    assert fault.startswith(f"two chunks of samples: the second, at byte {len(content) + 8}, would not be decoded")


@pytest.mark.parametrize(("suffix", "options"), [("w64", {"format": "W64"}), ("aiff", {}), ("wav", {"format": "RF64"})])
def test_other_lists_of_chunks(tmp_path: Path, suffix: str, options: dict[str, Any]) -> None:
    path = written(tmp_path / f"a.{suffix}", noise(), **options)
    good = look(path)
    assert (good.faults, good.remarks, good.seconds) == ([], [], 5)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    assert look(path).faults[0].startswith("truncated: ")
    path.write_bytes(content + content[len(content) // 2 :])
    assert look(path).faults[0].startswith("longer than stated: ")


def test_a_flac_states_the_right_lengths_where_it_is_cut_or_states_too_much(tmp_path: Path) -> None:
    path = written(tmp_path / "a.flac", noise(20))
    content = bytearray(path.read_bytes())
    path.write_bytes(content[: int(0.9 * len(content))])
    (fault,) = look(path).faults
    assert fault.startswith("truncated: 1")
    assert float(fault.split()[1]) == pytest.approx(18, abs=0.2)
    assert "of 20.00 s can be decoded" in fault
    content[22:26] = struct.pack(">I", 40 * RATE)
    path.write_bytes(content)
    assert look(path).faults == ["truncated: 20.00 of 40.00 s can be decoded"]


@pytest.mark.parametrize("has_checksum", [True, False])
def test_a_flac_that_states_too_little_is_refused(tmp_path: Path, has_checksum: bool) -> None:
    path = written(tmp_path / "a.flac", noise(20))
    content = bytearray(path.read_bytes())
    content[22:26] = struct.pack(">I", 5 * RATE)
    if not has_checksum:
        content[26:42] = bytes(16)
    path.write_bytes(content)
    (fault,) = look(path).faults
    assert fault.startswith("longer than stated: the header declares 5.00 s")


def test_a_flac_of_unknown_length_is_read_to_its_end(tmp_path: Path) -> None:
    path = written(tmp_path / "a.flac", noise())
    content = bytearray(path.read_bytes())
    # The 36 bits of the number of samples, and the checksum, as an encoder leaves them that writes to a pipe.
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    content[26:42] = bytes(16)
    path.write_bytes(content)
    found = look(path)
    assert (found.faults, found.remarks, found.seconds) == ([], [], 5)
    assert look_at_header(path).seconds == 5


def test_a_flac_with_a_changed_sample_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.flac", noise())
    content = bytearray(path.read_bytes())
    content[26] ^= 1
    path.write_bytes(content)
    assert look(path).faults == ["damaged: the samples do not have the checksum (MD5) that the header states"]


@pytest.mark.parametrize("subtype", ["PCM_S8", "PCM_16", "PCM_24"])
@pytest.mark.parametrize("channels", [1, 2])
def test_the_checksum_of_every_encoding_of_flac(tmp_path: Path, subtype: str, channels: int) -> None:
    path = written(tmp_path / "a.flac", np.stack([noise(), noise()[::-1]][:channels], axis=1), subtype=subtype)
    assert look(path).faults == []
    assert look(path).peak == pytest.approx(np.abs(soundfile.read(path)[0]).max())


@pytest.mark.parametrize("suffix", ["flac", "mp3", "ogg"])
def test_joined_files_are_refused_with_a_way_to_split_them(tmp_path: Path, suffix: str) -> None:
    one = written(tmp_path / f"one.{suffix}", noise()).read_bytes()
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(one + one)
    (fault,) = look(path).faults
    assert fault.startswith(f"several streams: another one begins at byte {len(one)} and")
    advice = fault.partition("split the file: ")[2]
    run_advice(advice, file=path, first_file=tmp_path / f"x.{suffix}", second_file=tmp_path / f"y.{suffix}")
    for part in ("x", "y"):
        assert look(tmp_path / f"{part}.{suffix}").faults == []
        assert look(tmp_path / f"{part}.{suffix}").seconds == pytest.approx(5, abs=0.05)


@pytest.mark.parametrize("mode", ["CONSTANT", "VARIABLE"])
@pytest.mark.parametrize("rate", [48_000, 44_100, 16_000])
def test_an_mp3_without_a_header_is_read_to_its_end(tmp_path: Path, mode: str, rate: int) -> None:
    # Quiet first, so that an estimate from the first frames of a variable bit rate is far off.
    samples = noise(20)[: 20 * rate] * np.repeat([0.001, 1], 10 * rate)
    path = tmp_path / "a.mp3"
    soundfile.write(path, samples, rate, bitrate_mode=mode, compression_level=0.5)
    content = path.read_bytes()
    second = content.find(content[:2], 4)
    while b"Info" not in content[:second] and b"Xing" not in content[:second]:
        second = content.find(content[:2], second + 1)
    path.write_bytes(content[second:])
    found = look(path)
    assert found.faults == []
    # The encoder's delay and padding are part of the decoded samples, less than four frames.
    frame = 1152 if rate > 24_000 else 576
    n_samples = round(found.seconds * rate)
    assert n_samples % frame == 0
    assert 0 <= n_samples - len(samples) < 4 * frame
    if shutil.which("ffmpeg"):
        assert len(by_ffmpeg(path)) == n_samples


@pytest.mark.parametrize(("factor", "fault"), [(0.5, "longer than stated: "), (2, "truncated: ")])
def test_an_mp3_with_a_wrong_header_is_refused(tmp_path: Path, factor: float, fault: str) -> None:
    path = written(tmp_path / "a.mp3", noise())
    content = bytearray(path.read_bytes())
    at = max(content.find(b"Info"), content.find(b"Xing")) + 8
    content[at : at + 4] = struct.pack(">I", int(factor * struct.unpack(">I", content[at : at + 4])[0]))
    path.write_bytes(content)
    assert look(path).faults[0].startswith(fault)


def id3(size: int, flags: int = 0) -> bytes:
    """An ID3v2.4 tag whose content looks like starts of frames, with a footer if the flags say so."""
    header = bytes([4, 0, flags, *(size >> shift & 0x7F for shift in (21, 14, 7, 0))])
    return b"ID3" + header + b"\xff\xfb" * (size // 2) + (b"3DI" + header if flags else b"")


def ape(size: int) -> bytes:
    return b"APETAGEX" + struct.pack("<IIII8x", 2000, size, 1, 1 << 29) + b"x" * size


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(id3(300), b"TAG" + bytes(125), id="small tags"),
        pytest.param(id3(200_000), b"", id="album art"),
        pytest.param(id3(60_000, flags=0x10), b"", id="a footer"),
        pytest.param(ape(5000), ape(5000), id="APE tags"),
        pytest.param(b"junk" * 1000, bytes(5000), id="junk and padding"),
    ],
)
def test_tags_around_an_mp3_are_no_holes(tmp_path: Path, before: bytes, after: bytes) -> None:
    path = written(tmp_path / "a.mp3", noise())
    content, expected = path.read_bytes(), native(path)
    path.write_bytes(before + content + after)
    assert (look(path).faults, look_at_header(path).faults) == ([], [])
    np.testing.assert_array_equal(native(path), expected)


@needs("ffmpeg")
@pytest.mark.parametrize("encoder", ["libmp3lame", "adpcm_ima_wav", "pcm_s24le", "pcm_f64le", "pcm_alaw"])
def test_encodings_in_wav(tmp_path: Path, encoder: str) -> None:
    source = written(tmp_path / "a.wav", noise())
    subprocess.run(["ffmpeg", "-v", "error", "-i", str(source), "-c:a", encoder, str(tmp_path / "b.wav")], check=True)
    assert look(tmp_path / "b.wav").faults == []
    assert look(tmp_path / "b.wav").seconds == pytest.approx(5, abs=0.1)


@needs("ffmpeg")
@pytest.mark.parametrize("options", [["-f", "w64"], ["-f", "wav", "-rf64", "always"]])
def test_a_header_without_a_length_is_named(tmp_path: Path, options: list[str]) -> None:
    source = written(tmp_path / "a.wav", noise())
    command = ["ffmpeg", "-v", "error", "-i", str(source), *options, "-"]
    piped = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    (tmp_path / "b.wav").write_bytes(piped)
    assert look(tmp_path / "b.wav").faults[0].startswith("no length: the header does not state how long the sound is")


def test_bytes_behind_a_finished_ogg_are_no_lost_sound(tmp_path: Path) -> None:
    path = written(tmp_path / "a.ogg", noise())
    path.write_bytes(path.read_bytes() + bytes(3000))
    assert (look(path).faults, look(path).remarks) == ([], ["padded: 3000 bytes follow the sound"])


def test_a_stereo_aiff_states_its_seconds(tmp_path: Path) -> None:
    path = written(tmp_path / "a.aiff", np.stack([noise()] * 2, axis=1))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    assert "(5.00 s) of sound, the file has" in look(path).faults[0]


def test_what_is_no_mp3_is_refused_also_where_only_the_header_is_read(tmp_path: Path) -> None:
    for content in (noise().tobytes(), b"\xff" * 1_000_000):
        (tmp_path / "a.mp3").write_bytes(content)
        for found in (look(tmp_path / "a.mp3"), look_at_header(tmp_path / "a.mp3")):
            assert found.faults[0].startswith("unreadable: no sound of a known format")
        with pytest.raises(InputError, match=r"a\.mp3: cannot be decoded"):
            native(tmp_path / "a.mp3", RATE)


HOLES: dict[str, Callable[[bytearray, int], bytearray]] = {
    "zeros": lambda content, at: content[:at] + bytes(8192) + content[at + 8192 :],
    "missing bytes": lambda content, at: content[:at] + content[at + 8192 :],
    "other bytes": lambda content, at: content[:at] + np.random.default_rng(0).bytes(8192) + content[at + 8192 :],
}


@pytest.mark.parametrize("suffix", ["ogg", "mp3", "flac", "opus"])
@pytest.mark.parametrize("kind", HOLES)
def test_calls_behind_a_hole_are_refused_or_at_their_time(tmp_path: Path, suffix: str, kind: str) -> None:
    samples, expected = calls(24)
    options: dict[str, Any] = {"format": "OGG", "subtype": "OPUS"} if suffix == "opus" else {}
    path = written(tmp_path / f"a.{suffix}", samples, **options)
    np.testing.assert_allclose(places(native(path), len(expected)), expected, atol=0.05)
    content = HOLES[kind](bytearray(path.read_bytes()), path.stat().st_size // 5)
    path.write_bytes(content)
    faults = look(path).faults
    if not faults:
        np.testing.assert_allclose(places(native(path), len(expected)), expected, atol=0.05)
    assert faults


def test_a_missing_page_of_an_ogg_is_named(tmp_path: Path) -> None:
    path = written(tmp_path / "a.ogg", noise(60))
    pages = path.read_bytes().split(b"OggS")
    path.write_bytes(b"OggS".join(pages[:6] + pages[7:]))
    assert look(path).faults[0].startswith("hole: pages 5 to 5 are missing at byte ")


def test_an_ogg_that_a_recorder_did_not_finish(tmp_path: Path) -> None:
    path = written(tmp_path / "a.ogg", noise(60))
    content = path.read_bytes()
    last = content.rfind(b"OggS")
    path.write_bytes(content[:last])
    found = look(path)
    assert found.faults == []
    assert found.remarks == ["no end mark: the recording was cut off, or the recorder did not finish the file"]
    path.write_bytes(content[:-10])
    assert look(path).faults[0].startswith("truncated: ")


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.mp3", b"\0\0\0\x1cftypM4A " + bytes(200), "contains AAC or ALAC in MP4, which cannot be decoded; convert"),
        ("a.ogg", b"OggS\0\2" + bytes(20) + b"\1\x33\x7fFLAC" + bytes(46), "FLAC in OGG cannot be decoded; convert it"),
        ("a.wav", b"\xff\xff" + noise().tobytes(), "no sound of a known format"),
        ("a.wav", b"RIFF\0\0\0\0WAVE" + bytes(100), "the chunks of the WAV header do not lead to the samples"),
    ],
)  # fmt: skip
def test_what_is_no_recording_is_named(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(content)
    assert look(tmp_path / name).faults[0].startswith(f"unreadable: {reason}")


@needs("ffmpeg")
def test_real_flac_in_ogg_is_named(tmp_path: Path) -> None:
    source = written(tmp_path / "a.wav", noise())
    subprocess.run(["ffmpeg", "-v", "error", "-i", source, "-c:a", "flac", tmp_path / "a.ogg"], check=True)
    assert look(tmp_path / "a.ogg").faults == [
        "unreadable: FLAC in OGG cannot be decoded; convert it to FLAC: ffmpeg -i <file> <new file>.flac"
    ]


def test_a_link_to_nowhere_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.wav").symlink_to("/mnt/card/a.wav")
    assert look(tmp_path / "a.wav").faults == [
        "unreadable: the file is a link to /mnt/card/a.wav, which does not exist"
    ]
