"""The plan: rules that follow dvc.yaml, and stamps that say what runs."""

import os
from pathlib import Path

import pytest
from clone import Clone
from dvc.repo import Repo

from dawnchorus.errors import InputError
from dawnchorus.workflow.plan import Plan, PlannedStage, Rule, read_plan, rules_of, stamp, wildcards_of

DVC_YAML = """
stages:
  start:
    wdir: ..
    cmd: x
    outs: [constant.txt]
    metrics:
      - figures.json: {cache: false}
  train:
    matrix:
      round: ${rounds}
      fold: ${folds}
    cmd: train ${item.round.id} ${item.fold}
    outs:
      - models/${item.round.id}/${item.fold}.weights.h5
      - curves/${item.fold}-${item.round.id}
  last:
    matrix:
      fold: ${folds}
    cmd: x
    outs:
      - kept/${rounds[-1].id}/${rounds[0].id}/${item.fold}
  nothing:
    matrix:
      round: ${none}
    cmd: x
    outs: ["none/${item.round}"]
"""
PARAMS = "rounds: [{id: first}, {id: second}]\nfolds: [0, 10]\nnone: []\n"


def rules(folder: Path, dvc_yaml: str, params: str = PARAMS) -> list[Rule]:
    """The rules of a project whose only dvc.yaml lies in its folder `sub`."""
    Repo.init(str(folder), no_scm=True).close()
    (folder / "sub").mkdir()
    (folder / "sub/dvc.yaml").write_text(dvc_yaml)
    (folder / "sub/params.yaml").write_text(params)
    with Repo(str(folder)) as repo:
        return rules_of(repo.index.stages, repo.root_dir)


def test_a_rule_for_each_entry_has_its_outputs_and_the_values_that_occur(tmp_path: Path) -> None:
    assert rules(tmp_path, DVC_YAML) == [
        Rule("start", ["constant.txt", "figures.json"], {}),
        Rule(
            "train",
            ["sub/models/{round}/{fold}.weights.h5", "sub/curves/{fold}-{round}"],
            {"round": ["first", "second"], "fold": ["0", "10"]},
        ),
        Rule("last", ["sub/kept/second/first/{fold}"], {"fold": ["0", "10"]}),
    ]


def test_outputs_that_name_an_axis_by_two_of_its_fields_are_refused(tmp_path: Path) -> None:
    dvc_yaml = DVC_YAML.replace("curves/${item.fold}-${item.round.id}", "curves/${item.fold}-${item.round.of}")
    params = PARAMS.replace("{id: first}", "{id: first, of: x}").replace("{id: second}", "{id: second, of: y}")
    with pytest.raises(InputError, match=r"sub/dvc.yaml: train@round0-0 has the outputs .* name each axis"):
        rules(tmp_path, dvc_yaml, params)


def test_logs_and_constraints_follow_the_wildcards() -> None:
    rule = Rule("train", ["x/{round}/{fold}"], {"round": ["a", "b.c"], "fold": ["0"]})
    assert rule.log == "logs/train/{round}-{fold}.log"
    assert rule.constraints == {"round": r"a|b\.c", "fold": "0"}
    assert Rule("ensemble", ["x"], {}).log == "logs/ensemble.log"


def test_wildcards_span_no_folder() -> None:
    assert wildcards_of("x/{a}/{b}.h5", "x/1/2.h5") == {"a": "1", "b": "2"}
    assert wildcards_of("x/{a}.h5", "x/1/2.h5") is None
    assert wildcards_of("x/{a}.h5", "x/1_h5") is None


def test_jobs_read_the_plan_that_the_run_has_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".snakemake/dvc").mkdir(parents=True)
    train = Rule("train", ["models/{round}"], {"round": ["first"]})
    demo = "data/demo/dvc.yaml:synthesize"
    stages = {
        "train@round0": PlannedStage(outputs=["models/first"], parents=[demo], runs=True),
        demo: PlannedStage(outputs=["data/demo"], parents=[], runs=False),
    }
    Plan("r1", [train], stages).write()
    plan = read_plan()
    assert plan == Plan("r1", [train], stages)
    # DVC numbers the rounds.
    assert plan.address(train, {"round": "first"}) == "train@round0"
    # Older than any output, and new.
    assert stamp(demo).stat().st_mtime == 1
    assert stamp("train@round0").stat().st_mtime > 1
    assert len(os.listdir(tmp_path / ".snakemake/dvc")) == 3


@pytest.mark.slow
def test_metrics_are_shown_only_where_they_are_the_present_ones(through_snakemake: Clone, tmp_path: Path) -> None:
    clone = through_snakemake.copy(tmp_path / "clone")
    show = ("env", "PYTHONPATH=src", "python", "workflow/scripts/show_metrics.py", "--figures", "results/figures.json",
            "--reliability", "results/reliability.csv")  # fmt: skip
    assert "test LWLRAP" in clone.run(*show)
    clone.edit_params("ensemble", {"bootstrap_samples": 150})
    said = clone.run(*show, fails=True)
    assert "results/figures.json is out of date with the current parameters, code or data: 2 stages are stale" in said
    assert "run `snakemake` or `dvc repro`" in said
    # A colleague has the committed figures and has run nothing.
    colleague = through_snakemake.git_clone(tmp_path / "colleague")
    assert (colleague.path / "results/metrics.json").exists()
    assert "is out of date with the current parameters" in colleague.run(*show, fails=True)
