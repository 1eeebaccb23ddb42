"""What models of an earlier experiment left behind goes; all else stays."""

import errno
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dawnchorus.workflow.prune import prune


def test_only_the_experiments_own_models_are_left(tmp_path: Path) -> None:
    kept = ["models/first/a/0.weights.h5", "curves/first/a/1.csv", "predictions/first/a/0/oof.csv",
            "checkpoints/first/a/1/0123/epoch-1/curve.json", "epoch_weights/first/a/0/1.weights.h5",
            "models/first/a/.writing.2.weights.h5", "models/first/student/b.weights.h5",
            "scores/ensemble.csv", "notes.txt"]  # fmt: skip
    gone = ["models/first/a/2.weights.h5", "models/first/gone/0.weights.h5", "models/gone/a/0.weights.h5",
            "curves/first/a/2.csv", "predictions/first/a/10/oof.csv", "predictions/gone/a/0/oof.csv",
            "supervised/gone/a/0/oof.csv", "models/first/student/a.weights.h5",
            "checkpoints/first/gone/0/0123/epoch-1/curve.json", "epoch_weights/gone/a/0/1.weights.h5"]  # fmt: skip
    for name in [*kept, *gone]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "predictions/none").mkdir()
    (tmp_path / "epoch_weights/first/a/1").mkdir()
    prune(tmp_path, ["first"], ["a"], [0, 1], ["b"])
    found = [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(found) == sorted([*kept, ".prune.lock"])
    # Empty folders that stages wrote are outputs; those that only held others are not.
    assert (tmp_path / "predictions/none").is_dir()
    assert (tmp_path / "epoch_weights/first/a/1").is_dir()
    assert not (tmp_path / "models/gone").exists()
    assert not (tmp_path / "curves/first/gone").exists()
    prune(tmp_path / "nowhere", ["first"], ["a"], [0], [])


def test_a_file_system_without_locks_is_no_reason_to_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def without(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", without)
    (tmp_path / "predictions/first/gone/0").mkdir(parents=True)
    assert prune(tmp_path, ["first"], ["a"], [0], []) == [tmp_path / "predictions/first/gone/0"]


def test_jobs_that_start_together_remove_each_leftover_once(tmp_path: Path) -> None:
    left = [tmp_path / f"predictions/first/gone-{number}/0" for number in range(100)]
    for path in left:
        path.mkdir(parents=True)
        (path / "oof.csv").touch()

    def remove(_: int) -> tuple[list[Path], bool]:
        return prune(tmp_path, ["first"], ["a"], [0], []), any(path.exists() for path in left)

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(remove, range(8)))
    assert sorted(path for removed, _ in done for path in removed) == sorted(left)
    # Also a job that removed none goes on only when none is there.
    assert not any(some for _, some in done)
