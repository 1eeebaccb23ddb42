"""The benchmark: what its figures mean, and that a part of it runs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tiny import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))

from rows import Row, in_turn

# Fewer windows than whoever measures takes.
PROGRAM = """
import sys
sys.path.insert(0, "benchmarks")
import run
import training_input
training_input.N_WINDOWS, training_input.PEER_WINDOWS = 100, 1
run.main()
"""


def test_ratios_say_how_many_times_as_fast() -> None:
    speed = Row("cache", "recordings/s", ours=12.0, peer=6.0, limit=20.0)
    assert (speed.ratio_to_peer, speed.ratio_to_limit) == (2.0, 0.6)
    duration = Row("no-op", "s", ours=2.0, limit=1.0, faster_is_more=False)
    assert (duration.ratio_to_peer, duration.ratio_to_limit) == (None, 0.5)


def test_sides_take_turns_and_the_first_turn_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    clock = 0.0
    monkeypatch.setattr("rows.time.perf_counter", lambda: clock)

    def side(name: str, seconds: list[float]) -> None:
        nonlocal clock
        clock += seconds[calls.count(name)]
        calls.append(name)

    medians = in_turn(
        {"ours": lambda: side("ours", [99, 1, 3, 8]), "peer": lambda: side("peer", [99, 4, 2, 6])}, times=3
    )
    assert calls == ["ours", "peer"] * 4
    assert medians == {"ours": 3.0, "peer": 4.0}


@pytest.mark.slow
def test_a_part_of_the_benchmark_gives_a_table_and_a_file(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "--only", "input", "--output", str(tmp_path / "latest.json")],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    (row,) = json.loads((tmp_path / "latest.json").read_text())["rows"]
    assert {"name", "unit", "ours", "peer", "limit", "ratio_to_peer", "ratio_to_limit"} <= set(row)
    assert row["ratio_to_limit"] == pytest.approx(row["ours"] / row["limit"])
    assert f"| {row['name']} | windows/s | {row['ours']:.3g} |" in done.stdout
