"""What many tests share: the committed parameters, and a tiny experiment."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

# Tests run the modules in their own process; without this they would each take all cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from clone import ALL, Clone
from filelock import FileLock
from ruamel.yaml import YAML
from storage import Bucket, isolate, serve
from tiny import ROOT, TINY, changed

from dawnchorus.params import Params, load_params


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


def finished(factory: pytest.TempPathFactory, name: str, *command: str) -> Clone:
    """A fresh clone after its first run, results committed; made once, whichever of pytest's workers comes first."""
    shared = factory.getbasetemp().parent / f"{name}-{os.environ.get('PYTEST_XDIST_TESTRUNUID', os.getpid())}"
    with FileLock(f"{shared}.lock"):
        if (shared / "clone").exists():
            return Clone(shared / "clone")
        clone = Clone.new(shared / "making")
        clone.run(*command)
        assert clone.started() == ALL
        clone.commit("results")
        # Renamed when it is whole, so that no worker starts from half of it.
        return Clone(clone.path.rename(shared / "clone"))


@pytest.fixture(scope="session")
def through_snakemake(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone that Snakemake finished."""
    return finished(tmp_path_factory, "snakemake", "snakemake", "--cores", "8", "--resources", "gpu=1")


@pytest.fixture(scope="session")
def through_dvc(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone that DVC finished."""
    return finished(tmp_path_factory, "dvc", "dvc", "repro")


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """An empty bucket on an S3 server of the test's own; the environment leads there."""
    isolate(monkeypatch, tmp_path)
    with serve(tmp_path) as served:
        for name, value in served.environment.items():
            monkeypatch.setenv(name, value)
        yield served
