"""Nothing that is loaded can run code or leave its folder."""

import ast
import os
import pickle
import stat
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pytest
from clone import Clone
from tiny import ROOT

from dawnchorus.config.loading import load_params
from dawnchorus.data.annotations import read_annotations
from dawnchorus.data.fold_table import read_folds
from dawnchorus.data.recordings import read_recordings
from dawnchorus.data.score_tables import read_scores
from dawnchorus.data.species import read_species
from dawnchorus.errors import InputError
from dawnchorus.features.store import FeatureStore
from dawnchorus.kaggle.download import unpack
from dawnchorus.models.pretrained import fetch_pretrained
from dawnchorus.reporting.metrics import read_as_text

# Calls that load code or could leave their folder, by the last part of their name.
FORBIDDEN_CALLS = {
    "eval", "exec", "compile_command", "system", "popen", "read_pickle", "load_model", "deserialize_keras_object",
    "model_from_json", "enable_unsafe_deserialization", "extractall", "unpack_archive", "unsafe_load", "full_load",
    "import_module", "__import__",
}  # fmt: skip
FORBIDDEN_MODULES = {
    "pickle",
    "cPickle",
    "dill",
    "cloudpickle",
    "joblib",
    "marshal",
    "shelve",
    "yaml",
    "tarfile",
    "imp",
}
FORBIDDEN_ARGUMENTS = {"allow_pickle": True, "safe_mode": False, "shell": True}


class Payload:
    """What pickles and tagged YAML would make into a call: it leaves a folder behind."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return os.mkdir, (str(self.trace),)


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    """Where a folder appears once code has run."""
    return tmp_path / "code has run"


def test_the_payload_would_run(trace: Path) -> None:
    pickle.loads(pickle.dumps(Payload(trace)))  # noqa: S301
    assert trace.exists()


def offences(source: str) -> list[str]:
    """What a program does that could load code."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.split(".")[0] in FORBIDDEN_MODULES]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in FORBIDDEN_MODULES:
            found.append(str(node.module))
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            # ruamel.yaml's default keeps comments and knows no Python objects; only typ="unsafe" makes them.
            if name.split(".")[-1] in FORBIDDEN_CALLS or "'unsafe'" in ast.unparse(node):
                found.append(name)
            for argument in node.keywords:
                value = argument.value.value if isinstance(argument.value, ast.Constant) else ...
                if FORBIDDEN_ARGUMENTS.get(str(argument.arg), ...) == value is not ...:
                    found.append(f"{name}({argument.arg}={value})")
            # NumPy's `load` refuses pickles by default; here it has to say so.
            if name in ("np.load", "numpy.load") and "allow_pickle=False" not in ast.unparse(node):
                found.append(name)
    return found


@pytest.mark.parametrize(
    "source",
    [
        "import pickle", "from joblib import load", "eval('1')", "np.load(path, allow_pickle=True)", "np.load(path)",
        "keras.saving.load_model(path)", "keras.load(path, safe_mode=False)", "subprocess.run('ls', shell=True)",
        "YAML(typ='unsafe')", "import tarfile", "archive.extractall()", "os.system('ls')", "pd.read_pickle(path)",
    ],
)  # fmt: skip
def test_the_search_finds(source: str) -> None:
    assert offences(source)


def test_no_program_of_the_project_can_load_code() -> None:
    programs = [*(ROOT / "src").rglob("*.py"), *(ROOT / "workflow").rglob("*.py")]
    assert len(programs) > 40
    # It imports backbones by their name, which has to be that of a file in their folder.
    programs.remove(ROOT / "src/dawnchorus/models/backbone.py")
    assert {str(path): found for path in programs if (found := offences(path.read_text()))} == {}


def test_tags_in_the_parameters_make_no_objects(tmp_path: Path, trace: Path) -> None:
    path = tmp_path / "params.yaml"
    for tag in ("object/apply:os.mkdir", "object/new:os.mkdir", "name:os.mkdir", "module:os"):
        path.write_text(f"seed: !!python/{tag} ['{trace}']\n")
        with pytest.raises(InputError, match="is not valid YAML"):
            load_params(path)
    assert not trace.exists()


def test_pickles_are_no_spectrograms(tmp_path: Path, trace: Path) -> None:
    with (tmp_path / "array.npy").open("wb") as file:
        np.save(file, np.array([Payload(trace)], dtype=object), allow_pickle=True)
    (tmp_path / "bare.npy").write_bytes(pickle.dumps(Payload(trace)))
    np.savez(tmp_path / "archive.npz", np.array([Payload(trace)], dtype=object), allow_pickle=True)
    (tmp_path / "archive.npz").rename(tmp_path / "archive.npy")
    for name in ("array", "bare", "archive"):
        with pytest.raises(InputError, match=rf"{name}\.npy: cannot be read"):
            FeatureStore(tmp_path).frames(name)
    assert not trace.exists()


@pytest.mark.parametrize(
    "read",
    [read_scores, read_folds, read_recordings, read_species, partial(read_annotations, species=["x"]), read_as_text],
)  # fmt: skip
def test_pickles_are_no_tables(tmp_path: Path, trace: Path, read: Callable[[Path], object]) -> None:
    # Neither by content nor by name.
    for name in ("table.csv", "table.pkl", "table.pickle"):
        (tmp_path / name).write_bytes(pickle.dumps(Payload(trace)))
        with pytest.raises(InputError, match=name):
            read(tmp_path / name)
    assert not trace.exists()


def lambda_file(path: Path, trace: Path) -> Path:
    """A Keras file with a layer that runs code when it is built from the file."""
    where = str(trace)
    layer = keras.layers.Lambda(lambda tensor: (__import__("os").makedirs(where, exist_ok=True), tensor)[1])
    keras.Sequential([keras.layers.Input((2,)), layer]).save(path)
    # Building it here has called it.
    trace.rmdir()
    return path


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_keras_files_give_weights_and_no_layers(tmp_path: Path, trace: Path, name: str) -> None:
    path = lambda_file(tmp_path / name, trace)
    with pytest.raises(InputError, match=rf"{name}: has no weights for this model"):
        fetch_pretrained("resnet", str(path))
    assert not trace.exists()
    # It would run where it is built.
    keras.saving.load_model(path, safe_mode=False, compile=False)
    assert trace.exists()


@pytest.mark.slow
def test_pickles_are_no_weights(tmp_path: Path, trace: Path) -> None:
    for name in ("model.keras", "model.h5", "model.weights.h5", "model.pkl", "model.weights.json"):
        (tmp_path / name).write_bytes(pickle.dumps(Payload(trace)))
        with pytest.raises(InputError, match=rf"{name}: has no weights for this model"):
            fetch_pretrained("resnet", str(tmp_path / name))
    assert not trace.exists()


def zipped(path: Path, *members: zipfile.ZipInfo) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for member in members:
            archive.writestr(member, "/etc/passwd")
    return path


@pytest.mark.parametrize("name", ["../a.csv", "/a.csv", "b/../../a.csv", "C:\\a.csv", "..\\a.csv"])
def test_an_archive_cannot_leave_its_folder(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    archive = zipped(folder / "sent.zip", zipfile.ZipInfo(name), zipfile.ZipInfo("a.csv"))
    with pytest.raises(InputError, match="would be outside the folder"):
        unpack(archive, "a.csv", 11, folder / "a.csv")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["data", "sent.zip"]


def test_a_link_in_an_archive_becomes_a_plain_file(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("a.csv")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    unpack(zipped(tmp_path / "sent.zip", link), "a.csv", 11, tmp_path / "a.csv")
    assert not (tmp_path / "a.csv").is_symlink()
    assert (tmp_path / "a.csv").read_text() == "/etc/passwd"


@pytest.mark.slow
@pytest.mark.parametrize("engine", [("dvc", "repro"), ("snakemake", "--cores", "2")])
def test_a_folders_name_is_no_command(through_snakemake: Clone, tmp_path: Path, engine: tuple[str, ...]) -> None:
    clone = through_snakemake.copy(tmp_path / "clone")
    clone.edit_params("data", {"root": "data/$(mkdir trace)"})
    output = clone.run(*engine, fails=True)
    assert "data.root: found 'data/$(mkdir trace)', expected a path without" in output
    assert not (clone.path / "trace").exists()
