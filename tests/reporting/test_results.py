"""Which figures an experiment has, and what they are of."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, precision_score, recall_score
from tiny import changed

from dawnchorus.config.params import Params
from dawnchorus.data.annotations import BOX_COLUMNS
from dawnchorus.data.complete import Completeness
from dawnchorus.evaluation.label_metrics import lwlrap
from dawnchorus.inference.ensemble import Predictions
from dawnchorus.reporting.results import Recordings, count_skipped, metrics_of
from dawnchorus.reporting.species_table import species_table

SPECIES = ["x", "y", "z"]
TRAIN = [f"r{number}" for number in range(24)]
TEST = [f"t{number}" for number in range(12)]
NOTHING = pd.DataFrame({"recording_id": [], "species": []}, dtype=str)


def recordings_table(names: list[str], groups: list[str]) -> pd.DataFrame:
    table = pd.DataFrame({"group": groups, "usable": True, "digest": [f"sound of {name}" for name in names]})
    return table.set_index(pd.Index(names, name="recording_id"))


@pytest.fixture
def recordings() -> Recordings:
    """Annotations of a species in each training recording, and the truth of the test recordings."""
    rng = np.random.default_rng(0)
    annotations = pd.DataFrame({
        "recording_id": TRAIN, "species_id": rng.integers(0, 3, 24), "t_min": 0.0, "t_max": 1.0, "f_min": 0.0,
        "f_max": 1e3, "is_tp": rng.random(24) < 0.7,
    })  # fmt: skip
    truth = pd.DataFrame((rng.random((12, 3)) < 0.5).astype(float), TEST, SPECIES)
    train, test = recordings_table(TRAIN, [""] * 24), recordings_table(TEST, [""] * 12)
    return Recordings(annotations, train, test, truth, annotations[:0], Completeness.of_table(NOTHING, SPECIES))


@pytest.fixture
def predictions(recordings: Recordings) -> dict[str, Predictions]:
    """Random scores of a backbone, which are the ensemble's too."""
    rng = np.random.default_rng(1)
    boxes = recordings.annotations.assign(score=rng.random(24)).set_index(BOX_COLUMNS)[["score"]]
    test, oof = (pd.DataFrame(rng.random((len(names), 3)), names, SPECIES) for names in (TEST, TRAIN))
    return dict.fromkeys(("small_cnn", "ensemble"), Predictions(test, oof, boxes))


def metrics(predictions: dict[str, Predictions], recordings: Recordings, params: Params) -> dict[str, dict]:
    return metrics_of(predictions, {name: each.test for name, each in predictions.items()}, recordings, params)


@pytest.mark.parametrize(
    "changes",
    [
        {"train": {"checkpoint": "validation_lwlrap"}},
        {"rounds": [{"id": "a", "pseudo_labels": "none", "weight": 0.0},
                    {"id": "b", "pseudo_labels": "a", "weight": 0.3}]},
    ],
)  # fmt: skip
def test_no_figures_out_of_fold_where_the_held_out_fold_had_a_part_in_training(
    predictions: dict[str, Predictions], recordings: Recordings, params: Params, changes: dict[str, Any]
) -> None:
    assert set(metrics(predictions, recordings, params)) == {"oof", "test"}
    found = metrics(predictions, recordings, changed(params, changes))
    assert set(found) == {"test"}


def test_a_test_recording_that_copies_a_training_one_does_not_count(
    predictions: dict[str, Predictions], recordings: Recordings, params: Params
) -> None:
    copies = ["t1", "t7", "t8"]
    recordings.test.loc[copies, "digest"] = "sound of r3"
    found = metrics(predictions, recordings, params)
    others = [name for name in TEST if name not in copies]
    expected = lwlrap(
        recordings.ground_truth.loc[others].to_numpy() > 0, predictions["ensemble"].test.loc[others].to_numpy()
    )
    assert found["test"]["ensemble"]["lwlrap"] == pytest.approx(expected, abs=1e-6)
    assert count_skipped(recordings)["copies"] == 3
    # Where no other is left there is nothing to say.
    recordings.test["digest"] = "sound of r3"
    assert set(metrics(predictions, recordings, params)) == {"oof"}


def test_declared_groups_are_resampled_as_a_whole(
    predictions: dict[str, Predictions], recordings: Recordings, params: Params
) -> None:
    alone = metrics(predictions, recordings, params)["oof"]["ensemble"]
    # Two sites: a resampling draws one of them twice, or both.
    recordings.train["group"] = ["hill"] * 12 + ["river"] * 12
    grouped = metrics(predictions, recordings, params)["oof"]["ensemble"]
    truth, scores = np.zeros((24, 3), bool), predictions["ensemble"].oof.to_numpy()
    present = recordings.annotations[recordings.annotations.is_tp]
    truth[present.index, present.species_id] = True
    of_site = [lwlrap(truth[rows], scores[rows]) for rows in (slice(0, 12), slice(12, 24))]
    assert grouped["lwlrap"] == alone["lwlrap"]
    assert [grouped["lwlrap_low"], grouped["lwlrap_high"]] == pytest.approx(sorted(of_site), abs=1e-6)
    for key in ("box_auc_low", "box_auc_high"):
        assert grouped[key] != alone[key]


def test_sites_of_test_recordings_are_resampled_as_a_whole(
    predictions: dict[str, Predictions], recordings: Recordings, params: Params
) -> None:
    alone = metrics(predictions, recordings, params)
    recordings.test["group"] = ["hill"] * 6 + ["river"] * 6
    grouped = metrics(predictions, recordings, params)
    assert grouped["oof"] == alone["oof"]
    truth, scores = recordings.ground_truth.to_numpy() > 0, predictions["ensemble"].test.to_numpy()
    of_site = [lwlrap(truth[rows], scores[rows]) for rows in (slice(0, 6), slice(6, 12))]
    found = grouped["test"]["ensemble"]
    assert found["lwlrap"] == alone["test"]["ensemble"]["lwlrap"]
    assert [found["lwlrap_low"], found["lwlrap_high"]] == pytest.approx(sorted(of_site), abs=1e-6)
    assert found["macro_average_precision_low"] != alone["test"]["ensemble"]["macro_average_precision_low"]


def test_without_test_recordings_the_species_figures_are_out_of_fold(
    predictions: dict[str, Predictions], recordings: Recordings, params: Params
) -> None:
    nothing = replace(recordings, test=recordings.test[:0], ground_truth=recordings.ground_truth[:0])
    found = metrics(predictions, nothing, params)
    assert set(found) == {"oof"}
    table = species_table(predictions["ensemble"], predictions["ensemble"].test[:0], nothing, 3, has_oof=True)
    assert list(table.species) == SPECIES
    assert table.average_precision.between(0, 1).all()


def test_complete_recordings_are_evaluated_out_of_fold_where_labels_are_certain(
    predictions: dict[str, Predictions], recordings: Recordings, params: Params
) -> None:
    sparse = metrics(predictions, recordings, params)
    assert "complete" not in sparse
    names = TRAIN[:10]
    table = pd.DataFrame({"recording_id": [*names, "r10", "r11"], "species": [""] * 10 + ["x", "y"]})
    doubt = recordings.annotations.assign(is_tp=False, recording_id="r3", species_id=2)[:1]
    some = replace(recordings, complete=Completeness.of_table(table, SPECIES), uncertain=doubt)
    found = metrics(predictions, some, params)
    # What is known of labels does not change what LWLRAP and box figures count.
    for key in ("lwlrap", "box_auc", "box_average_precision"):
        assert found["oof"]["ensemble"][key] == sparse["oof"]["ensemble"][key]

    present = recordings.annotations[recordings.annotations.is_tp]
    calls = set(zip(present.recording_id, present.species_id, strict=True))
    oof, expected = predictions["ensemble"].oof, []
    for number, code in enumerate(SPECIES):
        known = [*names, *({"x": ["r10"], "y": ["r11"]}.get(code, []))]
        known = [name for name in known if (name, number) != ("r3", 2) or (name, number) in calls]
        truth, scores = [(name, number) in calls for name in known], oof.loc[known, code]
        expected.append([
            average_precision_score(truth, scores), precision_score(truth, scores >= 0.5),
            recall_score(truth, scores >= 0.5), sum(truth), len(truth),
        ])  # fmt: skip
    shown = species_table(predictions["ensemble"], predictions["ensemble"].test, some, 3, has_oof=True)
    columns = ["average_precision", "precision_at_0.5", "recall_at_0.5", "present", "recordings"]
    np.testing.assert_allclose(shown[[f"complete_{name}" for name in columns]], expected, atol=1e-6)
    means = np.mean(expected, axis=0)
    assert found["complete"]["ensemble"] == {
        "recordings": 12, "macro_average_precision": pytest.approx(means[0], abs=1e-6),
        "macro_precision_at_0.5": pytest.approx(means[1], abs=1e-6),
        "macro_recall_at_0.5": pytest.approx(means[2], abs=1e-6),
    }  # fmt: skip
    several = [{"id": "a", "pseudo_labels": "none", "weight": 0.0}, {"id": "b", "pseudo_labels": "a", "weight": 0.3}]
    assert set(metrics(predictions, some, changed(params, {"rounds": several}))) == {"test"}


def test_unknown_cells_of_the_test_truth_do_not_count(
    predictions: dict[str, Predictions], recordings: Recordings, params: Params
) -> None:
    truth = recordings.ground_truth.copy()
    truth.loc[TEST[:6], "y"] = np.nan
    some = replace(recordings, ground_truth=truth)
    test = predictions["ensemble"].test
    shown = species_table(predictions["ensemble"], test, some, 3, has_oof=True).set_index("species")
    known = truth.y[6:] > 0
    assert shown.test_recordings.to_list() == [12, 6, 12]
    assert shown.test_present["y"] == known.sum()
    expected = average_precision_score(known, test.y[6:])
    assert shown.test_average_precision["y"] == shown.average_precision["y"] == pytest.approx(expected, abs=1e-6)
    assert shown["test_recall_at_0.5"]["y"] == pytest.approx(recall_score(known, test.y[6:] >= 0.5), abs=1e-6)
    found = metrics(predictions, some, params)["test"]["ensemble"]
    assert found["macro_recall_at_0.5"] == pytest.approx(shown["test_recall_at_0.5"].mean(), abs=1e-6)


def test_the_species_table_says_which_species_are_in_fewer_recordings_than_folds(
    predictions: dict[str, Predictions], recordings: Recordings
) -> None:
    present = recordings.annotations[recordings.annotations.is_tp]
    counts = present.groupby("species_id").recording_id.nunique()
    shown = species_table(predictions["ensemble"], predictions["ensemble"].test, recordings, counts[1] + 1, True)
    assert list(shown.training_recordings) == list(counts)
    assert list(shown.fewer_than_folds) == ["yes" if count <= counts[1] else "no" for count in counts]
    # Recordings that could not be used trained nothing.
    recordings.train["usable"] = False
    unused = species_table(predictions["ensemble"], predictions["ensemble"].test, recordings, 3, True)
    assert list(unused.training_recordings) == [0, 0, 0]


def test_recordings_that_could_not_be_used_are_counted_with_their_rows(recordings: Recordings) -> None:
    bad = ["r0", "r1", "r2"]
    recordings.train.loc[bad, "usable"] = False
    recordings.test.loc["t0", "usable"] = False
    rows = recordings.annotations[recordings.annotations.recording_id.isin(bad)]
    assert count_skipped(recordings) == {
        "recordings": 4, "tp_rows": int(rows.is_tp.sum()), "fp_rows": int((~rows.is_tp).sum()), "copies": 0,
    }  # fmt: skip
