"""Submissions list what the competition's template lists."""

from pathlib import Path

import pandas as pd

from dawnchorus.data.template import read_template, write_template
from dawnchorus.kaggle.submission import write_submissions


def test_a_submission_has_the_templates_order_and_names(tmp_path: Path) -> None:
    write_template(tmp_path / "template.csv", {"b": "b.wav", "gone": "gone", "site/a": "site/a"})
    template = read_template(tmp_path / "template.csv")
    scores = pd.DataFrame({"s0": [0.25, 0.5, 0.75]}, ["site/a", "b", "c"])
    write_submissions(tmp_path, template, {"submission": scores})
    assert (tmp_path / "submission.csv").read_text() == "recording_id,s0\nb.wav,0.5\nsite/a,0.25\n"


def test_without_a_competition_there_is_no_submission(tmp_path: Path) -> None:
    write_template(tmp_path / "template.csv", {})
    write_submissions(tmp_path, read_template(tmp_path / "template.csv"), {"submission": pd.DataFrame({"s0": [0.5]})})
    assert [path.name for path in tmp_path.iterdir()] == ["template.csv"]
