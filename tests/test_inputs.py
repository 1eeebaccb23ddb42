"""Inputs that change while a job runs: which changes count, and how they are named."""

import os
from collections.abc import Iterator
from pathlib import Path
from threading import Timer

import pytest

from dawnchorus.config.loading import load_params
from dawnchorus.errors import InputError
from dawnchorus.inputs import require_unchanged, watch_inputs

PARAMS = "seed: 1\ntrain: {epochs: 3, threads: 1}\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The working directory of a job with a module, a folder and parameters."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("dawnchorus.inputs.SECONDS_TO_WRITE", 0.1)
    (tmp_path / "module.py").write_text("a = 1\n")
    (tmp_path / "data/site").mkdir(parents=True)
    for name in ("a.wav", "site/b.wav"):
        (tmp_path / "data" / name).write_text(name)
    (tmp_path / "params.yaml").write_text(PARAMS)
    yield tmp_path
    watch_inputs([], {})


def start(keys: list[str] | None = None) -> None:
    watch_inputs(
        [Path("module.py"), Path("data")], {Path("params.yaml"): keys or []}, ["__pycache__", ".writing.*", ".*stamp"]
    )
    require_unchanged()


def refused(*named: str) -> None:
    with pytest.raises(InputError, match="inputs of this job changed while it ran") as error:
        require_unchanged()
    for name in named:
        assert name in str(error.value)


def test_a_changed_or_missing_file_is_named_and_one_that_is_only_written_again_is_not(folder: Path) -> None:
    start()
    (folder / "new.py").write_text("a = 1\n")
    (folder / "new.py").replace(folder / "module.py")
    require_unchanged()
    (folder / "module.py").write_text("a = 2\n")
    refused("ran: module.py. Its results are not recorded")
    (folder / "module.py").unlink()
    refused("module.py is missing")


def test_files_that_come_go_or_change_in_a_folder_are_named(folder: Path) -> None:
    start()
    times = (folder / "data/site/b.wav").stat()
    (folder / "data/site/b.wav").write_text("site/B.wav")
    os.utime(folder / "data/site/b.wav", ns=(times.st_atime_ns, times.st_mtime_ns + 1))
    refused("data/site/b.wav")
    start()
    (folder / "data/a.wav").rename(folder / "data/site/a.wav")
    refused("data/a.wav is missing", "data/site/a.wav is new")
    start()
    for number in range(20):
        (folder / f"data/{number}.wav").touch()
    refused("is new, and 15 more")


def test_a_changed_target_of_a_link_is_named_and_what_dvc_ignores_is_not(folder: Path) -> None:
    (folder / "disk").mkdir()
    (folder / "disk/c.wav").write_text("c")
    (folder / "data/c.wav").symlink_to(folder / "disk/c.wav")
    (folder / "data/disk").symlink_to(folder / "disk")
    start()
    for name in ("data/.writing.a.wav", "data/site/.snakemake_timestamp", "data/__pycache__/a.pyc", "disk/d.wav"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    require_unchanged()
    (folder / "disk/c.wav").write_text("changed")
    refused("ran: data/c.wav. ")


def test_a_file_that_is_just_being_written_is_read_when_it_is_complete(folder: Path) -> None:
    start(["seed"])
    (folder / "params.yaml").write_text("train: {")
    writer = Timer(0.02, (folder / "params.yaml").write_text, [PARAMS])
    writer.start()
    require_unchanged()
    writer.join()
    (folder / "params.yaml").write_text("train: {")
    refused("params.yaml: cannot be read")


def test_of_parameters_only_those_of_the_job_count(folder: Path) -> None:
    start(["train.epochs", "seed"])
    (folder / "params.yaml").write_text("# a comment\n" + PARAMS.replace("threads: 1", "threads: 2"))
    require_unchanged()
    (folder / "params.yaml").write_text(PARAMS.replace("3", "30"))
    refused("params.yaml: train.epochs was 3 and is 30")
    (folder / "params.yaml").write_text(PARAMS)
    start()
    (folder / "params.yaml").write_text(PARAMS + "more: 1\n")
    refused("params.yaml: more was 'missing' and is 1")


def test_parameters_that_are_changed_back_later_are_refused_when_they_are_read(folder: Path) -> None:
    text = (Path(__file__).parent.parent / "params.yaml").read_text()
    (folder / "params.yaml").write_text(text)
    start(["seed"])
    assert load_params("params.yaml").seed == 1
    (folder / "params.yaml").write_text(text.replace("\nseed: 1 ", "\nseed: 2 "))
    with pytest.raises(InputError, match=r"params\.yaml: seed was 1 and is 2"):
        load_params("params.yaml")
