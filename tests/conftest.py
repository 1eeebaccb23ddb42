"""What many tests share: the committed parameters, and a tiny experiment."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

# Tests run the modules in their own process; without this they would each take all cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from clone import ALL, Clone, add_test_recording, states
from filelock import FileLock
from ruamel.yaml import YAML
from storage import Bucket, isolate, serve
from tiny import ROOT, TINY, changed

from dawnchorus.config.loading import load_params
from dawnchorus.config.params import Params


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the slow ones first, so that no worker is left alone with one at the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(scope="session")
def params() -> Params:
    """The committed parameters."""
    return load_params(ROOT / "params.yaml")


@pytest.fixture(scope="session")
def tiny(params: Params) -> Params:
    """The tiny experiment's parameters."""
    return changed(params, TINY)


@pytest.fixture
def edited(tmp_path: Path) -> Callable[[str, object], Path]:
    """A function that writes the workspace's params.yaml with one key ("train.epochs") set, or removed by `...`."""

    def edit(key: str, value: object) -> Path:
        yaml = YAML()
        content = yaml.load(ROOT / "params.yaml")
        *sections, last = key.split(".")
        section = content
        for name in sections:
            section = section[name]
        if value is ...:
            del section[last]
        else:
            section[last] = value
        yaml.dump(content, tmp_path / "params.yaml")
        return tmp_path / "params.yaml"

    return edit


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], Clone]) -> Clone:
    """A clone that is made at the path that `make` gets, by whichever of pytest's workers comes first."""
    shared = factory.getbasetemp().parent / f"{name}-{os.environ.get('PYTEST_XDIST_TESTRUNUID', os.getpid())}"
    with FileLock(f"{shared}.lock"):
        if not (shared / "clone").exists():
            # Renamed when it is whole, so that no worker starts from half of it.
            make(shared / "making").path.rename(shared / "clone")
        return Clone(shared / "clone")


def finished(path: Path, *command: str) -> Clone:
    """A fresh clone after its first run, results committed."""
    clone = Clone.new(path)
    clone.run(*command)
    assert clone.started() == ALL
    clone.commit("results")
    return clone


@pytest.fixture(scope="session")
def through_snakemake(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone that Snakemake finished."""
    command = ("snakemake", "--cores", "8", "--resources", "gpu=1")
    return once(tmp_path_factory, "snakemake", lambda path: finished(path, *command))


@pytest.fixture(scope="session")
def through_dvc(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone that DVC finished."""
    return once(tmp_path_factory, "dvc", lambda path: finished(path, "dvc", "repro"))


@pytest.fixture(scope="session")
def with_own_recordings(through_snakemake: Clone, tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """The same after another run, on recordings in data/own, one of them not of the embedded data set; git has none."""

    def make(path: Path) -> Clone:
        clone = through_snakemake.copy(path)
        own = clone.path / "data/own"
        shutil.copytree(clone.path / "data/demo/dataset", own)
        add_test_recording(own, "own")
        (clone.path / ".git/info/exclude").write_text("/data/own\n")
        # The embedded data set is no part of this experiment, even where its files are gone.
        shutil.rmtree(clone.path / "data/demo/dataset")
        clone.edit_params("data", {"root": "data/own"})
        before = states(own)
        clone.snakemake()
        # No training asks where recordings are, nor for test recordings.
        assert clone.started() == [
            "cache_spectrograms test", "check_params", "ensemble", "ingest", "predict first small_cnn 0",
            "predict first small_cnn 1", "split_folds",
        ]  # fmt: skip
        assert states(own) == before
        return clone

    return once(tmp_path_factory, "own", make)


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """An empty bucket on an S3 server of the test's own; the environment leads there."""
    isolate(monkeypatch, tmp_path)
    with serve(tmp_path) as served:
        for name, value in served.environment.items():
            monkeypatch.setenv(name, value)
        yield served
