"""dvc.yaml, the rules and the code agree: dependencies, parameters and outputs."""

import ast
import json
import re
from pathlib import Path

import pytest
from clone import Clone
from dvc.repo import Repo
from stand_ins import add_embedding
from tiny import ROOT

from dawnchorus.config.params import Params
from dawnchorus.config.train import Train
from dawnchorus.errors import InputError
from dawnchorus.training.job import PARAMETERS
from dawnchorus.workflow.dependencies import DVC_FILES, with_dependencies
from dawnchorus.workflow.stage_inputs import stage_inputs

# Modules that cannot change a result: how errors, progress, parameters and a result's origin are shown, how files are
# renamed, whether inputs are still the same, what is left over, and how many cores compute.
# The package's __init__.py, which sets TensorFlow up, counts where Keras is imported.
WITHOUT_EFFECT = {
    "dotted.py", "errors.py", "files.py", "inputs.py", "progress.py", "cli.py", "reporting/loggers.py",
    "reporting/provenance.py",
    "models/declarations.py", "workflow/cores.py", "workflow/file_locks.py", "workflow/prune.py",
    "workflow/stage_inputs.py",
}  # fmt: skip
# What the property `members` of the parameters is made of.
MEMBERS = {"backbones", "embeddings"}
PACKAGE = ROOT / "src/dawnchorus"
STAGES = {"check_params", "synthesize", "ingest", "split_folds", "cache_spectrograms", "cache_unlabelled",
          "embedding_model", "embed", "embed_unlabelled", "fetch_weights", "no_pseudo_labels", "train", "predict",
          "train_head", "predict_head", "train_student", "calibrate_student", "ensemble", "calibrate", "bundle",
          "find_detections", "report"}  # fmt: skip
# One checks all parameters, the other shows those that differ from the defaults.
WITH_ALL_PARAMETERS = {"check_params", "report"}
TWO_ROUNDS = [
    {"id": "first", "pseudo_labels": "none", "weight": 0.0}, {"id": "second", "pseudo_labels": "first", "weight": 0.3}
]  # fmt: skip
# Keys that a stage may track without the rest of their section.
SINGLE_KEYS = {
    "data.bad_audio", "data.channel", "data.columns", "data.format", "data.root", "data.site_pattern",
    "data.species", "data.timezone", "detect.gap_seconds", "detect.min_seconds", "detect.precision",
    "ensemble.bootstrap_samples", "ensemble.weights", "labels.complete", "labels.min_overlap",
    "predict.hop_seconds", "spectrogram.hop_length", "spectrogram.sample_rate", "split.group", "split.method",
    "train.checkpoint", "train.pretrained", "train.threads", "train.unlabelled_fraction",
}  # fmt: skip


def imported(path: Path) -> set[Path]:
    """The package's modules that a file imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    paths = {ROOT / "src" / Path(*name.split(".")).with_suffix(".py") for name in names if "dawnchorus." in name}
    return {found for found in paths if found.exists()}


def closure(path: Path) -> set[Path]:
    found: set[Path] = set()
    waiting = [path]
    while waiting:
        new = imported(waiting.pop()) - found
        if PACKAGE / "models/backbone.py" in new:  # it imports them by their name
            waiting += (PACKAGE / "models/backbones").glob("[!_]*.py")
        found |= new
        waiting += new
    return found


def has_effect(path: Path) -> bool:
    name = str(path.relative_to(PACKAGE))
    return name not in WITHOUT_EFFECT and not name.startswith("config/")


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone with two rounds in which nothing has run, so that Snakemake's calls leave the workspace alone."""
    clone = Clone.new(tmp_path_factory.mktemp("dag") / "clone")
    clone.edit_params("rounds", TWO_ROUNDS)
    clone.edit_params("student", ["small_cnn"])
    add_embedding(clone)
    return clone


@pytest.fixture(scope="module")
def stages(clone: Clone) -> dict[str, list]:
    """DVC's stages by name; those of a matrix are alike but for their items."""
    with Repo(str(clone.path)) as repo:
        by_name: dict[str, list] = {}
        for stage in repo.index.stages:
            by_name.setdefault(re.sub(r"@.*", "", stage.name), []).append(stage)
    return by_name


def script(name: str) -> Path:
    return ROOT / "workflow/scripts" / f"{name}.py"


def test_the_stages_are_those_of_the_design(stages: dict[str, list]) -> None:
    assert set(stages) == STAGES


@pytest.mark.parametrize("name", sorted(STAGES))
def test_a_stage_depends_on_its_script_and_all_that_it_imports(
    clone: Clone, stages: dict[str, list], name: str
) -> None:
    modules = closure(script(name))
    wanted = {path for path in modules if has_effect(path)} | {script(name)}
    if name == "check_params":  # its very subject
        wanted |= {path for path in modules if path.parent == PACKAGE / "config"}
        wanted |= {PACKAGE / "models/declarations.py", PACKAGE / "workflow/prune.py"}
    if name == "report":  # it lists settings
        wanted.add(PACKAGE / "dotted.py")
    if any(re.search(r"^\s*(import|from) keras", path.read_text(), re.MULTILINE) for path in wanted):
        wanted.add(PACKAGE / "__init__.py")
    for stage in stages[name]:
        assert f"workflow/scripts/{name}.py" in stage.cmd
        files = {Path(dep.fs_path).relative_to(clone.path) for dep in stage.deps if dep.fs_path.endswith(".py")}
        code = {ROOT / file for file in files}
        own = re.search(r"--backbone (\w+)", stage.cmd)
        assert code == wanted | ({PACKAGE / f"models/backbones/{own[1]}.py"} if own else set())


@pytest.mark.parametrize("name", ["fetch_weights", "train", "predict"])
def test_no_network_depends_on_the_code_of_embeddings(stages: dict[str, list], name: str) -> None:
    assert not [dep.def_path for dep in stages[name][0].deps if "embed" in dep.def_path]


@pytest.mark.parametrize("name", ["synthesize", "fetch_weights", "embedding_model", "ensemble", "bundle"])
def test_a_stage_that_reads_files_named_by_parameters_depends_on_their_folder(
    stages: dict[str, list], name: str
) -> None:
    assert all("inputs" in {dep.def_path for dep in stage.deps} for stage in stages[name])


def test_a_process_knows_the_inputs_of_its_stage_without_dvc(
    clone: Clone, stages: dict[str, list], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(clone.path)
    for stage in (stage for group in stages.values() for stage in group):
        found = stage_inputs(stage.addressing)
        parameters = {Path(dep.fs_path): dep.params for dep in stage.deps if hasattr(dep, "params")}
        files = {Path(dep.fs_path) for dep in stage.deps if not hasattr(dep, "params")}
        assert {path.absolute() for path in found.paths} == files
        assert {path.absolute(): keys for path, keys in found.parameters.items()} == parameters
    with pytest.raises(InputError, match=r"dvc\.yaml: the stage train@round0-small_cnn-7 is no longer declared"):
        stage_inputs("train@round0-small_cnn-7")


@pytest.mark.parametrize("name", sorted(STAGES))
def test_a_script_remembers_its_inputs_before_it_imports_any(name: str) -> None:
    tree = ast.parse(script(name).read_text())
    modules = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    assert next(module for module in modules if module.startswith("dawnchorus")) == "dawnchorus.cli"


def test_make_deps_has_written_the_dependencies() -> None:
    for name in DVC_FILES:
        text = (ROOT / name).read_text()
        assert with_dependencies(ROOT, text) == text, f"{name}: run `make deps`"


def parameters_read(paths: set[Path]) -> set[str]:
    """The sections that code reads as attributes of the parameters, or, of `SINGLE_KEYS` alone, these keys."""
    found: set[str] = set()
    for path in paths:
        tree = ast.parse(path.read_text())
        parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
        for node in ast.walk(tree):
            if not isinstance(node, ast.Attribute) or node.attr not in [*Params.model_fields, "members"]:
                continue
            owner = node.value
            is_params = (
                (isinstance(owner, ast.Name) and owner.id == "params")
                or (isinstance(owner, ast.Attribute) and owner.attr == "params")
                or (isinstance(owner, ast.Call) and ast.unparse(owner.func) == "load_params")
            )
            if is_params:
                above = parents[node]
                key = f"{node.attr}.{above.attr}" if isinstance(above, ast.Attribute) else ""
                found |= MEMBERS if node.attr == "members" else {key if key in SINGLE_KEYS else node.attr}
    return {name for name in found if name.split(".")[0] == name or name.split(".")[0] not in found}


@pytest.mark.parametrize("name", sorted(STAGES - WITH_ALL_PARAMETERS))
def test_a_stage_tracks_exactly_the_parameters_that_it_reads(stages: dict[str, list], name: str) -> None:
    code = {path for path in closure(script(name)) if has_effect(path)} | {script(name)}
    # Where recordings are is no matter to a stage whose table holds a hash of each.
    read = parameters_read(code) - {"data.root"}
    if name in ("train", "train_student"):  # the next test has the keys of this section
        read = read - {"train"} | {f"train.{key}" for key in PARAMETERS["train"]}
    for stage in stages[name]:
        tracked = {key for dep in stage.deps for key in getattr(dep, "params", [])}
        # Of the embeddings, a stage tracks its own.
        assert {re.sub(r"^features\.\w+$", "features", key) for key in tracked} == read


def test_an_interrupted_training_is_bound_to_all_parameters_that_it_tracks(stages: dict[str, list]) -> None:
    bound = {key for key, whole in PARAMETERS.items() if whole is True}
    bound |= {f"train.{key}" for key in PARAMETERS["train"]}
    # The weights that it begins with come by way of a folder, and a logger changes no result.
    assert Train.model_fields.keys() - PARAMETERS["train"] == {"pretrained", "logger"}
    for stage in [*stages["train"], *stages["train_student"]]:
        assert {key for dep in stage.deps for key in getattr(dep, "params", [])} == bound


@pytest.mark.parametrize("name", sorted(WITH_ALL_PARAMETERS))
def test_some_stages_track_the_whole_file_of_parameters(stages: dict[str, list], name: str) -> None:
    (stage,) = stages[name]
    assert [dep.params for dep in stage.deps if hasattr(dep, "params")] == [[]]


def test_all_stages_depend_on_check_params(stages: dict[str, list]) -> None:
    (check,) = stages["check_params"]
    constant = {out.fs_path for out in check.outs}
    for name, group in stages.items():
        for stage in group:
            assert name == "check_params" or constant <= {dep.fs_path for dep in stage.deps}, stage.addressing


def test_the_rules_have_the_outputs_of_dvcs_stages(clone: Clone, stages: dict[str, list]) -> None:
    output = clone.snakemake("--summary")
    table = output[output.index("output_file\t") :].splitlines()
    heading = table[0].split("\t")
    rules: dict[str, set[str]] = {}
    for line in table[1:]:
        cells = dict(zip(heading, line.split("\t"), strict=True))
        rules.setdefault(cells["rule"], set()).add(cells["output_file"])
    assert rules == {
        name: {str(Path(out.fs_path).relative_to(clone.path)) for stage in group for out in stage.outs}
        for name, group in stages.items()
    }


def test_jobs_get_the_cores_that_snakemake_has(clone: Clone) -> None:
    output = clone.snakemake("--dry-run", "--printshellcmds", "--cores", "2")
    cores = {stage: number for number, stage in re.findall(r"DAWNCHORUS_CORES=(\d+) .*run_stage (\S+) &>", output)}
    assert {stage for stage, number in cores.items() if number == "2"} == {
        "data/demo/dvc.yaml:synthesize", "ingest", "cache_spectrograms@train", "cache_spectrograms@test",
        "cache_unlabelled", "embed@tiny-train", "embed@tiny-test", "embed_unlabelled@tiny"
    }  # fmt: skip
    assert set(cores.values()) == {"1", "2"}


def test_a_dry_run_takes_nobody_off_dvcs_list(clone: Clone) -> None:
    listed = clone.path / ".dvc/tmp/rwlock"
    listed.parent.mkdir(exist_ok=True)
    data = str(clone.path / "data/folds.csv")
    ended = {"pid": 4_194_305, "cmd": "dvc repro"}
    elsewhere = {"pid": 4_194_305, "cmd": "run_stage train@small_cnn-0 (node elsewhere, started 1.00, run x)"}
    for writer, refused in ((ended, False), (elsewhere, True)):
        before = json.dumps({"write": {data: writer}, "read": {data: [ended, elsewhere]}})
        listed.write_text(before)
        said = clone.snakemake("--dry-run", fails=refused)
        assert listed.read_text() == before
        assert refused == (
            "another process may write data/folds.csv: run_stage train@small_cnn-0 (node elsewhere" in said
        )
    listed.unlink()


@pytest.mark.parametrize("option", [("--config", "seed=2"), ("--configfile", "presets/rfcx.yaml")])
def test_parameters_on_snakemakes_command_line_are_refused(clone: Clone, option: tuple[str, str]) -> None:
    clone.started()
    for mode in (["--dry-run"], []):
        said = clone.snakemake(*mode, *option, fails=True)
        assert "--config and --configfile change no parameter, because stages read params.yaml" in said
        assert "`dvc exp run -S seed=2`" in said
    assert clone.started() == []


def test_snakemakes_linter_asks_for_nothing_but_conda(clone: Clone) -> None:
    report = clone.snakemake("--lint", fails=True)
    # uv.lock pins the software of all stages; the linter knows conda and containers only.
    asked = re.findall(r"^    \* (.*)", report, re.MULTILINE)
    assert asked == ["Specify a conda environment or container for each rule.:"] * len(STAGES), report
