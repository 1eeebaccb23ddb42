"""The embedded data set is as hard as it is meant to be, and always the same."""

import re
from dataclasses import asdict
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from scipy.signal import find_peaks
from tiny import ROOT, changed

from dawnchorus.audio.file_checks import look_at_header
from dawnchorus.config.demo import Demo
from dawnchorus.config.params import Params
from dawnchorus.config.presets import load_preset
from dawnchorus.data.clock_times import start_of
from dawnchorus.demo.animals import SAMPLE_RATE, Species
from dawnchorus.demo.backgrounds import background, band_power
from dawnchorus.demo.dataset import (
    draw_calls,
    draw_labels,
    draw_truth,
    recording_id,
    synthesize_recording,
    write_dataset,
)
from dawnchorus.demo.schedule import draw_activity, draw_starts
from dawnchorus.demo.songs import KINDS, Singer, Song, draw_individuals, draw_songs, sing
from dawnchorus.demo.species import draw_species
from dawnchorus.evaluation.baselines import constant_scores, random_precisions
from dawnchorus.evaluation.label_metrics import lwlrap


def calls_of(demo: Demo, split: str) -> pd.DataFrame:
    """All calls of one part of the data set."""
    species = draw_species(demo)
    truth = draw_truth(demo, species, split)
    return pd.DataFrame(call for row in enumerate(truth) for call in draw_calls(demo, species, split, *row))


def songs_of(species: list[Species]) -> list[Song]:
    """The songs of invented species."""
    return [animal.song for one in species for animal in one.animals["test"][:1] if isinstance(animal, Singer)]


@pytest.fixture(scope="module")
def calls(params: Params) -> pd.DataFrame:
    """All calls of the training part."""
    return calls_of(params.demo, "train")


@pytest.fixture(scope="module")
def benchmark() -> Demo:
    """The first of the two benchmark sets."""
    return load_preset(ROOT / "presets", "benchmark").demo


@pytest.fixture(scope="module")
def second() -> Demo:
    """The second one, as docs/demo.md gives it."""
    params = load_preset(ROOT / "presets", "benchmark")
    values = re.findall(r"-S demo\.(\w+)=([\d.]+)", (ROOT / "docs/demo.md").read_text())
    return changed(params, {"demo": {key: float(text) if "." in text else int(text) for key, text in values}}).demo


@pytest.fixture(scope="module")
def chorus(benchmark: Demo) -> pd.DataFrame:
    """All calls of the benchmark's training part."""
    return calls_of(benchmark, "train")


def random_lwlrap(truth: np.ndarray) -> float:
    """The expected LWLRAP of random scores."""
    return float(random_precisions(truth, np.ones_like(truth)).by_recording.sum() / truth.sum())


def test_how_much_a_submission_gets_that_knows_nothing(params: Params) -> None:
    truth = draw_truth(params.demo, draw_species(params.demo), "test")
    assert random_lwlrap(truth) <= 0.40
    assert 0.55 <= lwlrap(truth, constant_scores(truth)) <= 0.80


def test_prevalence_is_skewed(params: Params) -> None:
    for split in ("train", "test"):
        prevalence = np.sort(draw_truth(params.demo, draw_species(params.demo), split).mean(axis=0))
        assert prevalence[-1] >= 0.9
        assert prevalence[0] <= 0.06
        assert prevalence[0] > 0


def test_half_of_the_calls_are_faint_and_few_are_labelled(params: Params, calls: pd.DataFrame) -> None:
    assert (calls.snr_db < 6).mean() >= 0.5
    assert (calls_of(params.demo, "test").snr_db < 6).mean() >= 0.5
    tp, _ = draw_labels(params.demo, draw_species(params.demo), calls)
    assert len(tp) / len(calls) <= 0.15
    assert tp.species_id.value_counts().between(2, params.demo.tp_per_species).all()
    assert tp.species_id.nunique() == params.demo.species


def test_false_positives_stand_over_something_else(params: Params, calls: pd.DataFrame) -> None:
    _, fp = draw_labels(params.demo, draw_species(params.demo), calls)
    assert (fp.species_id.value_counts() == params.demo.fp_per_species).all()
    for row in fp.itertuples():
        here = calls[(calls.recording_id == row.recording_id) & (calls.t_max > row.t_min) & (calls.t_min < row.t_max)]
        assert row.species_id not in set(here.species_id)
        assert len(here) > 0
        assert 0 <= row.t_min < row.t_max <= params.demo.seconds


def test_a_call_is_as_loud_as_its_signal_to_noise_says(params: Params) -> None:
    demo, species = params.demo, draw_species(params.demo)
    for species_id in range(demo.species):
        calls = draw_calls(demo, species, "test", 0, np.arange(demo.species) == species_id)
        call = calls[0]
        quiet = synthesize_recording(demo, species, "test", 0, [])
        sound = synthesize_recording(demo, species, "test", 0, [call])
        begin, end = (int(time * SAMPLE_RATE) for time in (call.t_min, call.t_max))
        power = np.mean((sound - quiet)[begin:end].astype(float) ** 2)
        noise = band_power(quiet[begin:end], SAMPLE_RATE, call.f_min, call.f_max)
        assert 10 * np.log10(power / noise) == pytest.approx(call.snr_db, abs=0.05)
        assert np.array_equal(sound[: begin - 1], quiet[: begin - 1])


def test_band_power_is_that_of_a_sine() -> None:
    time = np.arange(48_123) / SAMPLE_RATE
    sine = (0.2 * np.sin(2 * np.pi * 2000 * time)).astype(np.float32)
    assert band_power(sine, SAMPLE_RATE, 1900, 2100) == pytest.approx(0.02, rel=0.01)
    assert band_power(sine, SAMPLE_RATE, 3000, 4000) < 1e-4


@pytest.mark.parametrize("number", range(len(KINDS)))
def test_songs_keep_to_their_band(number: int) -> None:
    rng = np.random.default_rng(5)
    song = draw_songs(len(KINDS), rng)[number]
    animal = draw_individuals(1, rng)[0]
    call = sing(song, animal, song.seconds, SAMPLE_RATE)
    low, high = song.f_low * animal.pitch, song.f_high * animal.pitch
    inside = band_power(call, SAMPLE_RATE, low * 0.9, high * 1.1)
    assert np.mean(call**2) == pytest.approx(1, rel=1e-3)
    assert inside > 0.85


def test_a_harmonic_stack_has_several_harmonics() -> None:
    rng = np.random.default_rng(5)
    song = next(song for song in draw_songs(len(KINDS), rng) if song.kind == "harmonics")
    call = sing(song, draw_individuals(1, rng)[0], 1.0, SAMPLE_RATE)
    middle = np.abs(np.fft.rfft(call[20_000:28_000] * np.hanning(8000)))
    peaks, _ = find_peaks(middle, height=0.2 * middle.max())
    assert len(peaks) >= 4


def test_test_recordings_have_other_animals(params: Params) -> None:
    for species in draw_species(params.demo):
        assert not set(species.animals["train"]) & set(species.animals["test"])


def test_backgrounds_differ() -> None:
    one, two = (background(48_000, SAMPLE_RATE, np.random.default_rng(seed)) for seed in (1, 2))
    assert np.abs(np.corrcoef(one, two)[0, 1]) < 0.2


def test_the_files_are_those_of_the_competition_and_follow_from_the_seed(tiny: Params, tmp_path: Path) -> None:
    def write(name: str, demo: Demo) -> dict[str, bytes]:
        write_dataset(demo, tmp_path / name, workers=2)
        paths = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
        return {str(path.relative_to(tmp_path / name)): path.read_bytes() for path in paths}

    first, again = write("first", tiny.demo), write("again", tiny.demo)
    other = write("other", tiny.demo.model_copy(update={"seed": 2, "confusable_pairs": 2, "unlisted_species": 3}))
    assert first == again
    assert not set(first.values()) & set(other.values())
    sample = pd.read_csv(tmp_path / "first/sample_submission.csv")
    test = {path.stem for path in (tmp_path / "first/test").glob("*.flac")}
    assert set(sample.recording_id) == test == set(pd.read_csv(tmp_path / "first/truth_test.csv").recording_id)
    assert list(sample.columns) == ["recording_id", *[f"s{number}" for number in range(tiny.demo.species)]]
    for table in ("sample_submission", "truth_test"):
        assert list(pd.read_csv(tmp_path / f"other/{table}.csv").columns) == list(sample.columns)
    info = soundfile.info(next((tmp_path / "first/train").iterdir()))
    assert (info.samplerate, info.channels, info.duration) == (48_000, 1, tiny.demo.seconds)
    assert len(list((tmp_path / "first/train").iterdir())) == tiny.demo.train_recordings


def test_clock_times_change_no_sound_and_are_found_as_those_of_recorders(tiny: Params, tmp_path: Path) -> None:
    demo, species = tiny.demo, draw_species(tiny.demo)
    write_dataset(demo, tmp_path, workers=2)
    starts = []
    for split in ("train", "test"):
        for index, present in enumerate(draw_truth(demo, species, split)):
            path = tmp_path / split / f"{recording_id(demo, split, index)}.flac"
            calls = draw_calls(demo, species, split, index, present)
            sound = synthesize_recording(demo, species, split, index, calls)
            # What the file was before it had a comment.
            soundfile.write(tmp_path / "plain.flac", sound / max(1.0, float(np.abs(sound).max()) / 0.99), SAMPLE_RATE)
            samples, plain = (soundfile.read(each, dtype="int16")[0] for each in (path, tmp_path / "plain.flac"))
            assert np.array_equal(samples, plain)
            with soundfile.SoundFile(path) as file:
                (stated,) = re.findall(
                    r"^Recorded at (\d\d:[03]0:00 \d\d/\d\d/\d{4}) \(UTC-4\) by AudioMoth", file.comment
                )
            found = start_of(path.name, look_at_header(path).notes, None)
            assert found is not None
            assert found.isoformat() == f"{datetime.strptime(stated, '%H:%M:%S %d/%m/%Y').isoformat()}-04:00"
            starts.append(found)
    assert len(set(starts)) == len(starts) == demo.train_recordings + demo.test_recordings
    assert max(starts) - min(starts) < timedelta(days=14)


def test_species_have_hours_of_their_own(params: Params) -> None:
    demo, species = params.demo, draw_species(params.demo)
    activity = draw_activity(demo, [one.prevalence for one in species])
    truth = {split: draw_truth(demo, species, split) for split in ("train", "test")}
    starts = draw_starts(demo, activity, truth)
    hours = np.array([start.hour for split in truth for start in starts[split]])
    present = np.concatenate(list(truth.values()))
    for number, one in enumerate(species):
        # Half of the day in which the species is most active.
        is_active = np.isin(np.arange(24), np.argsort(activity[number])[12:])[hours]
        share, others = present[is_active, number].mean(), present[~is_active, number].mean()
        assert share > others or one.prevalence > 0.5, number
    assert set(activity.argmax(axis=1)) >= {5, 11, 18}
    # All hours are recorded.
    assert len(set(hours)) == 24
    assert draw_starts(demo, activity, truth) == starts


def test_many_or_long_recordings_take_more_than_two_weeks(params: Params) -> None:
    demo = params.demo.model_copy(update={"seconds": 3600.0})
    starts = draw_starts(demo, np.ones((2, 24)), {"train": np.zeros((300, 2), bool), "test": np.zeros((200, 2), bool)})
    every = sorted([*starts["train"], *starts["test"]])
    assert min(after - before for before, after in pairwise(every)) >= timedelta(hours=1)
    assert every[-1] - every[0] > timedelta(days=20)


@pytest.mark.parametrize("name", ["benchmark", "second"])
def test_a_constant_submission_scores_on_the_benchmark_as_in_the_competition(
    name: str, request: pytest.FixtureRequest
) -> None:
    demo = request.getfixturevalue(name)
    truth = draw_truth(demo, draw_species(demo), "test")[:, : demo.species]
    assert 0.70 <= lwlrap(truth, constant_scores(truth)) <= 0.80
    assert random_lwlrap(truth) <= 0.40
    assert truth.any(axis=0).all()


def test_the_benchmark_sets_share_no_song_animal_or_recording(benchmark: Demo, second: Demo) -> None:
    sets = [draw_species(demo) for demo in (benchmark, second)]
    assert not set.intersection(*(set(songs_of(species)) for species in sets))
    animals = [{animal for one in species for part in one.animals.values() for animal in part} for species in sets]
    assert not set.intersection(*animals)
    names = [
        {recording_id(demo, "test", index) for index in range(demo.test_recordings)} for demo in (benchmark, second)
    ]
    assert not set.intersection(*names)
    assert sorted(one.prevalence for one in sets[0]) != sorted(one.prevalence for one in sets[1])


def test_few_of_the_benchmarks_calls_are_labelled(benchmark: Demo, chorus: pd.DataFrame) -> None:
    tp, fp = draw_labels(benchmark, draw_species(benchmark), chorus)
    assert 0.05 <= len(tp) / (chorus.species_id < benchmark.species).sum() <= 0.10
    assert 3 <= len(fp) / len(tp) <= 6
    # Unlisted species call; nobody asks for them.
    assert chorus.species_id.max() == benchmark.species + benchmark.unlisted_species - 1
    assert set(tp.species_id) == set(fp.species_id) == set(range(benchmark.species))


def test_most_of_the_benchmarks_calls_overlap_with_another_species(chorus: pd.DataFrame) -> None:
    overlapped = []
    for _, calls in chorus.groupby("recording_id"):
        begin, end, species = (calls[name].to_numpy() for name in ("t_min", "t_max", "species_id"))
        together = (begin[:, None] < end) & (begin < end[:, None]) & (species[:, None] != species)
        overlapped.extend(together.any(axis=1))
    assert np.mean(overlapped) >= 0.8


def test_confusable_pairs_share_kind_and_band_and_differ_in_one_thing(benchmark: Demo) -> None:
    songs = songs_of(draw_species(benchmark)[: benchmark.species])
    pairs = list(zip(songs, songs[-benchmark.confusable_pairs :], strict=False))
    assert {one.kind for one, _ in pairs} == set(KINDS)
    for one, other in pairs:
        assert (one.kind, one.f_low, one.f_high) == (other.kind, other.f_low, other.f_high)
        differing = [key for key, value in asdict(one).items() if value != asdict(other)[key]]
        assert differing in (["falling"], ["rate"], ["seconds"])
