"""`dawnchorus compare`, on a history of made-up experiments, and how DVC's own tables show it."""

import json
import os
import re
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from history import SPECIES, TEST, History, lwlrap
from sklearn.metrics import average_precision_score

from dawnchorus.errors import InputError
from dawnchorus.workflow.comparing import compare_revisions

SEEDS = (1, 2, 3)
NUMBER = r"([+-]\d\.\d{3}) \(([+-]\d\.\d{3}) to ([+-]\d\.\d{3})\)"


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> History:
    """Three seeds of two settings; HEAD has the first of one."""
    history = History(tmp_path_factory.mktemp("seeds") / "project")
    for seed in SEEDS[1:]:
        history.experiment(f"plain-{seed}", {"seed": seed}, 0.5)
    for seed in SEEDS:
        history.experiment(f"dropout-{seed}", {"train.dropout": 0.5, "seed": seed}, 0.35)
    return history


@pytest.fixture
def history(tmp_path: Path) -> History:
    """HEAD alone."""
    return History(tmp_path / "project")


def said(history: History, *names: str, html: Path | None = None) -> list[str]:
    return compare_revisions(history.path, names, html).splitlines()


def difference(lines: list[str], setting: str) -> list[list[float]]:
    """Value and ends of each figure, from the table of differences."""
    start = lines.index("Differences on the same recordings, with 95 % intervals:")
    (row,) = (line for line in lines[start:] if line.startswith(f"{setting} "))
    return [[float(part) for part in found] for found in re.findall(NUMBER, row)]


def by_hand(figure: Callable[[np.ndarray], float], groups: list[str], samples: int = 300) -> list[float]:
    """The difference in all recordings, and its interval by a bootstrap over groups, written out."""
    rng, members = np.random.default_rng(99), {name: np.flatnonzero(np.array(groups) == name) for name in groups}
    names, found = sorted(members), []
    for _ in range(samples):
        drawn = np.concatenate([members[names[each]] for each in rng.integers(len(names), size=len(names))])
        found.append(figure(drawn))
    return [figure(np.arange(len(groups))), *np.nanpercentile(found, [2.5, 97.5])]


def gain_of_lwlrap(truth: np.ndarray, one: np.ndarray, two: np.ndarray) -> Callable[[np.ndarray], float]:
    """A function of resampled rows; a recording with n species counts n times."""
    n = truth.sum(axis=1)
    gains = np.array([
        lwlrap(truth[[row]], two[[row]]) - lwlrap(truth[[row]], one[[row]]) if n[row] else 0 for row in range(len(n))
    ])  # fmt: skip
    return lambda rows: float((gains[rows] * n[rows]).sum() / n[rows].sum())


def macro(truth: np.ndarray, scores: np.ndarray) -> float:
    known = [each for each in range(3) if 0 < truth[:, each].sum() < len(truth)]
    return float(np.mean([average_precision_score(truth[:, each], scores[:, each]) for each in known]))


def assert_close(found: list[float], expected: list[float]) -> None:
    """Check a difference exactly, and its ends within what another draw of resamplings changes."""
    assert found[0] == pytest.approx(expected[0], abs=6e-4)
    assert found[1:] == pytest.approx(expected[1:], abs=0.12 * (expected[2] - expected[1]))


def test_the_paired_difference_is_that_of_a_bootstrap_by_hand(seeds: History) -> None:
    found = difference(said(seeds, "HEAD", "dropout-1"), "dropout-1")
    truth, one, two = seeds.truth.to_numpy(), seeds.scores["HEAD"], seeds.scores["dropout-1"]

    ranking = gain_of_lwlrap(truth, one, two)

    def precision(rows: np.ndarray) -> float:
        return macro(truth[rows], two[rows]) - macro(truth[rows], one[rows])

    # Each training recording has a box of each species.
    boxes = seeds.boxes.is_tp.to_numpy().reshape(30, 3)
    left, right = (seeds.box_scores[name].reshape(30, 3) for name in ("HEAD", "dropout-1"))

    def box_precision(rows: np.ndarray) -> float:
        return macro(boxes[rows], right[rows]) - macro(boxes[rows], left[rows])

    assert len(found) == 3
    for each, figure, n in zip(found, (ranking, precision, box_precision), (40, 40, 30), strict=True):
        assert_close(each, by_hand(figure, [str(number) for number in range(n)]))


def test_groups_are_resampled_as_a_whole(history: History) -> None:
    history.groups = [f"site{number % 5}" for number in range(40)]
    history.run("HEAD", 0.5)
    history.commit()
    history.experiment("other", {"train.dropout": 0.5}, 0.35)
    (found, *_) = difference(said(history, "HEAD", "other"), "other")
    truth, one, two = history.truth.to_numpy(), history.scores["HEAD"], history.scores["other"]

    ranking = gain_of_lwlrap(truth, one, two)

    assert_close(found, by_hand(ranking, history.groups, 3000))
    alone = by_hand(ranking, TEST, 3000)
    assert abs((found[2] - found[1]) / (alone[2] - alone[1]) - 1) > 0.15


def test_experiments_that_differ_in_the_seed_alone_have_mean_and_spread(seeds: History) -> None:
    lines = said(seeds)
    for name, setting in (("HEAD", "plain"), ("dropout-1", "dropout")):
        runs = ["HEAD" if setting == "plain" and seed == 1 else f"{setting}-{seed}" for seed in SEEDS]
        truth = seeds.truth.to_numpy()
        has = truth.any(axis=1)
        values = [lwlrap(truth[has], seeds.scores[run][has]) for run in runs]
        (row,) = (line for line in lines if line.startswith(f"  {name}, 3 seeds"))
        assert f"{statistics.mean(values):.3f} ± {statistics.stdev(values):.3f}" in row
        for run, value in zip(runs, values, strict=True):
            (row,) = (line for line in lines if line.startswith(f"{run} ") and f" {value:.3f} (" in line)
            assert ("train.dropout: 0.5" in row) == (setting == "dropout")
    # The seeds take part in the resampling, so that the interval is wider than that of one pair of models.
    (found, *_) = difference(lines, "dropout-1")
    means = [np.mean([value for run in runs for value in [lwlrap(truth[has], seeds.scores[run][has])]])
             for runs in (["HEAD", "plain-2", "plain-3"], [f"dropout-{seed}" for seed in SEEDS])]  # fmt: skip
    assert found[0] == pytest.approx(means[1] - means[0], abs=6e-4)


def test_the_tables_of_dvc_fit_a_screen(seeds: History) -> None:
    """Three seeds and two settings in 120 columns: the experiments, figures and parameters, before hashes."""

    def dvc(*arguments: str) -> list[str]:
        environment = os.environ | {"COLUMNS": "120", "DVC_PAGER": "cat", "PAGER": "cat"}
        done = subprocess.run([str(Path(sys.executable).parent / "dvc"), *arguments], cwd=seeds.path, text=True,
                              env=environment, capture_output=True, check=True)  # fmt: skip
        return done.stdout.rstrip().splitlines()

    columns = ["Experiment", "Created", "test.lwlrap", "test.macro_ap", "oof.box_ap", "seed", "train.dropout"]
    # Without --drop, hashes of many changed inputs would leave no place for the parameters.
    lines = dvc("exp", "show", "--only-changed", "--no-pager", "--drop", ".*/")
    assert max(map(len, lines)) <= 120
    assert lines[1].split() == columns
    assert sum(f"[{setting}-" in line for line in lines for setting in ("plain", "dropout")) == 5
    # With a pager, hashes of inputs are to the right of the screen.
    assert dvc("exp", "show", "--only-changed")[1][:120].split()[:7] == columns
    lines = dvc("metrics", "diff", "HEAD", "dropout-3")
    assert len(lines) <= 4
    assert max(map(len, lines)) <= 80


def test_outputs_that_the_cache_lacks_are_named_and_the_others_compared(
    history: History, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, noise in (("kept", 0.4), ("lost", 0.3)):
        history.experiment(name, {"train.epochs": len(name) + int(100 * noise)}, noise)
    lost = json.loads(history.git("show", f"{history.commit_of('lost')}:dvc.lock"))
    outs = {out["path"]: out["md5"] for stage in lost["stages"].values() for out in stage["outs"]}
    for path in ("results/scores", "results/figures.json"):
        history.cached(outs[path]).unlink()
    lines = said(history, "HEAD", "kept", "lost")
    assert len(difference(lines, "kept")) == 3
    (row,) = (line for line in lines if re.match(r"lost +\d\.\d{3}", line))
    # Git has its figures, without intervals.
    assert "(" not in row
    (remark,) = (line for line in lines if line.startswith("lost: "))
    assert "2 of its outputs are not in DVC's cache, for example results/" in remark
    assert "`dvc exp pull origin lost` gets it with its outputs, or `dvc fetch --all-commits` those of all" in remark
    assert capsys.readouterr().err == ""


def test_a_lost_provenance_leaves_the_figures_with_their_intervals(history: History) -> None:
    """A run of another commit replaces it, for instance the first run in a clone."""
    history.experiment("kept", {"train.epochs": 44}, 0.4)
    lock = json.loads(history.git("show", f"{history.commit_of('kept')}:dvc.lock"))
    (md5,) = {out["md5"] for stage in lock["stages"].values() for out in stage["outs"] if "provenance" in out["path"]}
    history.cached(md5).unlink()
    lines = said(history, "HEAD", "kept")
    assert len(difference(lines, "kept")) == 3
    (row,) = (line for line in lines if re.match(r"kept +\d", line))
    assert "(" in row
    assert not [line for line in lines if line.startswith("kept: ")]


def test_figures_from_different_processors_come_with_a_warning(history: History) -> None:
    history.experiment("elsewhere", {"train.epochs": 3}, 0.4, device="NVIDIA H100")
    lines = said(history, "HEAD", "elsewhere")
    assert lines[0].startswith("warning: The models were computed on different kinds of processors")
    assert lines[0].endswith("CPU: A processor: HEAD; NVIDIA H100: elsewhere")
    assert not said(history, "HEAD")[0].startswith("warning")


def test_box_figures_of_other_windows_come_with_a_warning(history: History) -> None:
    history.experiment("long", {"window.seconds": 5.0}, 0.4)
    (warning,) = (line for line in said(history, "HEAD", "long") if line.startswith("warning: "))
    assert "Box AP compares only models with windows of the same length" in warning
    assert warning.endswith(": 3 s: HEAD; 5 s: long")


def test_other_test_recordings_give_no_difference_but_a_reason(history: History) -> None:
    history.truth.loc["t03", "OWL"] = not history.truth.loc["t03", "OWL"]
    history.experiment("relabelled", {"train.epochs": 3}, 0.4)
    lines = said(history, "HEAD", "relabelled")
    assert (
        "no difference of relabelled in test LWLRAP, test macro AP: relabelled is not evaluated on what HEAD is: its "
        "recordings have other labels"
    ) in lines
    # The boxes out of fold are the same.
    assert len(difference(lines, "relabelled")) == 1


def test_other_code_is_no_other_seed(history: History) -> None:
    history.experiment("code", {"seed": 2}, 0.4, sources={"src/dawnchorus/training/loop.py": "0" * 32})
    lines = said(history, "HEAD", "code")
    assert not any("±" in line for line in lines[:4])
    assert any(line.endswith("code: src/dawnchorus/training/loop.py") for line in lines)


def test_the_same_experiment_counts_once(history: History) -> None:
    history.git("branch", "copy")
    assert "copy has the same settings, seed and scores as HEAD and is left out" in said(history, "HEAD", "copy")


def test_results_that_do_not_belong_to_the_parameters_are_marked(
    history: History, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    history.edit({"train.dropout": 0.125})
    history.commit()
    lines = said(history, "HEAD")
    assert "HEAD: params.yaml was changed after the run: the results are of train.dropout: 0.25, not 0.125" in lines
    monkeypatch.chdir(history.path)
    # Its code is not there, so that DVC would run all stages.
    said(history, "HEAD", "workspace")
    assert "workspace is left out: its results are out of date with the current" in capsys.readouterr().err


def test_revisions_that_do_not_exist_are_refused(history: History, tmp_path: Path) -> None:
    for name in ("none", "--output=x", "refs/exps"):
        with pytest.raises(InputError, match=f"^{name}: is no commit, branch, tag or experiment here"):
            said(history, name)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"has no dvc.yaml; call `dawnchorus compare` in the"):
        compare_revisions(tmp_path / "empty", [], None)


def test_revisions_without_results_are_named(history: History, capsys: pytest.CaptureFixture[str]) -> None:
    (history.path / "dvc.lock").unlink()
    history.commit()
    with pytest.raises(InputError, match="no revision has results to compare"):
        said(history, "HEAD")
    assert "HEAD is left out: it has no results: run `snakemake` or `dvc repro`" in capsys.readouterr().err
    (history.path / "params.yaml").write_text("seed: 1\n")
    history.commit()
    assert len(said(history, "HEAD~2", "HEAD")) > 1
    assert "HEAD is left out: params.yaml: " in capsys.readouterr().err


def test_the_page_opens_without_a_network_and_has_every_species(seeds: History, tmp_path: Path) -> None:
    lines = said(seeds, html=tmp_path / "compared.html")
    assert lines[-1] == f"{tmp_path}/compared.html has the differences of each species."
    page = (tmp_path / "compared.html").read_text()
    assert not re.findall(r"(?:src|href)=\"(?!data:)", page)
    assert not re.findall(r"https?://", page)
    for species in SPECIES:
        assert page.count(f'<th scope="row">{species}</th>') == 2
    for value, *_ in difference(lines, "dropout-1"):
        assert f"{value:+.3f}" in page
