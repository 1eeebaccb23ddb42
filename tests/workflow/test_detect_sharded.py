"""`snakemake detect` as its users call it: the files of `dawnchorus detect`, also after a kill."""

import os
import re
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile
from bundles import make_bundle
from clone import Clone
from filelock import FileLock

from dawnchorus.config.params import Params
from dawnchorus.errors import InputError
from dawnchorus.inference.journal import Journal, Scored
from dawnchorus.workflow.detect_options import Options, Request
from dawnchorus.workflow.detection import find_recordings
from dawnchorus.workflow.detection_task import Task
from dawnchorus.workflow.sharding import Shards, merge, prepare

TABLES = ("detections.csv", "detections.parquet", "species_by_recording.csv", "activity.csv", "recordings.csv",
          "unreadable.csv", "raven-table/selections.txt")  # fmt: skip
SECONDS_TO_SCORE = 120


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sites with three recordings of 8 s each, and two that cannot be read."""
    folder = tmp_path_factory.mktemp("field") / "a card"
    rng = np.random.default_rng(0)
    for site in ("hill", "mill"):
        (folder / site).mkdir(parents=True)
        for name in ("20240611_053000", "20240611_063000", "20240611_073000"):
            soundfile.write(folder / site / f"{name}.wav", rng.normal(0, rng.uniform(0.01, 0.3), 24_000 * 8), 24_000)
    (folder / "hill/bad.wav").write_text("no sound")
    content = (folder / "mill/20240611_053000.wav").read_bytes()
    (folder / "mill/cut.wav").write_bytes(content[:200_000])
    return folder


@pytest.fixture(scope="module")
def model(tiny: Params, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("model") / "model", tiny, threshold=0.45)


def scored(clone: Clone) -> list[str]:
    """The shards whose jobs have started, in order."""
    return re.findall(r"score_shard\.py .*--shard (\d+)", Path(clone.environment["STARTED"]).read_text())


@pytest.mark.slow
def test_a_killed_run_goes_on_by_shards_and_ends_with_the_commands_files(
    field: Path, model: Path, tmp_path: Path
) -> None:
    options = ["--format", "raven-table", "--timezone", "UTC", "--cores", "1"]
    command = [sys.executable, "-m", "dawnchorus.command", "detect", str(model), str(field), "--output",
               str(tmp_path / "plain"), *options]  # fmt: skip
    plain = subprocess.run(command, capture_output=True, text=True)
    assert plain.returncode == 1, plain.stderr

    clone = Clone.new(tmp_path / "clone")
    # It is no stage: it needs neither DVC's files nor parameters, and runs beside the workflow.
    for name in ("dvc.yaml", "params.yaml"):
        (clone.path / name).unlink()
    (clone.path / ".snakemake/dvc").mkdir(parents=True)
    output = tmp_path / "sharded"
    call = ["snakemake", "--cores", "1", "detect", "--config", f"recordings={field}", f"model={model}",
            f"output={output}", "shard_hours=0.008", "format=raven-table", "timezone=UTC"]  # fmt: skip
    with FileLock(clone.path / ".snakemake/dvc/run.lock", timeout=0):
        shards = output / "windows/.shards"
        process = subprocess.Popen(call, cwd=clone.path, env=clone.environment, start_new_session=True,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
        deadline = time.monotonic() + SECONDS_TO_SCORE
        while not (finished := list(shards.glob("*.problems.csv"))) and time.monotonic() < deadline:
            assert process.poll() is None
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        first = {path.name.partition(".")[0] for path in finished}
        before = scored(clone)
        assert first == {before[0]}
        times = {path: path.stat().st_mtime_ns for path in output.rglob("[!.]*.parquet")}

        said = clone.run(*call, fails=True)
    names = {path.stem for path in shards.glob("*.csv") if "." not in path.stem}
    assert names == {"0001", "0002"}
    assert sorted(scored(clone)[len(before) :]) == sorted(names - first)
    assert len(times) >= 2
    assert {path: path.stat().st_mtime_ns for path in times} == times
    for name in TABLES:
        assert (output / name).read_bytes() == (tmp_path / "plain" / name).read_bytes(), name
    assert "2 recordings could not be read" in said
    assert plain.stdout.replace("plain", "sharded") in said


def test_the_next_run_tries_unreadable_recordings_again(field: Path, model: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    request = Request(model, [field], output, 0.008, Options(threshold=0.5))
    plan, held = prepare(request)
    shards, journal = Shards(output), Journal(output, ["BTNW", "häh"])
    scored = Scored(8.0, 24_000, 1, "", np.zeros(1, int), np.zeros(1), np.array([[0.9, 0.1]], np.float32))
    with held:
        assert list(plan.waiting) == ["0001", "0002"]
        with pytest.raises(InputError, match=r"0001\.problems\.csv: is missing; repeat"):
            merge(output)
        for name in plan.waiting:
            recordings = shards.read(name)
            problems = {each: "no sound" for each in recordings if each == "hill/bad"}
            for each in recordings.keys() - problems.keys():
                journal.write(each, recordings[each], scored)
            shards.finish(name, problems)
        lines, unreadable = merge(output)
    assert lines == [
        "BTNW  7 detections in 7 of 7 recordings (threshold 0.5)",
        "häh   0 detections in 0 of 7 recordings (threshold 0.5)",
        "6 recordings have a date, but no time zone, for example hill/20240611_053000: with --timezone, detections "
        "get clock times",
        f"Detections: {output}/detections.csv",
    ]
    assert unreadable.splitlines() == [
        f"1 recordings could not be read; {output}/unreadable.csv lists them", f"{field}/hill/bad.wav: no sound"
    ]  # fmt: skip
    plan, held = prepare(request)
    held.close()
    assert (plan.finished, list(plan.waiting)) == (["0002"], ["0001"])
    assert list(shards.read("0001")) == list(find_recordings([field]))[: len(shards.read("0001"))]
    # Tables are not written while a job scores.
    with Task.of(model, output, Options()).lock(shared=True):
        for call in (partial(prepare, request), partial(merge, output)):
            with pytest.raises(InputError, match="a job of `snakemake detect`, writes to it"):
                call()


def test_missing_things_are_told_before_any_job(field: Path, tmp_path: Path) -> None:
    clone = Clone.new(tmp_path / "clone")
    output = tmp_path / "out"
    for arguments, message in (
        ([], "--config: recordings is missing; expected for example: snakemake"),
        (["recordings=nowhere", "model=nothing", f"output={output}"], "nothing: is no model: model.json is missing"),
    ):
        said = clone.run("snakemake", "--cores", "1", "detect", *(["--config", *arguments] if arguments else []),
                         fails=True)  # fmt: skip
        assert message in said
        assert "Traceback" not in said
    assert not output.exists()
    assert scored(clone) == []
