"""What the terminal shows of streams of events, made by hand in the form of Snakemake's."""

import io
import json
import logging
import os
import pty
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from snakemake.settings.enums import Quietness
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_interface_logger_plugins.settings import OutputSettingsLoggerInterface
from terminals import Emulator
from tiny import ROOT

from dawnchorus.workflow.locks import FOLDER
from dawnchorus.workflow.plan import Plan, PlannedStage, Rule
from dawnchorus.workflow.terminal.display import FOR_PEOPLE, Display
from dawnchorus.workflow.terminal.durations import FILE
from dawnchorus.workflow.terminal.screen import Screen, can_redraw
from snakemake_logger_plugin_dawnchorus import LogHandler


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a plan of another run."""
    monkeypatch.chdir(tmp_path)


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """It is."""
        return True


@dataclass
class Settings(OutputSettingsLoggerInterface):
    """Those of Snakemake's output that the display reads."""

    printshellcmds: bool = False
    nocolor: bool = False
    quiet: Sequence[Any] = ()
    debug_dag: bool = False
    verbose: bool = False
    show_failed_logs: bool = False
    stdout: bool = False
    dryrun: bool = False


class Run:
    """A display and the events that a test gives it."""

    def __init__(self, stream: io.StringIO, width: int = 100, **settings: Any) -> None:
        self.stream, self.emulator = stream, Emulator(width)
        self.display = Display(stream, Settings(**settings))
        self._read = 0

    def event(self, event: LogEvent | None, message: str = "", level: int = logging.INFO, **values: Any) -> None:
        """Pass on an event with its values."""
        record = logging.LogRecord("snakemake", level, "", 0, message, None, None)
        record.__dict__.update(values, event=event)
        self.display.handle(record, message)

    def begin(self, cores: int = 2, **counts: int) -> None:
        """Begin a run with so many jobs of each rule."""
        self.event(LogEvent.RESOURCES_INFO, cores=cores)
        self.event(LogEvent.RUN_INFO, stats={**counts, "total": sum(counts.values())})

    def start(self, number: int, rule: str, log: Path | str = "none.log", **wildcards: str) -> None:
        """Start a job."""
        self.event(
            LogEvent.JOB_INFO,
            jobid=number,
            rule_name=rule,
            wildcards=wildcards,
            log=[str(log)],
            threads=1,
            resources={},
        )

    def shown(self) -> list[str]:
        """What the terminal shows now."""
        text = self.stream.getvalue()
        self.emulator.feed(text[self._read :])
        self._read = len(text)
        return self.emulator.shown()


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Run]:
    """A function that makes a run on a terminal with some columns."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)

    def make(columns: int = 100, **settings: Any) -> Run:
        monkeypatch.setenv("COLUMNS", str(columns))
        return Run(Terminal(), columns, **settings)

    return make


def rows(run: Run) -> list[str]:
    """Draw the rows now, as the display does twice a second."""
    run.display.redraw()
    return run.shown()


def test_a_single_job_shares_its_row_with_the_whole_if_there_is_room(live: Callable[..., Run], tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("12 of 20 epochs, 48 s left: loss 0.15\n")
    job = "train small_cnn fold 1: 12/20 epochs"
    for columns, expected in (
        (100, [rf"{job}, loss 0.15, 4\d s left \| 0 of 1 job, about 4\d s left"]),
        (80, [rf"{job}, 4\d s left \| 0 of 1 job, about 4\d s left"]),
        (60, [rf"{job}, loss 0.15, 4\d s left", r"0 of 1 job, about 4\d s left"]),
        (50, [rf"{job}, 4\d s left", r"0 of 1 job, about 4\d s left"]),
        (30, [r"train small_cnn fold 1: 12\.\.\.", r"0 of 1 job, about 4\d s left"]),
    ):
        run = live(columns)
        run.begin(train=1)
        run.start(1, "train", "a.log", backbone="small_cnn", fold="1")
        shown = rows(run)[-len(expected) :]
        assert all(re.fullmatch(*pair) for pair in zip(expected, shown, strict=True)), (columns, shown)
        run.display.close()


def test_many_jobs_are_counted_and_finished_ones_stay_above(live: Callable[..., Run]) -> None:
    run = live()
    run.begin(cores=32, train=30)
    for number in range(12):
        run.start(number, "train", fold=str(number))
    shown = rows(run)
    assert [line.partition(":")[0] for line in shown[-10:]] == [
        *(f"train fold {number}" for number in range(8)), "and 4 more jobs", "0 of 30 jobs"
    ]  # fmt: skip
    run.event(LogEvent.JOB_FINISHED, job_id=3)
    shown = run.shown()
    assert re.fullmatch(r"train fold 3: took \d s", shown[-11])
    assert [line.partition(",")[0] for line in shown[-2:]] == ["and 3 more jobs", "1 of 30 jobs"]
    run.display.close()
    # A recording of the terminal has no line that does not stay.
    assert run.stream.getvalue().count("\n") == len(run.shown())


def test_a_warning_stays_above(live: Callable[..., Run], tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("reason: never run\nWARNING: 'a' is empty.\nwarning: 17 answers are not used\ndone\n")
    plain = Run(io.StringIO())
    for run in (live(), plain):
        run.begin(calibrate=1, report=1)
        run.start(1, "calibrate", log)
        run.event(LogEvent.JOB_FINISHED, job_id=1)
        shown = run.shown() if run is not plain else run.stream.getvalue().splitlines()
        assert [line for line in shown if "WARNING" in line.upper()] == ["warning: 17 answers are not used"]
        assert shown[shown.index("warning: 17 answers are not used") - 1].startswith("calibrate: took")
        run.display.close()


def test_a_terminal_made_narrower_shows_each_row_once() -> None:
    stream = Terminal()
    os.environ["COLUMNS"] = "40"
    try:
        screen = Screen(stream, live=True)
        screen.show([["a" * 39], ["b" * 39]])
        # The terminal breaks the rows.
        os.environ["COLUMNS"] = "20"
        emulator = Emulator(20)
        emulator.feed("a" * 39 + "\r\n" + "b" * 39)
        before = len(stream.getvalue())
        screen.show([["short"], ["rows"]])
        emulator.feed(stream.getvalue()[before:])
        assert emulator.shown() == ["short", "rows"]
    finally:
        del os.environ["COLUMNS"]


def test_a_job_that_is_tried_again_counts_once(live: Callable[..., Run], tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("error: transient\n")
    run = live()
    run.begin(train=2)
    for attempt in range(2):
        run.start(1, "train", "a.log", fold="0")
        if attempt == 0:
            run.event(LogEvent.JOB_ERROR, "Error in rule train", logging.ERROR, jobid=1, log=["a.log"])
            # Snakemake reports the jobs of a group twice.
            run.event(LogEvent.JOB_ERROR, "Error in rule train", logging.ERROR, jobid=1, log=["a.log"])
    run.event(LogEvent.JOB_FINISHED, job_id=1)
    run.display.close()
    text = "\n".join(run.shown())
    assert text.count("error: transient") == 1
    assert "Failed" not in text
    assert "train fold 0: took" in text


def test_after_a_failure_no_time_is_estimated(live: Callable[..., Run]) -> None:
    run = live()
    run.begin(train=3)
    run.start(1, "train", fold="0")
    run.start(2, "train", fold="1")
    run.event(LogEvent.JOB_ERROR, "Error in rule train", logging.ERROR, jobid=1, log=["missing.log"])
    assert re.fullmatch(r"train fold 1: \d s \| 0 of 3 jobs, 1 failed", rows(run)[-1])
    run.display.close()
    assert run.shown()[-2].startswith("Failed: train fold 0; 0 of 3 jobs are done.")


def test_each_job_of_the_plan_has_its_reason() -> None:
    FOLDER.mkdir(parents=True)
    rules = [
        Rule(
            "train", ["models/{round}/{backbone}/{fold}"], {"round": ["first"], "backbone": ["b"], "fold": ["0", "1"]}
        ),
        Rule("predict", ["scores/{fold}"], {"fold": ["0", "1"]}),
    ]
    stages = {
        f"train@round0-b-{fold}": PlannedStage([f"models/first/b/{fold}"], [], True, "train.epochs changed")
        for fold in (0, 1)
    }
    stages["predict@0"] = PlannedStage(["scores/0"], ["train@round0-b-0"], True, "after train")
    Plan("run", rules, stages).write()
    run = Run(io.StringIO())
    run.begin(train=2, predict=1, all=1)
    run.start(1, "train", round="first", backbone="b", fold="0")
    run.event(LogEvent.JOB_FINISHED, job_id=1)
    run.start(2, "predict", fold="0")
    run.start(9, "all")
    run.display.close()
    lines = run.stream.getvalue().splitlines()
    assert lines[0] == "3 jobs on 2 cores: 2 train, predict."
    assert lines[2] == "train b fold 0 starts: train.epochs changed"
    assert re.fullmatch(r"train b fold 0: took \d s \| 1 of 3 jobs.*", lines[3])
    assert lines[4:] == ["predict fold 0 starts: after train"]


def test_a_run_begins_with_its_time_by_earlier_runs(tmp_path: Path) -> None:
    (tmp_path / ".dvc/tmp").mkdir(parents=True)
    FOLDER.mkdir(parents=True)
    stages = {f"train@{fold}": PlannedStage([f"models/{fold}"], [], True, "never run") for fold in range(4)}
    Plan("run", [Rule("train", ["models/{fold}"], {"fold": list("0123")})], stages).write()
    seconds, asked = {"train": [3000.0]}, {"train": {"cores": 1}}
    (tmp_path / FILE).write_text(json.dumps({"seconds": seconds, "asked": asked}))
    run = Run(io.StringIO())
    run.begin(train=4)
    # Two at once on two cores.
    assert run.stream.getvalue().splitlines() == [
        "4 jobs on 2 cores: 4 train.", "By earlier runs here, they take about 100 min."
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("clips", "species"), [(None, "14 invented species"), ("inputs/mine", "14 species in inputs/mine")]
)
def test_a_run_of_the_embedded_set_tells_whose_calls_it_has(tmp_path: Path, clips: str | None, species: str) -> None:
    FOLDER.mkdir(parents=True)
    stages = {"synthesize": PlannedStage(["data/demo/dataset"], [], True, "never run")}
    Plan("run", [Rule("synthesize", ["data/demo/dataset"], {})], stages).write()
    (tmp_path / "presets").mkdir()
    content = (ROOT / "presets/default.yaml").read_text()
    (tmp_path / "presets/default.yaml").write_text(content)
    (tmp_path / "params.yaml").write_text(content.replace("  clips: null", f"  clips: {clips or 'null'}"))
    run = Run(io.StringIO())
    run.begin(synthesize=1)
    assert f"synthesizes 340 recordings of {species}, trains" in run.stream.getvalue()


def test_messages_for_people_and_warnings_pass_and_chatter_does_not() -> None:
    run = Run(io.StringIO())
    run.event(None, "Select jobs to execute...")
    run.event(None, "detections", **FOR_PEOPLE)
    run.event(None, "a file is missing", logging.WARNING)
    run.event(LogEvent.ERROR, "WorkflowError:\nAt least one job did not complete successfully.", logging.ERROR)
    run.event(LogEvent.SHELLCMD, "python x")
    assert run.stream.getvalue() == "detections\na file is missing\n"


def test_quiet_leaves_errors() -> None:
    run = Run(io.StringIO(), quiet=[Quietness.ALL])
    run.begin(train=1)
    run.start(1, "train")
    run.event(None, "detections", **FOR_PEOPLE)
    run.event(LogEvent.ERROR, "no space left", logging.ERROR)
    assert run.stream.getvalue() == "no space left\n"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_rows_are_drawn_on_terminals_that_can(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], expected: bool
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in changes.items():
        monkeypatch.setenv(name, value)
    assert can_redraw(Terminal()) == expected
    assert not can_redraw(io.StringIO())


def test_a_terminal_without_a_size_has_eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    main, side = pty.openpty()
    with os.fdopen(side, "w") as stream:
        assert Screen(stream, live=True).size() == (80, 24)
    os.close(main)


@pytest.fixture
def handler() -> Iterator[LogHandler]:
    """The plugin in a workflow that has started."""
    handler = LogHandler(Settings(), None)
    handler.setFormatter(logging.Formatter())
    handler.emit(message("started", event=LogEvent.WORKFLOW_STARTED))
    yield handler
    handler.close()


def message(text: str, level: int = logging.INFO, **values: Any) -> logging.LogRecord:
    """A record of Snakemake's logger."""
    record = logging.LogRecord("snakemake", level, "", 0, text, None, None)
    record.__dict__.update(values)
    return record


def test_an_error_of_the_display_leaves_snakemakes_own_messages(
    handler: LogHandler, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    handler.emit(message("Select jobs to execute..."))
    assert capsys.readouterr().err == ""

    def fail(*_: Any) -> None:
        raise RuntimeError("oh")

    monkeypatch.setattr(Display, "handle", fail)
    handler.emit(message("one"))
    assert "RuntimeError: oh" in capsys.readouterr().err
    handler.emit(message("two"))
    handler.emit(message("three", logging.ERROR))
    assert capsys.readouterr().err == "two\nthree\n"


def test_a_reader_that_goes_away_causes_no_messages(
    handler: LogHandler, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stream:
        monkeypatch.setattr("sys.stderr", stream)
        handler.emit(message("started", event=LogEvent.WORKFLOW_STARTED))
        for _ in range(2):
            handler.emit(message("a warning", logging.WARNING))
    assert capsys.readouterr().out == ""
