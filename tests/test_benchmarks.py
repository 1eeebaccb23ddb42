"""The benchmark: what its figures mean, and that a part of it runs."""

import json
import sys
from pathlib import Path

import pytest
from clone import Clone
from test_docs import PERFORMANCE, commands
from tiny import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))

from rows import Row, in_turn


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
def test_a_part_of_the_benchmark_gives_a_table_and_a_file(through_snakemake: Clone, tmp_path: Path) -> None:
    (command,) = commands(PERFORMANCE)
    clone = through_snakemake.copy(tmp_path / "clone")
    assert command.endswith("--only no-op")
    printed = clone.run(*command.split())
    rows = json.loads((clone.path / "benchmarks/latest.json").read_text())["rows"]
    assert [row["name"] for row in rows] == ["no-op: snakemake", "no-op: dvc repro"]
    for row in rows:
        assert {"unit", "ours", "peer", "limit", "ratio_to_peer", "ratio_to_limit"} <= set(row)
        assert row["ratio_to_limit"] == pytest.approx(row["limit"] / row["ours"])
        assert f"| {row['name']} | s | {row['ours']:.3g} |" in printed
