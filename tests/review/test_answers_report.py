"""What the answers of a review say: agreement, precision, call density, and what to do next."""

import shlex
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import norm
from sklearn.metrics import cohen_kappa_score
from windows import scored_windows

from dawnchorus.config.params import Params
from dawnchorus.review.advice import advice_lines
from dawnchorus.review.agreement import agreement_lines, cohens_kappa
from dawnchorus.review.finish import finish_reviews, unmerged_reviews
from dawnchorus.review.journal import Answer
from dawnchorus.review.measured import measured_species
from dawnchorus.review.report import density_table, precision_at, precision_table, report_lines
from dawnchorus.review.scores import ScoredWindows
from dawnchorus.review.session import Session, read_session
from dawnchorus.review.start import start_review

NOW = datetime(2026, 5, 1, 8, 30, tzinfo=UTC)


@pytest.mark.parametrize("seed", range(5))
def test_kappa_is_that_of_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    one = rng.choice(["present", "absent", "unsure"], 40)
    other = np.where(rng.random(40) < 0.6, one, rng.choice(["present", "absent"], 40))
    assert cohens_kappa(list(one), list(other)) == pytest.approx(cohen_kappa_score(one, other))


def test_agreement_is_about_items_that_both_answered() -> None:
    def said(reviewer: str, *answers: str) -> list[Answer]:
        return [
            Answer(item, answer, reviewer, NOW.isoformat(), "OWL") for item, answer in enumerate(answers, 1) if answer
        ]

    answers = said("Ada", "present", "absent", "other", "present") + said("Bo", "present", "present", "absent")
    assert agreement_lines(answers + said("Cy", "", "", "", "absent")) == [
        "Ada and Bo: 2 of 3 answers agree, Cohen's kappa 0.40",
        "Ada and Cy: 0 of 1 answers agree, Cohen's kappa 0.00",
    ]
    assert cohens_kappa(["present"], ["present"]) is None


def test_precision_weighs_answers_by_the_windows_they_stand_for() -> None:
    scores = np.array([0.2, 0.6, 0.7, 0.9])
    is_present = np.array([True, False, True, True])
    found = precision_at(0.5, scores, is_present, np.array([0.1, 0.1, 0.25, 0.5]))
    assert found is not None
    # Weights above 0.5 are 10, 4 and 2.
    assert found[0] == pytest.approx(6 / 16)
    n, z, p = 256 / 120, norm.ppf(0.95), 6 / 16
    centre, half = (
        (p + z**2 / (2 * n)) / (1 + z**2 / n),
        z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / n**2 / 4),
    )
    assert found[1:] == pytest.approx((centre - half, centre + half))
    assert precision_at(0.95, scores, is_present, np.ones(4)) is None


@pytest.fixture
def scored(params: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ScoredWindows:
    """Scores that separate the windows with an OWL, which calls at site1 three times as often as at site0."""
    monkeypatch.chdir(tmp_path)
    scored = scored_windows(params, n_recordings=60)
    rng = np.random.default_rng(4)
    truth = rng.random(len(scored.scores)) < np.where(scored.recording % 2, 0.3, 0.1)
    scored.scores[:, 0] = expit(np.where(truth, 3, -3) + rng.normal(0, 1.2, len(truth)))
    # The second species' scores tell nothing.
    np.save("truth.npy", truth)
    return scored


def answered(scored: ScoredWindows, n: int = 60, name: str = "m") -> Session:
    """A review of both species, answered by a reviewer who knows that OWLs call, and that LARKs do not."""
    start_review(scored, Path("results"), "measure", [], n, name, 1, NOW)
    session = read_session(name)
    truth = np.load("truth.npy")
    names = scored.recordings.recording_id.to_numpy()[scored.recording]
    for item in session.items.values():
        (row,) = np.flatnonzero((names == item.recording_id) & (scored.starts == item.start_s))
        said = "present" if item.species == "OWL" and truth[row] else "absent"
        session.answer(Answer(item.item, said, "Ada", NOW.isoformat(), item.species, seconds=2.0))
    return session


def test_a_spent_sample_measures_no_more(scored: ScoredWindows) -> None:
    session = answered(scored)
    assert set(measured_species(scored, [session], 1)) == {"OWL", "LARK"}
    finish_reviews([session], spend=True)
    assert measured_species(scored, [session], 1) == {}
    assert "its sample is spent" in "\n".join(report_lines(session, {}, {}))


def test_density_by_site_holds_the_truth(scored: ScoredWindows) -> None:
    measured = measured_species(scored, [answered(scored)], 1)
    truth = np.load("truth.npy")
    table = density_table({"OWL": measured["OWL"]}).set_index("site")
    assert table.windows.to_dict() == {"(all)": 600, "site0": 300, "site1": 300}
    site = scored.recordings.site.to_numpy()[scored.recording]
    for name, chosen in {"(all)": site != "", "site0": site == "site0", "site1": site == "site1"}.items():
        expected = truth[chosen & scored.is_measured].mean()
        low, high = (float(part) for part in table.density[name].split("(")[1].rstrip(")").split(" to "))
        assert low <= expected <= high
        assert high - low < 0.15


def test_the_report_has_answers_precision_and_density(scored: ScoredWindows) -> None:
    session = answered(scored)
    text = "\n".join(report_lines(session, measured_species(scored, [session], 1), {"OWL": 0.3, "LARK": 0.5}))
    assert "Review m: measure" in text
    assert "An answer took 2.0 s (median)" in text
    lines = [line.split() for line in text.splitlines()]
    assert ["OWL", "60"] in [line[:2] for line in lines]
    assert any(
        line[:5] == ["OWL", "60", "0.9", "1.000", "(0.735"] or line[:3] == ["OWL", "60", "0.9"] for line in lines
    )
    assert any(line[:2] == ["LARK", "(all)"] and float(line[3]) < 0.05 for line in lines)


def test_next_tells_what_is_missing(scored: ScoredWindows) -> None:
    results = Path("results")
    lines = advice_lines(["OWL", "LARK"], {}, 0.9, results, {"m": 3}, [])
    assert lines == [
        "m: 3 items wait for an answer: dawnchorus review serve m",
        "Not measured yet: OWL, LARK: dawnchorus review start results --purpose measure --species OWL LARK -n 30",
    ]
    # A shell takes the command as it is printed.
    (line,) = advice_lines(["Mésange charbonnière"], {}, 0.9, Path("my found"), {}, [], Path("my model"))
    words = ["review", "start", "my found", "--model", "my model", "--purpose", "measure", "--species",
             "Mésange charbonnière", "-n", "30"]  # fmt: skip
    assert shlex.split(line.partition(": dawnchorus ")[2]) == words
    session = answered(scored)
    assert unmerged_reviews([session]) == ["m"]
    lines = advice_lines(["OWL", "LARK"], measured_species(scored, [session], 1), 0.9, results, {}, ["m"])
    assert lines[0] == "The workflow does not know the present answers yet: dawnchorus review finish m"
    assert lines[1].startswith("OWL: 0.9 can be promised above 0.")
    assert "LARK: too few answers (60 answers, 0 present) for a promise" in lines[2]
    finish_reviews([session], spend=False)
    assert unmerged_reviews([session]) == []


def test_few_answers_need_more_and_more_answers_need_fewer(scored: ScoredWindows) -> None:
    def advice(n: int) -> str:
        measured = measured_species(scored, [answered(scored, n, f"m{n}")], 1)
        return advice_lines(["OWL"], {"OWL": measured["OWL"]}, 0.97, Path("results"), {}, [])[0]

    few, many = advice(18), advice(200)
    assert "OWL: promise of 0.97 needs about " in few or "no score is sure enough" in few
    assert "0.97 can be promised above" in many


def test_answers_to_another_channel_are_not_those_of_this_one(scored: ScoredWindows) -> None:
    session = answered(scored)
    each = replace(scored, channel=np.full(len(scored.channel), 2))
    assert measured_species(each, [session], 1) == {}


def test_precision_before_is_that_of_the_model_with_which_the_review_started(scored: ScoredWindows) -> None:
    """A model that tells nothing is replaced by one that separates the windows."""
    good = scored.scores[:, 0].copy()
    scored.scores[:, 0] = np.random.default_rng(0).uniform(0.9, 1, len(good))
    session = answered(scored)
    before = "\n".join(report_lines(session, measured_species(scored, [session], 1), {"OWL": 0.9}))
    scored.scores[:, 0] = good
    found = precision_table(session, measured_species(scored, [session], 1), {"OWL": 0.9}).set_index("species")
    old, new = (float(found[f"precision {when}"].OWL.split()[0]) for when in ("before", "now"))
    truth = np.load("truth.npy")[scored.is_measured]
    assert abs(old - truth.mean()) < 0.15
    assert new > 0.9
    assert f"{old:.3f}" in before
