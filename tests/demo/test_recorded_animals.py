"""A data set of recorded animals: calls are found in clips, no source is on both sides, and problems are explained."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from tiny import ROOT, changed

from dawnchorus.config.demo import Demo
from dawnchorus.config.params import Params
from dawnchorus.data.species_list import read_species_list
from dawnchorus.demo.animals import SAMPLE_RATE
from dawnchorus.demo.clips import FieldRecording, RecordedAnimal, find_calls, recorded_background
from dawnchorus.demo.dataset import write_dataset
from dawnchorus.demo.sources import list_sources
from dawnchorus.errors import InputError

RATE = 22_050
N_SPECIES = 9


def tone(frequency: float, seconds: float, rate: int = RATE) -> np.ndarray:
    time = np.arange(int(seconds * rate)) / rate
    return (0.3 * np.sin(2 * np.pi * frequency * time) * np.sin(np.pi * time / seconds) ** 0.3).astype(np.float32)


def clip(path: Path, *sounds: np.ndarray, rate: int = RATE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.concatenate(sounds), rate)
    return path


def silence(seconds: float, level: float = 1e-4) -> np.ndarray:
    return np.random.default_rng(1).normal(0, level, int(seconds * RATE)).astype(np.float32)


def frequency(species: int, source: int) -> float:
    """Each source of each species has a tone of its own, Hz."""
    return 1000 * 1.2**species * 1.03**source


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine species with five clips each, of which two are of one animal, and backgrounds."""
    folder = tmp_path_factory.mktemp("project") / "inputs/clips"
    for species in range(N_SPECIES):
        for source, name in enumerate(["a.wav", "b.flac", "c.ogg", "same/d.wav", "same/e.wav"]):
            sound = tone(frequency(species, min(source, 3)), 0.5)
            clip(folder / f"animal{species}" / name, silence(0.3), sound, silence(0.4 + 0.1 * source))
    (folder / "LICENSE").write_text("mine")
    for number in range(4):
        # The hum of each place.
        clip(folder / "background" / f"{number}.wav", silence(3, 0.01) + tone(100 + 20 * number, 3))
    return folder


@pytest.fixture(scope="module")
def demo(tiny: Params) -> Demo:
    changes = {"clips": "inputs/clips", "unlisted_species": 1, "train_recordings": 12, "test_recordings": 8}
    return changed(tiny, {"demo": changes}).demo


@pytest.fixture(scope="module")
def dataset(demo: Demo, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("dataset")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder.parent.parent)
        write_dataset(demo, output, workers=2)
    return output


def copied(folder: Path, target: Path) -> Path:
    """A copy of the clips that a test may damage."""
    for path in folder.rglob("*.*"):
        if path.is_file():
            new = target / path.relative_to(folder)
            new.parent.mkdir(parents=True, exist_ok=True)
            new.write_bytes(path.read_bytes())
    return target


def test_calls_are_found_where_they_sound(tmp_path: Path) -> None:
    path = clip(
        tmp_path / "two.wav", silence(0.5), tone(3000, 0.4), silence(1), tone(3000, 1.1), np.zeros(RATE, np.float32)
    )
    calls = find_calls(path)
    times = [(call.start / SAMPLE_RATE, call.stop / SAMPLE_RATE) for call in calls]
    np.testing.assert_allclose(times, [(0.5, 0.9), (1.9, 3.0)], atol=0.04)
    for call in calls:
        assert 2500 <= call.f_low < 3000 < call.f_high <= 3500


def test_short_notes_are_one_call_and_a_click_is_a_call(tmp_path: Path) -> None:
    note = [tone(4000, 0.1), silence(0.2)]
    (trill,) = find_calls(clip(tmp_path / "trill.wav", silence(0.4), *note, *note, *note, silence(1)))
    assert trill.seconds == pytest.approx(0.7, abs=0.06)
    (click,) = find_calls(clip(tmp_path / "click.wav", silence(1), tone(6000, 0.03), silence(1)))
    assert 0.1 <= click.seconds <= 0.2
    # A call in the last moment of a clip, and one that never pauses.
    (late,) = find_calls(clip(tmp_path / "late.wav", silence(1), tone(6000, 0.3)))
    assert late.stop <= 1.31 * SAMPLE_RATE
    (long,) = find_calls(clip(tmp_path / "long.wav", tone(2000, 8)))
    assert long.seconds <= 4


def test_the_sound_of_a_call_is_that_of_the_clip(tmp_path: Path) -> None:
    hum = 0.5 * np.sin(2 * np.pi * 60 * np.arange(int(1.5 * SAMPLE_RATE)) / SAMPLE_RATE)
    sound = np.concatenate([np.zeros(24_000), tone(5000, 0.5, SAMPLE_RATE), np.zeros(24_000)])
    path = clip(tmp_path / "clip.wav", sound + hum, rate=SAMPLE_RATE)
    (call,) = find_calls(path)
    found = RecordedAnimal((call,)).sound(0, call.seconds, SAMPLE_RATE)
    assert len(found) == call.stop - call.start
    assert np.sqrt(np.mean(found**2)) == pytest.approx(1, abs=1e-3)
    assert np.corrcoef(found, sound[call.start : call.stop])[0, 1] > 0.98


def test_no_source_is_on_both_sides(dataset: Path, folder: Path) -> None:
    clips = pd.read_csv(dataset / "clips.csv")
    assert len(clips) == 5 * N_SPECIES
    assert all((folder.parent.parent / path).is_file() for path in clips.file)
    # The two clips of one animal stay together.
    source = clips.file.str.replace(r"same/.*", "same", regex=True)
    assert clips.groupby(source).split.nunique().eq(1).all()
    assert clips.groupby(source).individual.nunique().eq(1).all()
    assert clips.groupby("species_id").split.nunique().eq(2).all()


def test_recordings_hold_the_calls_of_their_own_sides_clips(demo: Demo, dataset: Path) -> None:
    clips = pd.read_csv(dataset / "clips.csv").set_index(["species_id", "split", "individual"])
    calls = pd.read_csv(dataset / "calls.csv")
    assert set(calls.species_id) == set(range(N_SPECIES))
    checked = set()
    for call in calls[calls.snr_db > 0].itertuples():
        sound, _ = soundfile.read(dataset / call.split / f"{call.recording_id}.flac")
        assert len(sound) == demo.seconds * SAMPLE_RATE
        part = sound[int(call.t_min * SAMPLE_RATE) : int(call.t_max * SAMPLE_RATE)]
        spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part))))
        names = clips.loc[[(call.species_id, call.split, call.individual)]]
        animal, file = re.findall(r"animal(\d)/(.)", names.file.iloc[0])[0]
        wanted = frequency(int(animal), "abcs".index(file))
        assert call.f_min < wanted < call.f_max
        near = np.fft.rfftfreq(len(part), 1 / SAMPLE_RATE)
        inside = spectrum[(near > wanted / 1.01) & (near < wanted * 1.01)].max()
        # No background has a tone there.
        beside = np.median(spectrum[(near > wanted / 1.15) & (near < wanted * 1.15)])
        assert inside > 5 * beside
        checked.add((call.species_id, call.split))
    assert len(checked) >= N_SPECIES


def test_the_layout_is_that_of_the_invented_set(demo: Demo, dataset: Path) -> None:
    truth = pd.read_csv(dataset / "truth_test.csv").set_index("recording_id")
    calls = pd.read_csv(dataset / "calls.csv")
    listed = calls[(calls.split == "test") & (calls.species_id < demo.species)]
    heard = {(row.recording_id, f"s{row.species_id}") for row in listed.itertuples()}
    assert heard == {(name, species) for name, row in truth.iterrows() for species in truth if row[species]}
    tp, fp = (pd.read_csv(dataset / f"train_{kind}.csv") for kind in ("tp", "fp"))
    assert tp.species_id.nunique() == demo.species
    assert (tp.species_id.value_counts() <= demo.tp_per_species).all()
    assert {*tp.recording_id, *fp.recording_id} <= {path.stem for path in (dataset / "train").iterdir()}
    assert fp.t_min.min() >= 0
    assert fp.t_max.max() <= demo.seconds + 1e-3
    # The names of the species, as data.species takes them.
    names = read_species_list("species.csv", [dataset])
    assert list(names.species) == list(truth.columns)
    assert names.common_name.str.fullmatch(r"animal\d").all()


def test_the_same_clips_give_the_same_files(demo: Demo, dataset: Path, folder: Path, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder.parent.parent)
        write_dataset(demo, tmp_path, workers=1)
    files = sorted(path.relative_to(dataset) for path in dataset.rglob("*") if path.is_file())
    assert [(tmp_path / name).read_bytes() for name in files] == [(dataset / name).read_bytes() for name in files]


def test_a_background_is_part_of_a_field_recording(tmp_path: Path) -> None:
    path = clip(tmp_path / "field.wav", 0.01 * np.linspace(1, 3, 10 * RATE) * tone(440, 10))
    rng = np.random.default_rng(3)
    for seconds in (4.0, 15.0):  # the second is longer than the recording
        sound = recorded_background([FieldRecording(path, 10.0)], seconds, rng)
        assert len(sound) == seconds * SAMPLE_RATE
        spectrum = np.abs(np.fft.rfft(sound)) ** 2
        frequencies = np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE)
        assert spectrum[np.abs(frequencies - 440) < 20].sum() > 0.95 * spectrum.sum()
        # Bands that the field recording lacks are not empty.
        assert spectrum[frequencies > 20_000].mean() > 0


def test_each_side_has_backgrounds_of_its_own(dataset: Path) -> None:
    hums: dict[str, set[int]] = {"train": set(), "test": set()}
    for split, found in hums.items():
        for path in (dataset / split).iterdir():
            sound, _ = soundfile.read(path)
            spectrum = np.abs(np.fft.rfft(sound))[: int(200 * len(sound) / SAMPLE_RATE)]
            found.add(round((spectrum.argmax() * SAMPLE_RATE / len(sound) - 100) / 20))
    assert min(map(len, hums.values())) > 0
    assert not hums["train"] & hums["test"]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda path: (path / "animal1/a.wav").write_bytes(b"RIFF"), [r"animal1/a\.wav: cannot be decoded", "demo.md"]),
        (
            lambda path: clip(path / "animal1/z.wav", np.zeros(RATE)),
            [r"animal1/z\.wav: no call found: it is silent", "remove these"],
        ),
        (
            lambda path: (path / "animal2/a.wav").unlink(),
            [r"animal2: has 3 sources of sound, expected at least 4", r"\.flac", "one animal"],
        ),
        (
            lambda path: [each.unlink() for each in (path / "animal2").rglob("*.*")],
            ["animal2: has 0 sources of sound, expected at least 4"],
        ),
        (
            lambda path: (path / "animal2/copy.wav").write_bytes((path / "animal3/a.wav").read_bytes()),
            [r"animal3/a\.wav: has the same content as .*animal2/copy\.wav, of another species"],
        ),
        (
            lambda path: clip(path / "background/0.wav", silence(1)),
            [r"background/0\.wav: is a background of 1\.0 s, expected at least 2\.0 s"],
        ),
        (
            lambda path: [(path / f"background/{number}.wav").unlink() for number in range(3)],
            ["background: has 1 sources of sound, expected at least 2"],
        ),
        (
            lambda path: (path / "animal0").rename(path.parent / "elsewhere"),
            ["has clips of 8 species, expected at least 9", r"demo\.unlisted_species \(1\)"],
        ),
    ],
    ids=["damaged", "silent", "few", "none", "copy", "short", "one", "species"],
)
def test_clips_that_cannot_be_used_are_named(
    damage: object, said: list[str], demo: Demo, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    damage(copied(folder, tmp_path / "inputs/clips"))  # type: ignore[operator]
    with pytest.raises(InputError) as error:
        write_dataset(demo, tmp_path / "dataset", workers=1)
    for part in said:
        assert re.search(part, str(error.value)), str(error.value)


def test_a_missing_folder_is_explained(demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"inputs/clips: there is no such folder, and demo\.clips .* docs/demo\.md"):
        write_dataset(demo, tmp_path / "dataset", workers=1)


def test_the_page_on_the_data_set_sorts_esc_50(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its layout is that of the collection's own table, of which these are rows."""
    monkeypatch.chdir(tmp_path)
    rows = [
        "1-100032-A-0.wav,1,0,dog,True,100032,A", "1-100210-A-36.wav,1,36,vacuum_cleaner,False,100210,A",
        "1-110389-A-0.wav,1,0,dog,True,110389,A", "1-17367-A-10.wav,1,10,rain,True,17367,A",
        "1-172649-A-40.wav,1,40,helicopter,True,172649,A", "1-172649-B-40.wav,1,40,helicopter,True,172649,B",
        "5-203128-A-0.wav,5,0,dog,True,203128,A", "5-203128-B-0.wav,5,0,dog,True,203128,B",
    ]  # fmt: skip
    (tmp_path / "ESC-50-master/meta").mkdir(parents=True)
    (tmp_path / "ESC-50-master/audio").mkdir()
    table = "filename,fold,target,category,esc10,src_file,take"
    (tmp_path / "ESC-50-master/meta/esc50.csv").write_text("\n".join([table, *rows]) + "\n")
    for row in rows:
        (tmp_path / "ESC-50-master/audio" / row.split(",")[0]).write_text(row)
    (program,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/demo.md").read_text(), re.DOTALL)
    subprocess.run([sys.executable, "-c", program], check=True)
    clips = Path("inputs/clips")
    assert {path.relative_to(clips).as_posix() for path in clips.rglob("*.wav")} == {
        "dog/100032/1-100032-A-0.wav", "dog/110389/1-110389-A-0.wav", "dog/203128/5-203128-A-0.wav",
        "dog/203128/5-203128-B-0.wav", "background/17367/1-17367-A-10.wav",
    }  # fmt: skip


def test_copies_within_a_species_count_once(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clips = copied(folder, tmp_path / "clips")
    (clips / "animal0/b copy.flac").write_bytes((clips / "animal0/b.flac").read_bytes())
    assert list_sources(clips).keys() == list_sources(folder).keys()
    assert sum(map(len, list_sources(clips)["animal0"].values())) == 5
    assert "1 copies of other clips are left out" in capsys.readouterr().err
