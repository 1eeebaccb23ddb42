"""Jobs keep dvc.lock as DVC does."""

from pathlib import Path

import pytest
from clone import Clone
from dvc.utils.serialize import load_yaml, modify_yaml
from tiny import ROOT

from dawnchorus.repro import find_entry, replace_entry

TWO = "schema: '2.0'\nstages:\n  train@a-1:\n    cmd: x\n    deps:\n    - path: b\n  train@a-10:\n    cmd: y\n"


def test_a_stages_lines_end_where_the_next_stage_begins() -> None:
    found = find_entry(TWO, "train@a-1")
    assert found
    assert found[0] == "  train@a-1:\n    cmd: x\n    deps:\n    - path: b\n"
    assert find_entry(TWO, "rain@a-1") is None


def test_an_old_stage_keeps_its_place_and_a_new_one_comes_last() -> None:
    assert replace_entry(TWO, "train@a-1", "  train@a-1:\n    cmd: z\n") == (
        "schema: '2.0'\nstages:\n  train@a-1:\n    cmd: z\n  train@a-10:\n    cmd: y\n"
    )
    assert replace_entry(TWO, "new", "  new:\n    cmd: z\n") == TWO + "  new:\n    cmd: z\n"
    assert replace_entry("", "new", "  new:\n    cmd: z\n") == "schema: '2.0'\nstages:\n  new:\n    cmd: z\n"


def test_every_stage_of_dvcs_own_lock_is_found_alone() -> None:
    text = (ROOT / "dvc.lock").read_text()
    stages = load_yaml(ROOT / "dvc.lock")["stages"]
    entries = [find_entry(text, stage) for stage in stages]
    assert "schema: '2.0'\nstages:\n" + "".join(entry[0] for entry in entries if entry) == text


@pytest.mark.slow
def test_the_lock_has_the_bytes_that_dvc_writes(through_snakemake: Clone, tmp_path: Path) -> None:
    for name in ("dvc.lock", "data/demo/dvc.lock"):
        written = (through_snakemake.path / name).read_bytes()
        (tmp_path / "dvc.lock").write_bytes(written)
        with modify_yaml(tmp_path / "dvc.lock") as content:
            assert content["stages"]
        assert (tmp_path / "dvc.lock").read_bytes() == written
