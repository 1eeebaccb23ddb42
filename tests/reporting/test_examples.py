"""Which sounds the report plays and what it says of them, worked by hand."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from listening import BOXES, made_experiment, recordings, windows
from sounds import RATE

from dawnchorus.audio.clips import Clip
from dawnchorus.config.params import Params
from dawnchorus.features.pictures import FrequencyAxis
from dawnchorus.inference.calibration import Calibration
from dawnchorus.inference.ensemble import EnsembleWindows
from dawnchorus.inference.thresholds import WindowModel
from dawnchorus.inference.window_tables import Windows
from dawnchorus.reporting.report import candidates as found
from dawnchorus.reporting.report.candidates import COLUMNS, Basis, Judge, judge_of_folds, labelled_candidates
from dawnchorus.reporting.report.choice import Kind, choose_examples
from dawnchorus.reporting.report.examples import bands, look_and_listen, span
from dawnchorus.reporting.report.overlays import describe, make_box, time_ticks


def candidate(recording: str, score: float, is_present: bool, **others: Any) -> dict[str, Any]:
    """A labelled window of the first species at 0 s, with the threshold 0.5."""
    row = {
        "split": "train", "recording_id": recording, "species_id": 0, "window_s": 0.0, "score": score,
        "probability": score, "threshold": 0.5, "is_present": is_present, "basis": Basis.BOX, "t_min": np.nan,
        "t_max": np.nan, "start_s": 0.0 if score >= 0.5 else np.nan, "end_s": 3.0 if score >= 0.5 else np.nan,
    }  # fmt: skip
    return row | others


def chosen(rows: list[dict[str, Any]], most: int = 2, digests: list[str] | None = None) -> dict[str, list[str]]:
    """The recordings of the examples of the first species, by kind."""
    table = pd.DataFrame(rows, columns=COLUMNS)
    picked = choose_examples(table, digests or list(table.recording_id), 3.0, most, 1)
    return {str(kind): list(part.recording_id) for kind, part in picked.groupby("kind")}


JUDGE = Judge(WindowModel(Calibration(np.ones(2), np.zeros(2)), np.array([0.5, 0.5])), np.array([0.5, 0.5]))


def test_right_and_wrong_ones_are_the_most_confident_and_missed_ones_the_least() -> None:
    rows = [candidate(f"p{n}", n / 10, True) for n in range(1, 10)]
    rows += [candidate(f"a{n}", n / 10 + 0.04, False) for n in range(1, 9)]
    assert chosen(rows) == {
        "wrong": ["a8", "a7"], "right": ["p9", "p8"], "missed": ["p1", "p2"],
        # p5 is at the threshold of 0.5, and a5 at 0.54.
        "nearest to the threshold": ["p5", "a5"],
    }  # fmt: skip
    assert chosen(rows[::-1]) == chosen(rows)
    assert chosen(rows, most=0) == {}
    assert chosen([]) == {}


def test_of_sounds_at_the_threshold_both_kinds_are_shown_as_far_as_there_are() -> None:
    rows = [candidate(f"p{n}", 0.5 - n / 100, True) for n in range(1, 9)] + [candidate("a", 0.01, False)]
    assert chosen(rows, most=4)["nearest to the threshold"] == ["p1", "p2", "p3", "a"]


def test_no_sound_is_shown_twice_and_many_recordings_are() -> None:
    rows = [
        candidate("a", 0.9, True), candidate("a", 0.89, True, window_s=1.5), candidate("a", 0.88, True, window_s=6.0),
        candidate("b", 0.6, True), candidate("copy", 0.895, True),
    ]  # fmt: skip
    digests = ["a", "a", "a", "b", "a"]
    assert chosen(rows, 2, digests)["right"] == ["a", "b"]
    # The window at 6 s is another part of the same recording. The others overlap, as does the copy's.
    assert chosen(rows, 5, digests) == {"right": ["a", "a", "b"]}


def test_a_labelled_call_tells_more_than_a_recording_with_a_call_somewhere() -> None:
    vague = {"split": "test", "basis": Basis.RECORDING}
    rows = [candidate("k", 0.99, True, **vague), candidate("l", 0.7, False, **vague), candidate("a", 0.6, True)]
    assert chosen(rows) == {"right": ["a", "k"], "wrong": ["l"]}


def test_what_is_below_the_shortest_length_of_a_detection_is_missed() -> None:
    assert chosen([candidate("a", 0.9, True, start_s=np.nan, end_s=np.nan)]) == {"missed": ["a"]}


def test_without_a_threshold_nothing_is_at_it() -> None:
    rows = [candidate("a", 0.9, True, threshold=np.nan, start_s=np.nan, end_s=np.nan)]
    assert chosen(rows) == {"missed": ["a"]}


def test_boxes_have_the_window_that_scores_them_and_its_detection(params: Params) -> None:
    tables = recordings([("a", 0, 2.0, 3.0, 1000, 2000, True), ("b", 0, 7.0, 8.0, 1000, 2000, False)])
    oof = windows({"a": [0.1, 0.9, 0.8, 0.2, 0.1], "b": [0.6, 0.1, 0.1, 0.1, 0.3]})
    table = labelled_candidates(oof, tables, JUDGE, 3.0, 0.5, params.detect).round(4)
    columns = ["recording_id", "window_s", "score", "is_present", "t_min", "start_s", "end_s"]
    assert table[columns].astype(object).where(table[columns].notna(), None).to_numpy().tolist() == [
        # The windows at 1.5 and 3 s are above the threshold.
        ["a", 1.5, 0.9, True, 2.0, 1.5, 6.0],
        ["b", 6.0, 0.3, False, 7.0, None, None],
    ]
    # A prevalence of one half leaves the odds as they are.
    assert table.probability.tolist() == [0.9, 0.3]


def test_an_absent_box_beside_a_call_is_no_wrong_detection(params: Params) -> None:
    call = ("a", 0, 2.0, 3.0, 0, np.inf, True)
    oof = windows({"a": [0.1, 0.9, 0.1, 0.1, 0.1]})
    near = labelled_candidates(
        oof, recordings([call, ("a", 0, 3.5, 4.0, 0, np.inf, False)]), JUDGE, 3.0, 0.5, params.detect
    )
    far = labelled_candidates(
        oof, recordings([call, ("a", 0, 7.0, 8.0, 0, np.inf, False)]), JUDGE, 3.0, 0.5, params.detect
    )
    assert list(near.is_present) == [True]
    assert list(far.is_present) == [True, False]


def test_windows_of_complete_recordings_count(params: Params) -> None:
    tables = recordings([("a", 0, 1.0, 2.0, 0, np.inf, True)], complete=["a"])
    table = labelled_candidates(windows({"a": [0.1, 0.2, 0.3, 0.4, 0.9]}), tables, JUDGE, 3.0, 0.5, params.detect)
    own = table[(table.species_id == 0) & (table.basis == Basis.COMPLETE)]
    # The call is in the first window and, by half, in the second; the others are without.
    assert dict(zip(own.window_s, own.is_present, strict=True)) == {
        0: True, 1.5: True, 3: False, 4.5: False, 6: False,
    }  # fmt: skip
    assert own[own.window_s == 6].end_s.tolist() == [9.0]
    assert (table.species_id == 1).sum() == 5


def test_detections_in_test_recordings_count_where_the_truth_is_known() -> None:
    tables = recordings([], truth=[[1, 0], [0, 1], [np.nan, 1]])
    test = windows({"k": [0.1, 0.6, 0.9, 0.1, 0.1], "l": [0.8, 0.1, 0.1, 0.1, 0.1], "m": [0.8, 0.1, 0.1, 0.1, 0.1]})
    detections = pd.DataFrame(
        [("k", "x", 1.5, 6.0, 0.9), ("l", "x", 0.0, 3.0, 0.8), ("m", "x", 0.0, 3.0, 0.8)],
        columns=["recording", "species", "start_s", "end_s", "score"],
    ).assign(probability=0.7, threshold=0.5)
    table = found.test_candidates(test, tables, detections, ["x", "y"])
    assert table[["recording_id", "window_s", "is_present", "basis"]].to_numpy().tolist() == [
        ["k", 3.0, True, "recording"], ["l", 0.0, False, "recording"],
    ]  # fmt: skip
    # Without any truth there is nothing to tell.
    assert not len(found.test_candidates(test, recordings([], truth=[[np.nan, np.nan]] * 3), detections, ["x", "y"]))


def judge(oof: Windows, test_by_fold: list[Windows], test: Windows, thresholds: list[float]) -> Judge:
    boxes = [(name, 0, 1.0, 2.0, 0, np.inf, index < 4) for index, name in enumerate(oof.recording_ids)]
    table = pd.DataFrame({"threshold": thresholds, "probability": 0.8})
    scored = EnsembleWindows(oof, test_by_fold[0], test_by_fold)
    return judge_of_folds(scored, recordings(boxes, train="".join(oof.recording_ids)), test.scores, table, 3.0, 0.5)


def test_thresholds_are_for_scores_out_of_fold_where_there_are_few_test_recordings() -> None:
    oof = windows({name: [0.9 - 0.1 * index] * 5 for index, name in enumerate("abcdefgh")})
    found = judge(oof, [windows({})], windows({}), [0.7, np.nan])
    np.testing.assert_array_equal(found.thresholds, [0.7, np.nan])
    probabilities = found.of_scores(np.array([0, 0]), np.array([0.3, 0.8]))["probability"]
    assert probabilities[0] < 0.5 < probabilities[1]


def test_as_many_test_windows_are_above_thresholds_of_folds_as_above_those_of_all_models() -> None:
    oof = windows({name: [0.9 - 0.1 * index] * 5 for index, name in enumerate("abcdefgh")})
    names = [f"t{number:02}" for number in range(20)]
    # Window number k of all has 0.99 - 0.01 k by all models, and less by those of each fold.
    folds = [windows({name: [part * (0.99 - 0.01 * number)] * 5 for number, name in enumerate(names)})
             for part in (0.8, 0.6)]  # fmt: skip
    test = windows({name: [0.99 - 0.01 * number] * 5 for number, name in enumerate(names)})
    found = judge(oof, folds, test, [0.955, np.nan])
    # Twenty windows, of four recordings, reach 0.955; the twentieth has 0.96 by all.
    assert found.thresholds[0] == pytest.approx(0.7 * 0.96, abs=1e-6)
    # Where no window reaches it, the probability is that of the threshold.
    found = judge(oof, folds, test, [0.995, np.nan])
    assert found.of_scores(np.array([0]), found.thresholds[:1])["probability"] == pytest.approx([0.8])


def test_boxes_lie_where_the_axes_say() -> None:
    clip, axis = Clip(np.zeros(4 * RATE, np.float32), RATE, 10.0), FrequencyAxis(0, 10_000, "linear")
    box = make_box("present", "x", (11, 12), (2000, 5000), clip, axis)
    assert (box.left, box.width, box.top, box.height) == (25, 25, 50, 30)
    whole = make_box("detection", "detection", (5, 30), (0, np.inf), clip, axis)
    assert (whole.left, whole.width, whole.top, whole.height) == (0, 100, 0, 100)
    assert [(tick.place, tick.text) for tick in time_ticks(clip)][:2] == [(0, "10"), (25, "11")]
    assert describe(clip, axis, [box]) == (
        "Spectrogram from 10.0 to 14.0 s and 0 to 10 kHz; label x from 11.0 to 12.0 s and 2.0 to 5.0 kHz"
    )


def test_the_band_of_a_species_is_that_of_its_calls() -> None:
    boxes: list[tuple] = [("a", 0, 0, 1, 1000 + step, 2000 + step, True) for step in range(0, 110, 10)]
    boxes += [("a", 0, 0, 1, 5000, 9000, False), ("a", 1, 0, 1, 0, np.inf, True)]
    assert bands(pd.DataFrame(boxes, columns=BOXES), 3) == [(1010, 2090), (0, np.inf), (0, np.inf)]


def test_times_of_long_recordings_are_readable() -> None:
    assert [span(time) for time in (7.26, 119.9, 3725.52, 86_399.96)] == ["7.3 s", "119.9 s", "1:02:05.5", "24:00:00.0"]


def test_a_card_says_what_a_sound_is_and_what_the_model_made_of_it(params: Params, tmp_path: Path) -> None:
    owl, other = look_and_listen(made_experiment(tmp_path, params)).groups
    assert owl.name == "<Owl>"
    assert owl.note == "Detected from a score of 0.6 on."
    assert other.note == (
        "Detected from a score of 0.7 on. Its precision cannot be promised: 1 present box. No detection is known to "
        "be wrong."
    )
    wrong = owl.cards[0]
    assert wrong.kind == Kind.WRONG
    assert wrong.verdict == "<Owl> does not call in this recording. The model detects <Owl> here."
    facts = dict(wrong.facts)
    assert facts["File"] == "test/k.wav"
    # The recording starts two seconds before six, and the clip at 4 s.
    assert facts["Clock time"] == "2024-06-11 06:00:02 (UTC-04:00)"
    assert facts["In the recording"] == "4.0 s to 8.0 s of 9.0 s"
    assert facts["Score"] == "0.9000 (threshold 0.6000) by all models"
    assert facts["Probability"] == "0.80"
    assert facts["Others in the recording"] == "y"
    assert [box.style for box in wrong.boxes] == ["detection"]
    (right,) = [card for card in owl.cards if card.kind != Kind.WRONG and "is not" not in card.verdict]
    assert "An expert heard <Owl> in the box." in right.verdict
    assert dict(right.facts)["Others labelled here"] == "y"
    # A label that is there twice is drawn once.
    assert sorted(box.style for box in right.boxes if box.style != "detection") == ["other", "present"]
    assert right.image.startswith("data:image/webp;base64,")
    assert right.sound.startswith("data:audio/mpeg;base64,")
    (absent,) = [card for card in owl.cards if "is not" in card.verdict]
    assert absent.verdict == "An expert listened to the box, and it is not <Owl>. The model does not detect <Owl> here."
    assert [box.text for box in absent.boxes] == ["not <Owl>"]


def test_of_a_long_part_the_middle_is_cut(params: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dawnchorus.reporting.report.examples.MOST_SECONDS", 2.0)
    (owl, _) = look_and_listen(made_experiment(tmp_path, params)).groups
    places = {card.verdict[:15]: dict(card.facts)["In the recording"] for card in owl.cards}
    # The middle of the label at 4 to 5 s, and of the window at 4.5 to 7.5 s; half a second more on both sides.
    assert places["An expert heard"] == "3.0 s to 6.0 s of 9.0 s"
    assert places["<Owl> does not "] == "4.5 s to 7.5 s of 9.0 s"


def test_a_window_may_be_longer_than_its_recording(params: Params, tmp_path: Path) -> None:
    (owl, _) = look_and_listen(made_experiment(tmp_path, params, window_seconds=60.0)).groups
    places = {dict(card.facts)["In the recording"] for card in owl.cards}
    assert places == {"2.5 s to 9.0 s of 9.0 s", "4.0 s to 9.0 s of 9.0 s", "0.0 s to 6.0 s of 9.0 s"}


def test_without_examples_no_recording_is_read(params: Params, tmp_path: Path) -> None:
    made = made_experiment(tmp_path, params, examples=0)
    (tmp_path / "test/k.wav").unlink()
    assert not look_and_listen(made)
