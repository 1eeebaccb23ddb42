"""The sound that the page gets: where it is cut, and that it has every sample."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from reviews import RATE, make_review

from dawnchorus.data.annotations import COLUMNS
from dawnchorus.errors import InputError
from dawnchorus.review.sounds import LONGEST, item_sound, read_references, reference_sound


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def correlation(flac: bytes, expected: np.ndarray) -> float:
    """1 if a file has the same samples up to a factor."""
    found, rate = soundfile.read(io.BytesIO(flac))
    assert rate == 48_000
    assert len(found) == len(expected)
    return float(np.corrcoef(found, expected)[0, 1])


def test_it_is_the_part_of_the_recording_around_the_box(project: Path) -> None:
    item = make_review(project).items[2]
    samples, _ = soundfile.read(project / item.file)
    found = item_sound(item, Path("sounds"), 1.5)
    assert (found.rate, found.start, found.note) == (RATE, item.start_s - 1.5, "")
    first, last = round(found.start * RATE), round((item.end_s + 1.5) * RATE)
    assert correlation(found.flac, samples[first:last]) > 0.99999
    # Less where the recording begins or ends.
    found = item_sound(item, Path("sounds"), 20)
    assert found.start == 0
    assert correlation(found.flac, samples) > 0.99999


@pytest.mark.parametrize("rate", [4000, 44_100, 384_000])
def test_every_sample_is_there_whatever_the_rate(project: Path, rate: int) -> None:
    noise = np.random.default_rng(1).normal(0, 1e-4, (rate, 2))
    item = make_review(project, file="sounds/x.wav", start_s=0.25, end_s=0.5, channel="2").items[1]
    soundfile.write(project / "sounds/x.wav", noise, rate, "PCM_24")
    found = item_sound(item, Path("sounds"), 0.0)
    assert found.rate == rate
    # A quiet recording keeps its detail in 16 bits.
    assert correlation(found.flac, noise[round(rate / 4) : round(rate / 2), 1]) > 0.9999


def test_a_long_event_is_cut_and_says_so(project: Path) -> None:
    item = make_review(project, file="sounds/x.wav", start_s=10.0, end_s=170.0).items[1]
    soundfile.write(project / "sounds/x.wav", np.full(180 * 1000, 0.1), 1000)
    found = item_sound(item, Path("sounds"), 1.0)
    assert found.start == 9
    assert soundfile.info(io.BytesIO(found.flac)).frames == LONGEST * 1000
    assert found.note == "only the first 60 s are shown"


def test_silence_and_a_missing_channel(project: Path) -> None:
    item = make_review(project, file="sounds/x.wav", channel="2").items[1]
    soundfile.write(project / "sounds/x.wav", np.zeros(80_000), RATE)
    with pytest.raises(InputError, match="channel 2 was asked for"):
        item_sound(item, Path("sounds"), 1.0)
    object.__setattr__(item, "channel", "1")
    samples, _ = soundfile.read(io.BytesIO(item_sound(item, Path("sounds"), 1.0).flac))
    assert not samples.any()


def test_references_are_the_calls_with_the_best_scores_of_several_recordings(
    project: Path, edited: Callable[[str, object], Path]
) -> None:
    edited("data.root", "sounds")
    (project / "data").mkdir()
    (project / "data/species.csv").write_text("species,scientific_name,common_name\nwren,,\nrobin,,\n")
    (project / "data/recordings.csv").write_text(
        "recording_id,file,split,site,group,start,seconds,sample_rate,channels,usable,problem,peak,rms,digest\n"
        + "".join(f"{name},train/{name}.wav,train,,,,10,16000,1,1,,,,\n" for name in "abc")
    )
    rows = [("a", "wren", 1, 2, "2000", "4000", "present"), ("a", "wren", 3, 4, "", "", "present"),
            ("b", "wren", 5, 6, "2000", "4000", "present"), ("b", "wren", 7, 8, "1", "2", "absent"),
            ("c", "robin", 0, 9, "1", "2", "present")]  # fmt: skip
    lines = [",".join(map(str, row)) for row in rows]
    (project / "data/annotations.csv").write_text("\n".join([",".join(COLUMNS), *lines]) + "\n")
    folder = project / "results/predictions/first/cnn/0"
    folder.mkdir(parents=True)
    (folder / "boxes.csv").write_text(
        "recording_id,species_id,t_min,t_max,is_tp,score\na,0,1,2,1,0.4\na,0,3,4,1,0.9\nb,0,5,6,1,0.5\nb,0,7,8,0,0.99\n"
    )
    (project / "sounds/train").mkdir(parents=True)
    soundfile.write(project / "sounds/train/a.wav", np.random.default_rng(0).normal(0, 0.1, 10 * RATE), RATE)
    found = read_references()
    # The recording's second call comes after the first ones of all, although its score is higher.
    assert [(one.species, one.recording, one.start) for one in found] == [
        ("wren", "a", 3), ("wren", "b", 5), ("wren", "a", 1), ("robin", "c", 0),
    ]  # fmt: skip
    assert (found[0].low, found[0].high) == (None, None)
    assert (found[1].low, found[1].high) == (2000, 4000)
    assert reference_sound(found[0]).start == 2.5


def test_without_a_project_there_are_no_references(project: Path) -> None:
    assert read_references() == []
