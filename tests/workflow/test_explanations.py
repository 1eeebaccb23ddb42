"""DVC's errors end with what to do: conflicts of a merge, and a project without git."""

import shutil
from pathlib import Path

import pytest
from clone import Clone
from dvc.exceptions import DvcException

from dawnchorus.config.loading import load_params
from dawnchorus.errors import InputError
from dawnchorus.workflow.explanations import explain

CONFLICT = "first\n<<<<<<< HEAD\na: 1\n=======\na: 2\n>>>>>>> other\n"


@pytest.fixture
def clone(through_snakemake: Clone, tmp_path: Path) -> Clone:
    """A copy of the finished clone that a test may change."""
    return through_snakemake.copy(tmp_path / "clone")


@pytest.mark.parametrize("name", ["dvc.yaml", "data/demo/dvc.yaml", ".dvc/config"])
def test_a_conflict_in_a_file_that_people_edit_is_to_be_edited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text(CONFLICT)
    # DVC may name another file, which only reads this one.
    assert explain(DvcException("unable to read: 'dvc.lock'")) == (
        f"{name}: line 2 marks a merge conflict of git: keep the lines that you want, and remove those that begin with "
        "<<<<<<<, ======= and >>>>>>>"
    )


@pytest.mark.parametrize("name", ["dvc.lock", "data/demo/dvc.lock", "data/own.dvc"])
def test_of_a_conflict_in_hashes_one_side_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text(CONFLICT.replace("<<<<<<< HEAD\n", ""))
    error = DvcException(f"unable to read: '{name}'")
    error.path = name
    explained = explain(error)
    assert f"{name}: line 3 marks a merge conflict of git: do not merge its hashes by hand" in explained
    assert f"`git checkout --ours {name}` or `git checkout --theirs {name}`" in explained
    assert "killed" not in explained


def test_a_conflict_in_the_parameters_is_named(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text(CONFLICT.replace("first", "seed: 1"))
    with pytest.raises(InputError, match=r"params.yaml: line 2 marks a merge conflict of git: keep the values"):
        load_params(tmp_path / "params.yaml")


@pytest.mark.slow
def test_a_merge_with_conflicts_goes_on_with_the_results_of_one_side(clone: Clone) -> None:
    branch = clone.run("git", "branch", "--show-current").strip()
    for name, seconds in (("theirs", 0.5), ("ours", 0.7)):
        clone.run("git", "checkout", "--quiet", "-b", name, branch)
        clone.edit_params("predict", {"hop_seconds": seconds})
        clone.run("dvc", "repro")
        clone.commit(name)
    clone.started()
    assert "dvc.lock" in clone.run("git", "merge", "theirs", fails=True)

    for name in ("params.yaml", "dvc.lock"):
        refused = clone.snakemake("--dry-run", fails=True)
        assert f"{name}: line " in refused
        assert "marks a merge conflict of git" in refused
        assert "killed" not in refused
        assert "Traceback" not in refused
        assert "conflict" in clone.run("dvc", "status", fails=True)
        clone.run("git", "checkout", "--quiet", "--theirs", name)
    # Either engine also replaces the conflicting figures, which git tracks.
    assert "<<<<<<<" in (clone.path / "results/metrics.json").read_text()
    clone.snakemake()
    assert clone.started() == []
    clone.assert_neither_engine_has_anything_to_do()
    assert (clone.path / "results/metrics.json").read_text() == clone.run("git", "show", "theirs:results/metrics.json")


@pytest.mark.slow
def test_a_project_from_an_archive_becomes_a_repository(clone: Clone) -> None:
    shutil.rmtree(clone.path / ".git")
    # The environment is there.
    demo = ("make", "--old-file=.venv/.cpu", "EXTRAS=cpu", "demo")
    assert "is not a git repository" in clone.run("dvc", "repro", fails=True)
    refused = clone.run(*demo, fails=True)
    assert "make it a repository with `git init` and `git add --all && git commit --message Dawnchorus`" in refused
    assert "Traceback" not in refused
    clone.run("git", "init", "--quiet")
    clone.run("git", "add", "--all")
    clone.run("git", "commit", "--quiet", "--message", "Dawnchorus")
    clone.assert_neither_engine_has_anything_to_do()
