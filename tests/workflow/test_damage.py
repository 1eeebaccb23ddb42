"""Damaged files, lost permissions and a full disk: an error with the path, and the next run mends only that."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from clone import Clone
from ruamel.yaml import YAML

pytestmark = pytest.mark.slow

VERIFY = ("python", "workflow/scripts/verify.py")
WEIGHTS = "results/models/first/small_cnn/0.weights.h5"
ENGINES = [("dvc", "repro"), ("snakemake", "--cores", "2")]
# Permissions bind root too where it lacks these.
CAPABILITIES = "-dac_override,-dac_read_search"
BOUND = ("setpriv", f"--bounding-set={CAPABILITIES}", f"--inh-caps={CAPABILITIES}") if os.geteuid() == 0 else ()


@pytest.fixture
def clone(through_snakemake: Clone, tmp_path: Path) -> Clone:
    """A copy of the finished clone that a test may change; DVC knows its files."""
    clone = through_snakemake.copy(tmp_path / "clone")
    clone.run("dvc", "status")
    clone.started()
    return clone


@pytest.fixture(autouse=True)
def package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs that are no stages import the package as the Makefile's targets do."""
    monkeypatch.setattr(Clone, "environment", property(lambda self: ENVIRONMENT(self) | {"PYTHONPATH": "src"}))


ENVIRONMENT = Clone.environment.fget  # type: ignore[attr-defined]


def flip(path: Path, at: int = -1) -> bytes:
    """Change a bit, but neither size, time stamps, inode nor mode; returns the bytes before."""
    before, mode, stat = path.read_bytes(), path.stat().st_mode, path.stat()
    content = bytearray(before)
    content[at] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)
    path.chmod(mode)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    return before


def cached(clone: Clone, output: str) -> Path:
    """DVC's copy of an output."""
    lock = YAML().load(clone.path / "dvc.lock")
    outs = [out for stage in lock["stages"].values() for out in stage["outs"]]
    md5 = next(out["md5"] for out in outs if out["path"] == output)
    return clone.path / ".dvc/cache/files/md5" / md5[:2] / md5[2:]


def recorded(folder: Path) -> dict[Path, bytes]:
    """Every file of the results, which repeat to the byte; not where they come from, which differs from run to run."""
    return {
        path: path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".snakemake_timestamp" and "provenance" not in str(path)
    }


def test_verify_finds_outputs_that_no_time_stamp_shows(clone: Clone) -> None:
    assert "files in outputs and DVC's cache are undamaged" in clone.run(*VERIFY)
    spectrogram = str(min((clone.path / "data/spectrograms/train").glob("*.npy")).relative_to(clone.path))
    stages = {
        WEIGHTS: "train@round0-small_cnn-0",
        spectrogram: "cache_spectrograms@train",
        "results/metrics.json": "ensemble",
    }
    before = {name: flip(clone.path / name) for name in stages}
    # Nobody notices, for DVC trusts the time stamps.
    clone.assert_nothing_to_do()
    output = clone.run(*VERIFY, fails=True)
    assert "Traceback" not in output
    assert "error: 3 of " in output
    for name, stage in stages.items():
        assert f"{name}: output of {stage}" in output
        assert not (clone.path / name).exists()
    clone.started()
    clone.run("dvc", "repro")
    # DVC's cache holds all of them.
    assert clone.started() == []
    assert {name: (clone.path / name).read_bytes() for name in stages} == before
    assert "undamaged" in clone.run(*VERIFY)
    clone.assert_nothing_to_do()


def test_verify_mends_the_cache_from_whole_outputs(clone: Clone) -> None:
    damaged = [cached(clone, WEIGHTS), cached(clone, "data/spectrograms/test")]
    before = [flip(path) for path in damaged]
    output = clone.run(*VERIFY, fails=True)
    for path, stage in zip(damaged, ["train@round0-small_cnn-0", "cache_spectrograms@test"], strict=True):
        assert f"{path.relative_to(clone.path)}: DVC's copy of " in output
        assert f"{stage}, restored from it" in output
    assert [path.read_bytes() for path in damaged] == before
    assert "undamaged" in clone.run(*VERIFY)


def test_what_is_damaged_here_and_in_the_cache_is_computed_again(clone: Clone) -> None:
    results = recorded(clone.path / "results")
    # The model has a copy, from which DVC's could be restored.
    in_model = clone.path / "results/model/members/small_cnn-0.weights.h5"
    for path in (clone.path / WEIGHTS, in_model, cached(clone, WEIGHTS)):
        flip(path)
    assert "error: 3 of " in clone.run(*VERIFY, fails=True)
    clone.started()
    clone.snakemake()
    assert clone.started() == ["train first small_cnn 0"]
    assert recorded(clone.path / "results") == results


def test_verify_leaves_what_dvc_itself_calls_changed(clone: Clone) -> None:
    (clone.path / "data/folds.csv").write_text("mine")
    clone.edit_params("ensemble", {"bootstrap_samples": 150})
    output = clone.run(*VERIFY)
    assert "changed, as `dvc status` also reports, and left alone: data/folds.csv" in output
    assert (clone.path / "data/folds.csv").read_text() == "mine"


def test_a_truncated_copy_in_the_cache_is_named_and_computed_again(clone: Clone) -> None:
    results = recorded(clone.path / "results")
    # The model has a copy, from which DVC's could be restored.
    shutil.rmtree(clone.path / "results/model")
    copy = cached(clone, WEIGHTS)
    copy.chmod(0o644)
    copy.write_bytes(copy.read_bytes()[:1000])
    copy.chmod(0o444)
    (clone.path / WEIGHTS).unlink()
    clone.edit_params("predict", {"hop_seconds": 0.5})
    # DVC trusts its copy and restores it; inference cannot read it.
    clone.run("snakemake", "--cores", "1", "results/predictions/first/small_cnn/0", fails=True)
    log = (clone.path / "logs/predict/first-small_cnn-0.log").read_text()
    assert f"error: {WEIGHTS}: has no weights for this model" in log
    assert "run `make verify`, then repeat the command" in log
    assert "Traceback" not in log
    output = clone.run(*VERIFY, fails=True)
    assert f"{copy.relative_to(clone.path)}: DVC's copy of {WEIGHTS} of train@round0-small_cnn-0" in output
    clone.edit_params("predict", {"hop_seconds": 1.0})
    clone.started()
    clone.snakemake()
    assert [name for name in clone.started() if name != "check_params"] == ["train first small_cnn 0"]
    assert recorded(clone.path / "results") == results


@pytest.mark.parametrize("engine", ENGINES)
def test_truncated_outputs_come_back(clone: Clone, engine: tuple[str, ...]) -> None:
    spectrogram = min((clone.path / "data/spectrograms/train").glob("*.npy"))
    before = {path: path.read_bytes() for path in (spectrogram, clone.path / WEIGHTS)}
    for path, content in before.items():
        path.write_bytes(content[: len(content) // 2])
    clone.run(*engine)
    assert clone.started() == []
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize("engine", ENGINES)
def test_a_read_only_folder_is_named_and_mended(clone: Clone, engine: tuple[str, ...]) -> None:
    clone.edit_params("ensemble", {"bootstrap_samples": 150})
    (clone.path / "results").chmod(0o555)
    output = clone.run(*BOUND, *engine, fails=True)
    assert "results" in output
    assert "Permission denied" in output
    assert "Traceback" not in output
    (clone.path / "results").chmod(0o755)
    assert not list(clone.path.rglob(".writing.*"))
    clone.started()
    clone.run(*BOUND, *engine)
    assert [name for name in clone.started() if name != "check_params"] == ["bundle", "ensemble", "report"]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_table_that_may_not_be_read_is_named(clone: Clone, engine: tuple[str, ...]) -> None:
    clone.run("cp", "-r", "data/demo/dataset", "data/own")
    clone.edit_params("data", {"root": "data/own"})
    (clone.path / "data/own/train_tp.csv").chmod(0)
    output = clone.run(*BOUND, *engine, fails=True)
    assert "data/own/train_tp.csv" in output
    assert "Permission denied" in output
    assert "Traceback" not in output


@pytest.fixture
def small_disk(clone: Clone) -> Iterator[Path]:
    """The folder of spectrograms as a disk of its own with room for none of them."""
    folder = clone.path / "data/spectrograms"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=40k", "tmpfs", folder], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"cannot mount a small disk: {mounted.stderr.strip()}")
    # Snakemake removes folders that are empty, and nobody can remove this one.
    (folder / "lost+found").mkdir()
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_is_named_and_the_run_goes_on_when_there_is_room(clone: Clone, small_disk: Path) -> None:
    # The new spectrograms are the same as the old ones; DVC has to make them to know it.
    with (clone.path / "src/dawnchorus/features/mel.py").open("a") as file:
        file.write("\n# changed\n")
    output = clone.snakemake("--cores", "1", fails=True)
    assert "No space left on device" in output
    assert "error: data/spectrograms/" in output
    assert "Traceback" not in output
    # What is left has nothing in it.
    left = {path.name for path in small_disk.rglob("*") if path.is_file()}
    assert left <= {".snakemake_timestamp"}
    # It ends with the first stage that fails; the one that writes nothing may have come before.
    first = clone.started()
    assert len(set(first) - {"cache_unlabelled"}) == 1
    subprocess.run(["mount", "-o", "remount,size=50m", small_disk], check=True)
    clone.snakemake()
    again = set(clone.started())
    assert again == {"cache_spectrograms test", "cache_spectrograms train", "cache_unlabelled"} - (
        set(first) & {"cache_unlabelled"}
    )
