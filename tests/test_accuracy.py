"""The ladder of settings: what its steps are, and what its figures mean."""

import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, label_ranking_average_precision_score
from tiny import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))

from accuracy import (
    ANIMALS,
    LADDER,
    PLAIN,
    Outcome,
    as_text,
    followed,
    lwlrap_and_macro,
    main,
    read_ladder,
    value_of,
    write_params,
)
from commands import call
from plain_head import plain_scores

from dawnchorus.config.loading import load_params
from dawnchorus.config.params import Params
from dawnchorus.config.presets import preset_content
from dawnchorus.errors import InputError
from dawnchorus.features.embeddings import write_embeddings


def test_the_ladder_begins_with_the_notebooks_method() -> None:
    notebook = preset_content(ROOT / "presets", "notebook")
    for key, value in read_ladder(LADDER).steps[0].settings.items():
        assert value_of(notebook, key) == value, key


def test_the_page_on_accuracy_has_a_row_for_each_step() -> None:
    page = (ROOT / "docs/accuracy.md").read_text()
    first, *_, last = names = [step.name for step in read_ladder(LADDER).steps]
    rows = [line.split(" | ")[0].removeprefix("| ") for line in page.splitlines() if line.count(" | ") == 6]
    head = ["step", "constant, true prevalence"]
    # The first set's table, then those of the other sets, then that of real animals.
    animals = [*head, PLAIN, *(step.name for step in read_ladder(ANIMALS).steps)]
    assert rows == [*head, *names, *[*head, first, last] * 2, *animals]


def test_every_step_on_every_set_is_a_valid_experiment(tmp_path: Path) -> None:
    whole = read_ladder(LADDER)
    for changes in whole.sets.values():
        for step in whole.steps:
            write_params(whole.preset, {"seed": 3} | changes | step.settings, tmp_path / "params.yaml")
            params = load_params(tmp_path / "params.yaml")
            assert params.seed == 3
            assert [each.id for each in params.rounds] == [each["id"] for each in step.settings["rounds"]]
            assert params.demo.seed == changes.get("demo.seed", 1)


def test_the_ladder_on_animals_is_made_of_valid_experiments(tmp_path: Path) -> None:
    ladder = read_ladder(ANIMALS)
    for changes in ladder.sets.values():
        for step in ladder.steps:
            write_params(ladder.preset, {"seed": 3} | changes | step.settings, tmp_path / "params.yaml")
            params = load_params(tmp_path / "params.yaml")
            assert params.demo.clips == "inputs/clips"
            assert params.members == [*step.settings["backbones"], *step.settings["embeddings"]]
    # The plain regression needs embeddings, which the first step makes.
    assert ladder.plain in ladder.steps[0].settings["embeddings"]


def test_without_clips_the_ladder_on_animals_tells_how_to_get_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shutil.copytree(ROOT / "presets", tmp_path / "presets")
    monkeypatch.setattr("accuracy.ROOT", tmp_path)
    monkeypatch.setattr("sys.argv", ["accuracy.py", "--data", "animals"])
    with pytest.raises(InputError, match=r"inputs/clips: there is no such folder, .*docs/demo\.md says where clips"):
        main()


def test_the_plain_regression_finds_what_boxes_taught_it(tmp_path: Path, params: Params) -> None:
    """Windows of three species along three directions of the embedding, and recordings that hold one each."""
    rng = np.random.default_rng(4)
    names = [f"r{number}" for number in range(24)]
    boxes = []
    for split in ("train", "test"):
        (tmp_path / "data/embeddings/birdnet" / split).mkdir(parents=True)
        for number, name in enumerate(names):
            vectors = rng.normal(0, 0.5, (8, 6))
            # In the second window of the recording.
            vectors[1, number % 3] += 3
            starts = np.arange(8) * 70
            write_embeddings(tmp_path / f"data/embeddings/birdnet/{split}/{name}.npz", starts, vectors)
            boxes.append((name, f"s{number % 3}", 1.6, 2.6, 100.0, 900.0, "present"))
    columns = ["recording_id", "species", "t_min", "t_max", "f_min", "f_max", "label"]
    pd.DataFrame(boxes[:24], columns=columns).assign(annotator="").to_csv(
        tmp_path / "data/annotations.csv", index=False
    )
    species = pd.DataFrame({"species": ["s0", "s1", "s2"], "scientific_name": "", "common_name": ""})
    species.to_csv(tmp_path / "data/species.csv", index=False)
    scores = plain_scores(tmp_path, params, "birdnet", names)
    truth = np.eye(3)[np.arange(24) % 3]
    assert average_precision_score(truth, scores, average="macro") > 0.95


def test_the_other_sets_are_those_that_were_fixed_before() -> None:
    said = [
        {key: float(value) for key, value in (word.split("=") for word in line.split() if "=" in word)}
        for line in (ROOT / "docs/demo.md").read_text().splitlines()
        if "dvc exp run" in line
    ]
    sets = read_ladder(LADDER).sets
    assert said == [sets["second"], sets["third"]]


def test_how_well_figures_out_of_fold_follow_the_test() -> None:
    rng = np.random.default_rng(2)
    truth = pd.DataFrame(rng.random((40, 3)) < 0.4).astype(float)
    noise = rng.random((3, 40, 3))
    scores = np.stack([truth + width * one for width, one in zip((1, 4, 9), noise, strict=True)])
    figures = pd.DataFrame(
        {"box AP": [0.9, 0.6, 0.5], "box AUC": [0.1, 0.2, 0.3], "LWLRAP of known labels": [0.3, 0.1, 0.2],
         "macro AP of known labels": [0.8, 0.7, 0.6]}
    )  # fmt: skip
    # A student's scores would turn the order round, but it has no figures out of fold.
    outcomes = [Outcome("first", scores, figures), Outcome("taught", -scores, figures * np.nan)]
    rows = followed(outcomes, truth).splitlines()[2:]
    assert rows == [
        "| box AP | 1.00 | 1.00 |", "| box AUC | -1.00 | -1.00 |", "| LWLRAP of known labels | 0.50 | 0.50 |",
        "| macro AP of known labels | 1.00 | 1.00 |",
    ]  # fmt: skip


def ladder(path: Path, steps: str) -> Path:
    path.write_text(f"preset: benchmark\nseeds: [1]\nsets: {{}}\nsteps: {steps}\n")
    return path


def test_a_ladder_must_end_in_its_preset(tmp_path: Path) -> None:
    path = ladder(tmp_path / "ladder.yaml", "[{name: a, changes: {train.epochs: 31}}]")
    with pytest.raises(InputError, match=r"ladder\.yaml: ends with train\.epochs: 31, but the preset benchmark has 30"):
        read_ladder(path)


def test_the_first_step_says_what_later_ones_change(tmp_path: Path) -> None:
    path = ladder(tmp_path / "ladder.yaml", "[{name: a, changes: {}}, {name: b, changes: {train.epochs: 30}}]")
    with pytest.raises(InputError, match=r"b changes train\.epochs, which a does not set"):
        read_ladder(path)


def test_figures_are_those_of_scikit_learn_on_repeated_recordings() -> None:
    rng = np.random.default_rng(1)
    truth, scores = rng.random((30, 4)) < 0.4, rng.random((2, 30, 4))
    truth[:, 3] = True  # in every recording: no average precision
    drawn = rng.integers(0, 30, 30)
    weights = np.stack([np.ones(30, int), np.bincount(drawn, minlength=30)], axis=1)
    found = lwlrap_and_macro(truth, scores, weights, np.array([[1, 1], [3, 1]]))
    for column, (rows, seeds) in enumerate([(np.arange(30), [0, 1, 1, 1]), (drawn, [0, 1])]):
        expected = np.mean(
            [
                [
                    label_ranking_average_precision_score(
                        truth[rows], one[rows], sample_weight=truth[rows].sum(axis=1)
                    ),
                    np.mean([average_precision_score(truth[rows, s], one[rows, s]) for s in range(3)]),
                ]
                for one in scores[seeds]
            ],
            axis=0,
        )
        assert found[:, column] == pytest.approx(expected)


def test_intervals_draw_seeds_too() -> None:
    """Each recording has one species of two. In the second step, one seed of two ranks it first in all of them."""
    truth = pd.DataFrame(np.eye(2)[np.arange(20) % 2])
    wrong = 1 - truth.to_numpy()
    boxes = pd.DataFrame({"box AP": [0.5, 0.5], "box AUC": [0.5, 0.5]})
    steps = [Outcome("wrong", np.stack([wrong, wrong]), boxes), Outcome("half", np.stack([wrong, 1 - wrong]), boxes)]
    # LWLRAP is 1/2 with the seed that is wrong and 1 with the other one, whichever recordings are drawn. So the gain
    # is 0 where the first seed is drawn twice, 1/2 where the second one is (each in a quarter of the draws), else 1/4.
    assert "| half | 0.750 | +0.250 (+0.000 to +0.500) |" in as_text(steps, truth)
    # With one seed nothing but the recordings is drawn, and they are all alike here.
    alone = [Outcome(step.step, step.scores[1:], boxes[1:]) for step in steps]
    assert "| half | 1.000 | +0.500 (+0.500 to +0.500) |" in as_text(alone, truth)


def test_a_step_that_changes_nothing_gains_nothing() -> None:
    rng = np.random.default_rng(1)
    truth = pd.DataFrame(rng.random((20, 3)) < 0.4).astype(float)
    scores, boxes = rng.random((2, 20, 3)), pd.DataFrame({"box AP": [0.5, 0.7], "box AUC": [0.6, 0.6]})
    # A student has no figures out of fold.
    outcomes = [
        Outcome("first", scores, boxes),
        Outcome("same", scores, boxes),
        Outcome("taught", scores, boxes * np.nan),
    ]
    first, same, taught = [line for line in as_text(outcomes, truth).splitlines() if line.startswith("|")][-3:]
    assert first.endswith("| 0.600 | 0.600 |")
    assert same.count("| +0.000 (+0.000 to +0.000) |") == 2
    assert taught.endswith("|  |  |")


def test_a_command_that_fails_ends_a_benchmark_with_a_message(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InputError, match=r"`.* -c .*` failed \(exit status 1\); the reason is above"):
        call([sys.executable, "-c", "raise SystemExit('the disk is full')"])
    assert capfd.readouterr().err == "the disk is full\n"
