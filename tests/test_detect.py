"""`dawnchorus detect` as its users call it, with a small model of two untrained networks."""

import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest
import soundfile
from bundles import forget_file, make_bundle, settings_of

from dawnchorus.config.params import Params
from dawnchorus.errors import InputError
from dawnchorus.inference.streaming import score_recording
from dawnchorus.models.bundle import read_bundle
from dawnchorus.models.members import load_ensemble
from dawnchorus.workflow.detection import find_recordings

# A name as from an old card: "café" in Latin-1.
LATIN = os.fsdecode(b"caf\xe9.wav")
TABLES = (
    "detections.csv", "detections.parquet", "species_by_recording.csv", "activity.csv", "recordings.csv",
    "unreadable.csv",
)  # fmt: skip


def detect(*arguments: object) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "dawnchorus.command", "detect", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sites with recordings of equal names, one of them in stereo at another rate, and three unreadable ones."""
    folder = tmp_path_factory.mktemp("field") / "card"
    rng = np.random.default_rng(0)

    def noise(seconds: float, rate: int = 48_000, channels: int = 1) -> np.ndarray:
        return rng.normal(0, rng.uniform(0.01, 0.3), (int(seconds * rate), channels))

    for site, rate, channels in (("hill", 48_000, 1), ("mill", 32_000, 2)):
        (folder / site).mkdir(parents=True)
        for name, seconds in (("20240611_053000", 7.3), ("20240611_235959", 1.1)):
            soundfile.write(folder / site / f"{name}.WAV", noise(seconds, rate, channels), rate)
    soundfile.write(folder / "hill/cut.flac", noise(20), 48_000)
    content = (folder / "hill/cut.flac").read_bytes()
    (folder / "hill/cut.flac").write_bytes(content[: len(content) // 2])
    (folder / "mill/text.wav").write_text("no sound")
    (folder / "mill" / LATIN).write_text("no sound")
    return folder


@pytest.fixture(scope="module")
def model(tiny: Params, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("model") / "model", tiny, threshold=0.45)


@pytest.fixture(scope="module")
def done(model: Path, recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("done") / "out"
    run = detect(model, recordings, "--output", output, "--timezone", "America/Puerto_Rico", "--cores", 1)
    assert run.returncode == 1, run.stderr
    assert "3 recordings could not be read" in run.stderr
    assert f"{recordings}/hill/cut.flac: " in run.stderr
    assert "Traceback" not in run.stderr + (output / "detect.log").read_text()
    (output / "stdout").write_text(run.stdout)
    return output


def test_a_model_of_an_earlier_version_finds_the_same(
    done: Path, model: Path, recordings: Path, tmp_path: Path
) -> None:
    old = shutil.copytree(model, tmp_path / "old")
    for fold in (0, 1):
        forget_file(old, f"members/small_cnn-{fold}.tflite")
    assert detect(old, recordings, "--output", tmp_path / "out", "--timezone", "America/Puerto_Rico").returncode == 1
    tables = [pd.read_csv(folder / "detections.csv", keep_default_na=False) for folder in (tmp_path / "out", done)]
    assert len(tables[0]) > 3
    # TensorFlow scored one, LiteRT the other.
    pd.testing.assert_frame_equal(*tables, rtol=0, atol=2e-6)


def test_the_tables_have_what_the_model_scores(done: Path, model: Path, recordings: Path, tiny: Params) -> None:
    found = pd.read_csv(done / "detections.csv", keep_default_na=False)
    scorer = load_ensemble(read_bundle(model)).predict_on_batch
    expected = []
    for site in ("hill", "mill"):
        for name in ("20240611_053000", "20240611_235959"):
            path = recordings / site / f"{name}.WAV"
            starts, scores, seconds = score_recording(scorer, path, settings_of(tiny), 1.0, "mean", 16)
            ends = np.minimum(starts + 47 * 2048 / 48_000, seconds)
            # All windows of 2 s every second overlap.
            above = np.flatnonzero(scores[:, 0] >= 0.45)
            expected += [
                (f"{site}/{name}", site, starts[part[0]], ends[part[-1]], scores[part, 0].max())
                for part in np.split(above, np.flatnonzero(np.diff(above) > 2) + 1)
                if len(part)
            ]
    assert len(expected) >= 3
    assert list(zip(found.recording, found.site, strict=True)) == [row[:2] for row in expected]
    for column, values in zip(("start_s", "end_s", "score"), list(zip(*expected, strict=True))[2:], strict=True):
        np.testing.assert_allclose(found[column], values, atol=1.1e-3 if column != "score" else 1e-6)
    # 1.2 * log odds + 0.5, at a prevalence of 0.1
    odds = 1.2 * np.log(found.score / (1 - found.score)) + 0.5 + np.log(0.1 / 0.9)
    np.testing.assert_allclose(found.probability, 1 / (1 + np.exp(-odds)), atol=1e-5)
    assert set(found.species) == {"BTNW"}
    assert set(found.common_name) == {"Black-throated Green Warbler"}
    first = found[found.recording == "hill/20240611_053000"].iloc[0]
    clock = pd.Timestamp(first.clock_time) - pd.Timestamp("2024-06-11T05:30:00-04:00")
    assert clock.total_seconds() == pytest.approx(first.start_s, abs=1e-3)
    pd.testing.assert_frame_equal(
        found.drop(columns=["channel"]),
        pd.read_parquet(done / "detections.parquet").drop(columns=["channel"]), check_dtype=False,
    )  # fmt: skip


def test_presence_activity_and_problems_are_told(done: Path, recordings: Path) -> None:
    found = pd.read_csv(done / "detections.csv")
    presence = pd.read_csv(done / "species_by_recording.csv").set_index(["recording", "species"])
    assert len(presence) == 4 * 2
    counts = found.groupby("recording").size()
    for (name, species), row in presence.iterrows():
        expected = counts.get(name, 0) if species == "BTNW" else 0
        assert row.detections == expected
        assert (row.presence == "present") == (expected > 0)
        # The probability of the second species is unknown.
        assert species == "BTNW" or row.presence == "unsure"
    activity = pd.read_csv(done / "activity.csv")
    assert activity.detections.sum() == len(found)
    assert set(activity.hour) <= {5, 23}
    effort = pd.read_csv(done / "recordings.csv").set_index("recording")
    assert list(effort.index) == [
        f"{site}/20240611_{time}" for site in ("hill", "mill") for time in ("053000", "235959")
    ]
    assert effort.seconds.tolist() == [7.3, 1.1, 7.3, 1.1]
    assert effort.sample_rate.tolist() == [48_000, 48_000, 32_000, 32_000]
    assert effort.channels.tolist() == [1, 1, 2, 2]
    assert effort.start["mill/20240611_235959"] == "2024-06-11T23:59:59-04:00"
    assert effort.file["hill/20240611_053000"] == str(recordings / "hill/20240611_053000.WAV")
    problems = pd.read_csv(done / "unreadable.csv").set_index("recording")
    assert list(problems.index) == ["hill/cut", r"mill/caf\xe9", "mill/text"]
    assert problems.problem[r"mill/caf\xe9"] == "its name is not UTF-8; rename it"
    assert problems.problem["mill/text"].startswith("unreadable: no sound of a known format")
    assert problems.file["hill/cut"] == str(recordings / "hill/cut.flac")
    lines = (done / "stdout").read_text().splitlines()
    assert lines[0] == (
        f"BTNW  {len(found)} detections in {len(counts)} of 4 recordings "
        "(threshold 0.45: precision 0.90, at least 0.80)"
    )
    assert lines[1] == "häh   no threshold: no present box"


def test_without_a_promise_the_next_command_is_told(model: Path, recordings: Path, tmp_path: Path) -> None:
    unsure = shutil.copytree(model, tmp_path / "my model")
    table = pd.read_csv(unsure / "thresholds.csv")
    table.assign(no_promise="no present box", precision=np.nan, precision_low=np.nan).to_csv(
        unsure / "thresholds.csv", index=False
    )
    content = json.loads((unsure / "model.json").read_text())
    content["files"]["thresholds.csv"] = hashlib.sha256((unsure / "thresholds.csv").read_bytes()).hexdigest()
    (unsure / "model.json").write_text(json.dumps(content))
    run = detect(unsure, recordings / "hill/20240611_053000.WAV", "--output", tmp_path / "my field")
    (line,) = (line for line in run.stdout.splitlines() if line.startswith("No precision is promised"))
    words = shlex.split(line.partition(", dawnchorus ")[2])
    assert words[:4] == ["review", "start", str(tmp_path / "my field"), "--model"]
    command = [sys.executable, "-m", "dawnchorus.command", *words, "--name", "first"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "first" in done.stdout


def test_the_same_command_scores_nothing_again_and_changed_recordings_only(
    done: Path, model: Path, recordings: Path, tmp_path: Path
) -> None:
    output, field = tmp_path / "out", shutil.copytree(recordings, tmp_path / "card")
    (field / "hill/cut.flac").unlink()
    (field / "mill/text.wav").unlink()
    (field / "mill" / LATIN).unlink()
    first = detect(model, field, "--output", output, "--timezone", "America/Puerto_Rico", "--format", "raven-table")
    assert first.returncode == 0, first.stderr
    before = {path: path.stat().st_mtime_ns for path in (output / "windows").rglob("*.parquet")}
    options = ("--output", output, "--timezone", "America/Puerto_Rico")
    run = detect(model, field, *options)
    assert run.returncode == 0, run.stderr
    assert {path: path.stat().st_mtime_ns for path in (output / "windows").rglob("*.parquet")} == before
    for name in TABLES[2:4]:
        assert (output / name).read_bytes() == (done / name).read_bytes()
    samples, rate = soundfile.read(field / "hill/20240611_053000.WAV")
    soundfile.write(field / "hill/20240611_053000.WAV", samples[: 3 * rate], rate)
    run = detect(model, field, *options, "--threshold", 0)
    assert run.returncode == 0, run.stderr
    changed = {path for path, time_ns in before.items() if path.stat().st_mtime_ns != time_ns}
    assert changed == {output / "windows/hill/20240611_053000.parquet"}
    found = pd.read_csv(output / "detections.csv")
    # With a threshold of 0, each recording is one detection of each species.
    assert len(found) == 4 * 2
    assert found.end_s.max() == pytest.approx(7.3, abs=2e-3)
    # The format of the first call was written again.
    selections = pd.read_csv(output / "raven-table/selections.txt", sep="\t")
    np.testing.assert_allclose(np.sort(selections.Score.unique()), np.sort(found.score.unique()), atol=1e-6)


def test_sites_may_be_in_the_names_of_recordings(done: Path, model: Path, recordings: Path, tmp_path: Path) -> None:
    output = shutil.copytree(done, tmp_path / "out")
    options = ("--output", output, "--timezone", "America/Puerto_Rico", "--threshold", 0)
    run = detect(model, recordings, *options, "--site-pattern", r"^.*(?P<site>\w\w)/")
    assert "3 recordings could not be read" in run.stderr
    for name in ("detections.csv", "recordings.csv", "species_by_recording.csv"):
        table = pd.read_csv(output / name, dtype=str)
        assert set(table.site) == {"ll"}
    assert set(pd.read_csv(output / "activity.csv", dtype=str).site) == {"ll"}
    # No recording was scored again.
    scored = [path.relative_to(output) for path in (output / "windows").rglob("*.parquet")]
    assert [(output / path).stat().st_mtime_ns for path in scored] == [
        (done / path).stat().st_mtime_ns for path in scored
    ]


def test_another_model_or_setting_is_refused(done: Path, model: Path, recordings: Path, tmp_path: Path) -> None:
    run = detect(model, recordings, "--output", done, "--timezone", "America/Puerto_Rico", "--hop", 0.5)
    assert run.returncode == 1
    assert "were scored before have hop 1.0, now it is 0.5; remove" in run.stderr
    other = shutil.copytree(model, tmp_path / "other")
    # Other figures and another target change no score; another ensemble does.
    content = json.loads((other / "model.json").read_text())
    content["settings"]["detect"]["precision"] = 0.8
    (other / "model.json").write_text(json.dumps(content))
    options = ("--output", done, "--timezone", "America/Puerto_Rico")
    assert "another model" not in detect(other, recordings, *options).stderr
    content["members"][0]["weight"] = 0.25
    (other / "model.json").write_text(json.dumps(content))
    run = detect(other, recordings, *options)
    assert run.returncode == 1
    assert f"{done / 'windows'}: its recordings were scored by another model" in run.stderr


@pytest.mark.skipif(find_spec("jax") is not None, reason="jax is installed")
def test_a_backend_that_is_not_installed_is_named(
    model: Path, recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = shutil.copytree(model, tmp_path / "old")
    forget_file(old, "members/small_cnn-0.tflite")
    monkeypatch.setenv("DAWNCHORUS_BACKEND", "jax")
    run = detect(old, recordings, "--output", tmp_path / "out")
    assert run.returncode == 1
    assert "error: DAWNCHORUS_BACKEND: found jax, which is not installed; install it" in run.stderr
    assert "Traceback" not in run.stderr


def test_scores_of_another_version_are_not_mixed_with_new_ones(
    done: Path, model: Path, recordings: Path, tmp_path: Path
) -> None:
    output = shutil.copytree(done, tmp_path / "out")
    content = json.loads((output / "windows/run.json").read_text())
    (output / "windows/run.json").write_text(json.dumps(content | {"dawnchorus": "0.0.9"}))
    run = detect(model, recordings, "--output", output, "--timezone", "America/Puerto_Rico")
    assert run.returncode == 1
    assert f"have dawnchorus '0.0.9', now it is {content['dawnchorus']!r}; remove {output}/windows" in run.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "nowhere: is missing; expected recordings"),
        (["model.json"], "is no recording; expected a file that ends in .flac"),
        (["card", "--hop", "5"], "--hop: found 5 s, expected at most the length of a window, 2.0"),
        (["card", "--channel", "0"], "found '0', expected a number from 1, mean or each"),
        (["card", "--threshold", "1.5"], "found '1.5', expected a number from 0 to 1"),
        (["card", "--timezone", "EDT+4"], "found 'EDT+4', expected a time zone"),
        (["card", "--site-pattern", "(_"], "found '(_', expected a regular expression with a group (?P<site>...)"),
        (["card", "--site-pattern", "(?P<site>SM\\d)"], "'(?P<site>SM\\\\d)' finds no site in 7 of 7 recordings"),
    ],
)
def test_wrong_arguments_are_told_before_anything_is_scored(
    arguments: list[str], message: str, model: Path, recordings: Path, tmp_path: Path
) -> None:
    places = {"card": recordings, "model.json": model / "model.json"}
    run = detect(model, *[places.get(each, each) for each in arguments], "--output", tmp_path / "out")
    assert run.returncode != 0
    assert message in " ".join(run.stderr.split())
    assert "Traceback" not in run.stderr
    assert not (tmp_path / "out/windows").exists()


def test_a_folder_of_the_users_own_is_no_output(model: Path, recordings: Path, tmp_path: Path) -> None:
    (tmp_path / "raven").mkdir()
    (tmp_path / "raven/mine.txt").write_text("mine")
    run = detect(model, recordings, "--output", tmp_path, "--format", "raven")
    assert run.returncode == 1
    assert "has other files than `dawnchorus detect` writes; name a new folder" in run.stderr
    assert (tmp_path / "raven/mine.txt").read_text() == "mine"


def test_a_list_and_several_folders_name_recordings(recordings: Path, tmp_path: Path) -> None:
    listed = tmp_path / "some.txt"
    listed.write_text(f"{recordings / 'hill/20240611_053000.WAV'}\n\n{recordings / 'mill'}\n", encoding="utf-8")
    names = ["20240611_053000", "mill/20240611_053000", "mill/20240611_235959", r"mill/caf\xe9", "mill/text"]
    assert list(find_recordings([listed])) == names
    again = find_recordings([recordings / "hill", recordings / "mill"])
    assert [name for name in again if name.startswith("mill")] == names[1:]
    assert again["hill/cut"] == (recordings / "hill/cut.flac").resolve()
    with pytest.raises(InputError, match="has the same name as"):
        find_recordings([recordings / "hill/20240611_053000.WAV", recordings / "mill/20240611_053000.WAV"])
    listed.write_text(f"{recordings}\nnowhere.wav\n")
    with pytest.raises(InputError, match=r"some\.txt: line 2: nowhere\.wav is missing"):
        find_recordings([listed])


def test_each_channel_is_scored_by_itself(model: Path, recordings: Path, tmp_path: Path) -> None:
    run = detect(model, recordings / "mill/20240611_053000.WAV", "--output", tmp_path / "out", "--channel", "each",
                 "--threshold", 0)  # fmt: skip
    assert run.returncode == 0, run.stderr
    found = pd.read_csv(tmp_path / "out/detections.csv")
    assert sorted(zip(found.species, found.channel, strict=True)) == [("BTNW", 1), ("BTNW", 2), ("häh", 1), ("häh", 2)]
    assert found[found.species == "BTNW"].score.nunique() == 2
    assert set(found.recording) == {"20240611_053000"}


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Sixty short recordings."""
    rng = np.random.default_rng(1)
    (tmp_path / "many").mkdir()
    for number in range(60):
        soundfile.write(tmp_path / f"many/{number:02}.flac", rng.normal(0, rng.uniform(0.01, 0.3), 24_000 * 8), 24_000)
    return tmp_path / "many"


@pytest.mark.slow
def test_a_killed_run_goes_on_and_ends_with_the_same_bytes(model: Path, many: Path, tmp_path: Path) -> None:
    whole = detect(model, many, "--output", tmp_path / "whole", "--cores", 1)
    assert whole.returncode == 0, whole.stderr
    rng, kills, output = np.random.default_rng(0), 0, tmp_path / "killed"
    command = [sys.executable, "-m", "dawnchorus.command", "detect", str(model), str(many), "--output", str(output),
               "--cores", "1"]  # fmt: skip
    for _ in range(3):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        before = len(list(output.rglob("*.parquet")))
        while process.poll() is None and len(list(output.rglob("*.parquet"))) == before:
            time.sleep(0.05)
        time.sleep(rng.uniform(0, 0.3))
        if process.poll() is None:
            workers = psutil.Process(process.pid).children(recursive=True)
            process.kill()
            kills += 1
            assert psutil.wait_procs(workers, timeout=20)[1] == []
        process.wait()
    assert kills >= 2
    last = detect(model, many, "--output", output, "--cores", 1)
    assert last.returncode == 0, last.stderr
    assert last.stdout.replace(str(output), str(tmp_path / "whole")) == whole.stdout
    for name in TABLES:
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
