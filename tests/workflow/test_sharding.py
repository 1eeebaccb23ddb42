"""`snakemake detect`: how recordings are dealt into shards, what is done again, and which settings are refused."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from dawnchorus.errors import InputError
from dawnchorus.inference.journal import Journal, Scored, Stamp
from dawnchorus.workflow.detect_options import Options, Request, read_config
from dawnchorus.workflow.detection import find_recordings
from dawnchorus.workflow.file_locks import lock
from dawnchorus.workflow.sharding import Plan, Shards

NEEDED = {"recordings": "/mnt/field", "model": "model", "output": "found"}
SECONDS = 36.0


def write(path: Path, seconds: float = SECONDS) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.zeros(int(1000 * seconds), np.int16), 1000)


class Field:
    """Ten recordings of 36 s, or 0.01 h, whose scores are made up."""

    def __init__(self, folder: Path) -> None:
        self.recordings, self.output = folder / "field", folder / "out"
        for number in range(10):
            write(self.recordings / f"{'hill' if number < 5 else 'mill'}/{number}.wav")
        self.shards, self.journal = Shards(self.output), Journal(self.output, ["s"])
        self.shards.folder.mkdir(parents=True)

    def plan(self, shard_hours: float = 0.029) -> Plan:
        """What a call of Snakemake does first."""
        return self.shards.plan(find_recordings([self.recordings]), self.journal, shard_hours)

    def score(self, name: str, problems: dict[str, str] | None = None) -> None:
        """What the job of a shard does."""
        one = Scored(SECONDS, 1000, 1, "", np.zeros(1, int), np.zeros(1), np.zeros((1, 1), np.float32))
        for each, stamp in self.shards.read(name).items():
            if each not in (problems or {}):
                self.journal.write(each, stamp, one)
        self.shards.finish(name, problems or {})

    def dealt(self) -> dict[str, list[str]]:
        """The recordings of each shard."""
        return {name: list(self.shards.read(name)) for name in self.shards.names()}


@pytest.fixture
def field(tmp_path: Path) -> Field:
    return Field(tmp_path)


def test_shards_have_the_hours_that_were_asked_for(field: Field) -> None:
    plan = field.plan(0.029)
    assert field.dealt() == {
        "0001": ["hill/0", "hill/1", "hill/2"],
        "0002": ["hill/3", "hill/4", "mill/5"],
        "0003": ["mill/6", "mill/7", "mill/8"],
        "0004": ["mill/9"],
    }
    assert plan.finished == []
    assert list(plan.waiting.values()) == pytest.approx([0.03, 0.03, 0.03, 0.01], rel=0.01)
    assert str(plan) == "shards to score: 4 (about 0.10 h of audio); finished: 0"
    stamp = field.shards.read("0004")["mill/9"]
    assert stamp == Stamp.of(field.recordings / "mill/9.wav")
    # Longer shards take their places, and a recording that is longer than a shard is not split.
    write(field.recordings / "mill/5.wav", 20 * SECONDS)
    assert list(field.plan(0.1).waiting.values()) == pytest.approx([0.25, 0.04], rel=0.01)
    assert list(field.dealt()) == ["0001", "0002"]


def test_finished_shards_are_kept_and_the_others_stay_as_they_were(field: Field) -> None:
    field.plan()
    before = field.dealt()
    field.score("0002")
    field.score("0003", {"mill/7": "no sound"})
    plan = field.plan()
    assert (plan.finished, list(plan.waiting), plan.changes) == (["0002", "0003"], ["0001", "0004"], "")
    assert field.dealt() == before
    assert field.shards.read_problems("0003") == {"mill/7": "no sound"}
    # Another size of shards concerns what is left.
    plan = field.plan(0.019)
    assert (plan.finished, list(plan.waiting)) == (["0002", "0003"], ["0001", "0004"])
    assert field.dealt() == before | {"0001": ["hill/0", "hill/1"], "0004": ["hill/2", "mill/9"]}


def test_a_changed_set_of_recordings_is_told_and_unchanged_shards_are_kept(field: Field) -> None:
    field.plan()
    for name in field.shards.names():
        field.score(name)
    assert field.plan().waiting == {}
    write(field.recordings / "hill/4.wav", 2 * SECONDS)
    (field.recordings / "mill/9.wav").unlink()
    write(field.recordings / "hill/new.wav")
    plan = field.plan()
    assert str(plan) == (
        "recordings since the last run: 1 new, 1 changed, 1 gone; "
        "shards to score: 2 (about 0.05 h of audio); finished: 2"
    )
    assert plan.finished == ["0001", "0003"]
    assert [field.dealt()[name] for name in plan.waiting] == [["hill/3", "hill/4"], ["hill/new", "mill/5"]]
    assert not any(field.shards.problems(name).exists() for name in plan.waiting)
    # A recording whose file is touched, as by a copy, counts as changed.
    os.utime(field.recordings / "hill/0.wav", ns=(1, 1))
    assert "0001" not in field.plan().finished


def test_a_shard_whose_scores_were_removed_is_not_finished(field: Field) -> None:
    field.plan()
    for name in field.shards.names():
        field.score(name)
    (field.output / "windows/mill/7.parquet").unlink()
    assert list(field.plan().waiting) == ["0003"]


def test_names_with_any_characters_come_back(field: Field) -> None:
    name = 'NA, "é" {x}\t# '
    write(field.recordings / f"{name}.wav")
    field.plan()
    found = {each: stamp.path for shard in field.shards.names() for each, stamp in field.shards.read(shard).items()}
    assert found == {each: str(path) for each, path in find_recordings([field.recordings]).items()}
    assert name in found
    # A name that is not UTF-8, as the command line gives it.
    latin = {"b\xe4r": Path(os.fsdecode(b"/mnt/b\xe4r.wav"))}
    field.shards.plan(latin, field.journal, 1.0)
    assert field.shards.read("0001") == {"b\xe4r": Stamp(str(latin["b\xe4r"]), 0, 0)}


@pytest.mark.parametrize("content", ["", "recording,path\n", "recording,path,size,mtime_ns\na,b,c,d\n", b"\xff\xfe"])
def test_a_damaged_table_is_named(field: Field, content: str | bytes) -> None:
    field.plan()
    field.shards.table("0002").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=r"0002\.csv: .*; remove .*\.shards, and repeat"):
        field.plan()


HOLD = """
import sys
from pathlib import Path
from dawnchorus.workflow.file_locks import lock
held = lock(Path(sys.argv[1]), "held", shared=sys.argv[2] == "shared")
print("locked", flush=True)
input()
"""


def test_scoring_shares_the_output_folder_and_tables_do_not(tmp_path: Path) -> None:
    def holder(kind: str) -> subprocess.Popen:
        process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path / "lock"), kind], text=True,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        return process

    with holder("shared") as process:
        lock(tmp_path / "lock", "no", shared=True).close()
        with pytest.raises(InputError, match="no"):
            lock(tmp_path / "lock", "no")
        # A lock ends with its process, also if it is killed.
        process.kill()
    with holder("alone") as process:
        with pytest.raises(InputError, match="no"):
            lock(tmp_path / "lock", "no", shared=True)
        process.communicate("\n")
        lock(tmp_path / "lock", None).close()


def test_a_second_snakemake_for_the_same_output_is_refused(field: Field) -> None:
    with field.shards.hold(), pytest.raises(InputError, match=f"{field.output}: another Snakemake detects in it"):
        field.shards.hold()
    field.shards.hold().close()


def test_the_config_has_the_commands_options(tmp_path: Path) -> None:
    expected = Request(Path("model"), [Path("/mnt/field")], Path("found"), 100.0, Options(format=[]))
    assert read_config(NEEDED) == expected
    found = read_config(
        NEEDED | {"recordings": ["a", "b"], "shard_hours": 5, "hop": 0.5, "gap": 3, "min_seconds": 1,
                  "threshold": "0.25", "channel": 2, "timezone": "UTC", "site_pattern": "^(?P<site>[^_]{2,})_",
                  "format": "raven,aoef", "output": "~/found"}
    )  # fmt: skip
    options = Options(0.5, 3.0, 1.0, 0.25, 2, "UTC", "^(?P<site>[^_]{2,})_", ["raven", "aoef"])
    assert found == Request(Path("model"), [Path("a"), Path("b")], Path.home() / "found", 5.0, options)
    # Each option of the command is a key.
    help_text = subprocess.run(
        [sys.executable, "-m", "dawnchorus.command", "detect", "--help"], capture_output=True, text=True, check=True
    ).stdout
    names = {word.strip("[],").removeprefix("--") for word in help_text.split() if word.startswith(("--", "[--"))}
    with pytest.raises(InputError) as refused:
        read_config(NEEDED | {"formats": "raven"})
    known = str(refused.value).partition("expected some of ")[2].split(", ")
    assert str(refused.value).startswith("--config: unknown key formats; ")
    assert {name.replace("-", "_") for name in names} - {"cores", "help"} <= set(known)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"recordings": None}, "recordings is missing; expected for example: snakemake"),
        ({"output": ""}, "output is missing"),
        ({"hop": 0}, "hop: found '0', expected a number from 0.01 to 86400"),
        ({"shard_hours": "many"}, "shard_hours: found 'many', expected a number from 0.001"),
        ({"shard_hours": 0}, "shard_hours: found '0'"),
        ({"channel": 0}, "channel: found '0', expected a number from 1, mean or each"),
        ({"threshold": True}, "threshold: found 'True', expected a number from 0 to 1"),
        ({"threshold": [0.1, 0.2]}, "threshold: found a list, expected one value"),
        ({"timezone": "EDT+4"}, "timezone: found 'EDT.4', expected a time zone"),
        ({"format": ["raven", "selena"]}, "format: invalid choice: 'selena'"),
        ({"output": "a{b}"}, "output: found a{b}; expected no braces"),
        ({"tresh": 1}, "unknown key tresh; expected some of recordings, model, output, shard_hours, hop, gap"),
    ],
)
def test_wrong_settings_are_told(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=f"^--config: {message}"):
        read_config(NEEDED | changes)
