"""`dvc plots` on several revisions, in a browser without a network."""

import subprocess
import sys
from pathlib import Path

from history import History
from playwright.sync_api import Browser, expect
from tiny import ROOT


def test_plots_of_two_revisions_are_drawn_without_a_network(tmp_path: Path, browser: Browser) -> None:
    history = History(tmp_path / "project")
    history.experiment("other", {"train.epochs": 3}, 0.4)
    # As in the Makefile.
    script = ("workflow/scripts/plots_page.py", "--output", str(history.path / ".dvc/plots.html"))
    subprocess.run([sys.executable, *script], cwd=ROOT, check=True)
    dvc = str(Path(sys.executable).parent / "dvc")
    for command in (("config", "--local", "plots.html_template", "plots.html"), ("plots", "diff", "HEAD", "other")):
        subprocess.run([dvc, *command], cwd=history.path, check=True, capture_output=True)

    page = browser.new_page()
    requests: list[str] = []
    problems: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.goto((history.path / "dvc_plots/index.html").as_uri())
    # One for each training, the species and the reliability.
    plots = page.locator("svg.marks")
    expect(plots).to_have_count(4)
    texts = plots.evaluate_all(
        "plots => plots.map(plot => [...plot.querySelectorAll('text')].map(each => each.textContent))"
    )
    for drawn in texts:
        assert {"revision", "HEAD", "other"} <= set(drawn)
    assert ["results/curves/first/small_cnn/0.csv" in drawn for drawn in texts].count(True) == 1
    # Loss of each revision, and two metrics of each.
    assert plots.nth(0).locator(".mark-line path[d^=M]").count() >= 2 + 4
    page.close()
    assert len(requests) == 1
    assert problems == []
