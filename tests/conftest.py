"""Fixtures that many tests share: the committed parameters, and a tiny experiment."""

import gc
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

# Tests call the package in their own process. Without this, each would use all cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Without bytecode, hundreds of processes would compile the package again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

from clone import ALL, RESULTS, Clone, add_test_recording, states
from filelock import FileLock
from playwright.sync_api import Browser, sync_playwright
from ruamel.yaml import YAML
from storage import Bucket, isolate, serve
from tiny import ROOT, TINY, changed

from dawnchorus.config.loading import load_params
from dawnchorus.config.params import Params


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run slow tests first, so that no worker is still busy with one at the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
    # `dawnchorus.cli` disables it until its script runs, which here is never.
    gc.enable()


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
    """A function that writes a copy of params.yaml with one key ("train.epochs") set, or removed by `...`."""

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
    """Return a clone shared by all pytest workers. The first worker creates it by calling `make` with a path."""
    shared = factory.getbasetemp().parent / f"{name}-{os.environ.get('PYTEST_XDIST_TESTRUNUID', os.getpid())}"
    with FileLock(f"{shared}.lock"):
        if not (shared / "clone").exists():
            # Renamed when it is complete, so that no worker uses an incomplete clone.
            make(shared / "making").path.rename(shared / "clone")
        return Clone(shared / "clone")


def finished(path: Path, *command: str) -> Clone:
    """A new clone after its first run, with committed results."""
    clone = Clone.new(path)
    clone.run(*command)
    assert clone.started() == ALL
    clone.commit("results")
    return clone


@pytest.fixture(scope="session")
def through_snakemake(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone in which Snakemake ran everything."""
    command = ("snakemake", "--cores", "8", "--resources", "gpu=1")
    return once(tmp_path_factory, "snakemake", lambda path: finished(path, *command))


@pytest.fixture(scope="session")
def through_dvc(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone in which DVC ran everything."""
    return once(tmp_path_factory, "dvc", lambda path: finished(path, "dvc", "repro"))


@pytest.fixture(scope="session")
def with_own_recordings(through_snakemake: Clone, tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone after a second run, on data/own: the embedded data set and one more test recording, ignored by git."""

    def make(path: Path) -> Clone:
        clone = through_snakemake.copy(path)
        own = clone.path / "data/own"
        shutil.copytree(clone.path / "data/demo/dataset", own)
        add_test_recording(own, "own")
        (clone.path / ".git/info/exclude").write_text("/data/own\n")
        # The embedded data set is not part of this experiment, even if its files are missing.
        shutil.rmtree(clone.path / "data/demo/dataset")
        clone.edit_params("data", {"root": "data/own"})
        before = states(own)
        clone.snakemake()
        # Training depends neither on the location of recordings nor on test recordings.
        assert clone.started() == sorted([
            "cache_spectrograms test", "check_params", "ingest", "predict first small_cnn 0",
            "predict first small_cnn 1", "split_folds", *RESULTS,
        ])  # fmt: skip
        assert states(own) == before
        return clone

    return once(tmp_path_factory, "own", make)


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """An empty bucket on the test's own S3 server. The environment variables point S3 clients to it."""
    isolate(monkeypatch, tmp_path)
    with serve(tmp_path) as served:
        for name, value in served.environment.items():
            monkeypatch.setenv(name, value)
        yield served


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium. A process can have one alone, so all tests share it."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        # Root, as in a container, has no sandbox.
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()
