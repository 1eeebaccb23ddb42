"""The report page: what it says about small experiments, checked against numbers worked by hand."""

import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from experiments import SPECIES, TEST, TRAIN, Made, figures
from sounds import noise, written
from tiny import ROOT, changed

from dawnchorus.config.params import Params
from dawnchorus.errors import InputError
from dawnchorus.reporting.report.data_tables import NOTHING
from dawnchorus.reporting.report.facts import changed_settings
from dawnchorus.reporting.report.page import render, sections
from dawnchorus.reporting.report.tables import read_figures

VOID = {"meta", "link", "input", "br", "hr", "img", "wbr"}


class Page(HTMLParser):
    """What is on a page: the text of each section, the cells of each table, and the attributes of all tags."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.sections: dict[str, list[str]] = {}
        self.tables: dict[str, list[list[str]]] = {}
        self._section = self._table = ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag, and where it begins a section, table, row or cell."""
        values = dict(attrs)
        self.tags.append((tag, values))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "section":
            self._section = values.get("id") or ""
            self.sections[self._section] = []
        elif tag == "table":
            self._table = values.get("id") or ""
            self.tables[self._table] = []
        elif tag == "tr":
            self.tables[self._table].append([])
        elif tag in ("td", "th"):
            self.tables[self._table][-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag that ends at once."""
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """Check that the tag is the one that was opened last."""
        assert self.open.pop() == tag
        if tag == "table":
            self._table = ""

    def handle_data(self, data: str) -> None:
        """Note text by section and cell."""
        text = " ".join(data.replace("\u00a0", " ").split())
        if not text:
            return
        if self._section and not {"script", "style"} & set(self.open):
            self.sections[self._section].append(text)
        if self._table and {"td", "th"} & set(self.open):
            row = self.tables[self._table][-1]
            row[-1] = f"{row[-1]} {text}".strip()

    def text(self, section: str) -> str:
        """The text of a section."""
        return " ".join(self.sections[section])

    def column(self, table: str, title: str) -> list[str]:
        """The cells of a column, from top to bottom."""
        heading, *rows = self.tables[table]
        (number,) = (number for number, cell in enumerate(heading) if cell.startswith(title))
        return [row[number] for row in rows]


def html_of(made: Made, folder: Path, params: Params) -> str:
    return render(sections(made.read(folder, params), params) | {"examples": []})


def page_of(made: Made, folder: Path, params: Params) -> Page:
    return Page(html_of(made, folder, params))


@pytest.fixture(scope="module")
def page(params: Params, tmp_path_factory: pytest.TempPathFactory) -> Page:
    """The page of the made-up experiment as it is."""
    return page_of(Made(), tmp_path_factory.mktemp("report"), params)


def test_the_table_of_species_has_the_numbers_of_the_tables(page: Page) -> None:
    table = "species-table"
    assert page.column(table, "Species") == SPECIES
    assert page.column(table, "Right at least") == [
        "81 % 94 % expected",
        f"{NOTHING} no window reaches it",
        f"{NOTHING} no present box",
    ]
    assert page.column(table, "Threshold") == ["0.500", "0.750", NOTHING]
    assert page.column(table, "Labelled calls") == ["2 in 2"] * 3
    assert [cell.split()[0] for cell in page.column(table, "Average precision")] == ["0.75", "0.50", NOTHING]
    assert page.column(table, "n ") == ["2 of 4", "2 of 4", "1 of 4"]
    assert page.column(table, "Detections") == ["3", "1", "0"]
    # The owl calls in x0 and x1, and is detected in x0, twice, and in x2. The other calls in x1 and x2.
    assert page.column(table, "Right in test") == ["1 of 2", "1 of 1", NOTHING]
    assert page.column(table, "Found in test") == ["1 of 2", "1 of 2", "0 of 1"]


def test_the_summary_answers_in_plain_words(page: Page) -> None:
    text = page.text("summary")
    assert "1 of 3 species." in text
    assert "owl 81 % 1 of 2" in text
    assert "1 of 2 reports of a species in a recording were right" in text
    assert f"{SPECIES[1]} : no sound scores so high that 90 % of such sounds would be right" in text
    assert f"{SPECIES[2]} : it has no labelled call" in text
    assert (
        f"Hardest to rank is {SPECIES[1]} : its average precision is 0.50, where 1 is perfect and 0.50 is chance"
        in text
    )
    assert "No pair stands out." in text
    assert "That is not known: the test recordings have no clock times." in text


def test_the_ensemble_is_beside_its_members_and_the_baselines(page: Page) -> None:
    table = "comparison-table"
    assert page.column(table, "Scores of") == ["ensemble", "small_cnn", "constant (baseline)", "random (baseline)"]
    assert page.column(table, "LWLRAP, test")[0] == "0.875 0.750 to 0.938"
    assert page.column(table, "LWLRAP, out of fold")[2] == "0.438 0.375 to 0.562"
    assert page.column(table, "average precision, test") == ["0.875", "0.812", "0.500", "0.250"]
    labels = [values.get("aria-label") or "" for tag, values in page.tags if tag == "svg"]
    expected = "ensemble 0.88, small_cnn 0.81, constant (baseline) 0.50, random (baseline) 0.25"
    assert f"LWLRAP, test: {expected}" in labels


def test_reliability_has_its_mean_error(page: Page) -> None:
    # (10 x 0.25 + 30 x 0) / 40 for scores, (10 x 0 + 30 x 0.125) / 40 for probabilities.
    text = page.text("quality")
    assert "Of 40 labels out of fold" in text
    assert "probabilities are off by 0.094 , and scores by 0.062" in text
    assert page.column("reliability-table", "Observed")[0] == "0.50 0.20 to 0.80"


def test_activity_counts_detections_where_and_when_recordings_are_from(params: Params, tmp_path: Path) -> None:
    starts = {"x0": "2024-06-01T05:00:00-04:00", "x1": "2024-06-02T22:59:58-04:00", "x2": "2024-06-02T06:00:00-04:00"}
    page = page_of(Made(starts=starts, sites={"x0": "ridge", "x1": "river"}), tmp_path, params)
    assert "By hour of the day" in page.text("activity")
    recorded, owl, other = page.tables["activity-hour-table"][1:]
    assert (owl[0], owl[1 + 5], owl[1 + 6], owl[1 + 22]) == ("owl", "2", "1", "")
    # x1 begins two seconds before 23:00, and its detection half a second.
    assert (other[1 + 22], other[1 + 23]) == ("1", "")
    assert page.tables["activity-day-table"][0] == ["Species", "2024-06-01", "2024-06-02"]
    assert page.tables["activity-day-table"][2:] == [["owl", "2", "1"], [SPECIES[1], "", "1"]]
    assert page.tables["activity-site-table"][2:] == [["owl", "2", ""], [SPECIES[1], "", "1"]]
    assert recorded[0] == "recorded, h"


def test_what_a_data_set_lacks_is_said_and_nothing_fails(params: Params, tmp_path: Path) -> None:
    made = Made(has_test=False, figures=figures(), reliability=[], promises=["no present box"] * 3, detections=[])
    page = page_of(made, tmp_path, params)
    assert "None yet." in page.text("summary")
    assert "No metrics: no test recording has ground truth." in page.text("about")
    assert "none for testing" in page.text("about")
    assert "There are no figures" in page.text("quality")
    assert "That is not known: there are no labels out of fold" in page.text("quality")
    assert "Detections in the annotated recordings, out of fold." in page.text("activity")
    assert "No clock time is known" in page.text("activity")
    assert "comparison-table" not in page.tables


def test_without_ground_truth_average_precision_is_out_of_fold(params: Params, tmp_path: Path) -> None:
    page = page_of(Made(truth=None, figures=figures("oof")), tmp_path, params)
    # An owl is labelled present in t0 and t1, and absent in t4.
    assert page.column("species-table", "n ") == ["2 of 3", "2 of 3", "0 of 0"]
    assert not any(cell.startswith("Right in test") for cell in page.tables["species-table"][0])
    assert "No figure is from test recordings, because it is unknown which species call in them." in page.text("about")
    assert "In test recordings" not in page.text("confusion")


def test_one_species_has_nothing_to_be_confused_with(params: Params, tmp_path: Path) -> None:
    owl = Made().species[:1]
    boxes = [box for box in Made().boxes if box[1] == "owl"]
    detections = [found for found in Made().detections if found[1] == "owl"]
    made = Made(species=owl, boxes=boxes, detections=detections, truth=[[1], [1], [0], [0]], promises=[0.8125])
    page = page_of(made, tmp_path, params)
    assert "With a single species, there is nothing to confuse." in page.text("confusion")
    assert "All can." in page.text("summary")


def test_heads_alone_have_no_curves_and_birdnet_has_a_licence(params: Params, tmp_path: Path) -> None:
    made = Made(changes={"backbones": [], "embeddings": ["birdnet"]})
    page = page_of(made, tmp_path, params)
    assert "There are no training curves: heads on embeddings are not trained in epochs." in page.text("quality")
    assert "CC BY-NC-SA 4.0" in page.text("about")


def test_several_rounds_have_curves_each_and_promises_of_the_first(params: Params, tmp_path: Path) -> None:
    rounds = [{"id": "first", "pseudo_labels": "none", "weight": 0.0},
              {"id": "second", "pseudo_labels": "first", "weight": 0.3}]  # fmt: skip
    page = page_of(Made(changes={"rounds": rounds}, figures=figures("test")), tmp_path, params)
    assert "Round first" in page.text("quality")
    assert "Round second" in page.text("quality")
    assert "rest on the models of the first round" in page.text("about")


def test_important_warnings_come_first(params: Params, tmp_path: Path) -> None:
    found = figures("oof") | {"rare_species": ["owl"]}
    found["skipped"] = {"recordings": 1, "tp_rows": 2, "fp_rows": 3, "copies": 1}
    made = Made(remarks=["labels.txt: odd"], unusable={"t5": "no sound <decoded>"}, figures=found)
    page = page_of(made, tmp_path, params)
    tags = [text for text in page.sections["about"] if text in ("Warning", "Note")]
    assert tags == sorted(tags, reverse=True)
    text = page.text("about")
    assert "For 2 species of 3, no precision can be promised." in text
    assert "fewer training recordings than there are folds, so some folds cannot judge them: owl." in text
    assert "1 recording could not be used and was skipped, with 2 present and 3 absent boxes." in text
    assert "t5: no sound <decoded>" in text
    assert "Test figures leave out 1 test recording with the same sound as a training recording." in text
    assert "labels.txt: odd" in text
    assert "Labels are sparse" in text


def test_a_promise_that_test_recordings_refute_is_the_first_warning(params: Params, tmp_path: Path) -> None:
    # Three of three reports are wrong: even Wilson's upper end, 0.56, is below what was promised.
    made = Made(detections=[(name, SPECIES[2], 0.0) for name in ("x0", "x1", "x2")], promises=[0.5, 0.5, 0.75])
    page = page_of(made, tmp_path, params)
    first = page.sections["about"][page.sections["about"].index("Warning") + 1 :]
    assert first[0] == "The promise of 1 species does not hold in the test recordings."
    assert first[1].startswith(f"{SPECIES[2]}: 0 of 3 recordings with detections have it, at least 75 % of windows")


def test_settings_that_differ_are_listed_with_their_meaning(params: Params) -> None:
    assert changed_settings(params, params) == []
    other = changed(params, {"train": {"epochs": 3}, "demo": {"species": 9}, "folds": [0, 1]})
    found = changed_settings(other, params)
    assert [(each.key, each.value, each.default) for each in found] == [
        ("demo.species", "9", str(params.demo.species)), ("folds", "[0, 1]", "[0, 1, 2]"),
        ("train.epochs", "3", str(params.train.epochs)),
    ]  # fmt: skip
    assert found[2].meaning == "passes over all annotations"
    # Nothing is synthesized for another data set.
    elsewhere = changed(other, {"data": {"root": "my/data"}})
    assert [each.key for each in changed_settings(elsewhere, params)] == ["data.root", "folds", "train.epochs"]


def test_names_are_shown_as_they_are_and_never_become_markup(params: Params, tmp_path: Path) -> None:
    evil = "</script><img src=x onerror=alert(1)>"
    starts = {"x0": "2024-06-01T05:00:00-04:00"}
    made = Made(names={"owl": evil}, sites={"x0": "<i>here</i>"}, starts=starts, remarks=["<u>odd</u>"])
    html = html_of(made, tmp_path, params)
    page = Page(html)
    assert not {"img", "u", "b>"} & {tag for tag, _ in page.tags}
    assert page.column("species-table", "Species") == [f"{evil} owl", *SPECIES[1:]]
    # Charts leave out the middle of long names.
    assert f"{evil[:12]}…{evil[-11:]}".replace("<", "&lt;").replace(">", "&gt;") in html
    assert "&lt;i&gt;here&lt;/i&gt;" in html
    assert "x$y$" in html


def test_the_page_is_whole_and_the_same_each_time(params: Params, tmp_path: Path) -> None:
    starts = {"x0": "2024-06-01T05:00:00-04:00"}
    first, again = (html_of(Made(starts=starts), tmp_path / name, params) for name in ("a", "b"))
    assert first == again
    page = Page(first)
    assert str(tmp_path) not in first
    assert ("html", {"lang": "en"}) in page.tags
    fetched = [
        values[key]
        for tag, values in page.tags
        for key in ("src", "href", "xlink:href", "data")
        if values.get(key) and tag != "a" and not (values[key] or "").startswith(("#", "data:"))
    ]
    assert fetched == []
    assert not re.search(r"url\((?!#)|@import", first)
    ids = [values["id"] for _, values in page.tags if "id" in values]
    assert len(ids) == len(set(ids))
    targets = {(values["href"] or "")[1:] for tag, values in page.tags if tag == "a"}
    assert targets <= set(ids)
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(below - above <= 1 for above, below in pairwise(levels))
    charts = [values for tag, values in page.tags if tag == "svg"]
    assert charts
    assert all(values["role"] == "img" and values["aria-label"] for values in charts)
    assert all(cell.get("scope") for tag, cell in page.tags if tag == "th")


def test_damaged_figures_are_named(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    good = figures("test")
    read = [good | {"test": 1}, good | {"test": {"small_cnn": {}}}, good | {"oof": {"ensemble": {"lwlrap": "0.5"}}},
            good | {"skipped": {"recordings": 0}}]  # fmt: skip
    for content in ("{", "[]", "{}", '{"skipped": 1}', *map(json.dumps, read)):
        path.write_text(content)
        with pytest.raises(InputError, match=r"figures\.json: .*repeat the stage ensemble"):
            read_figures(path)


def test_the_stage_writes_the_page(params: Params, tmp_path: Path) -> None:
    Made().write(tmp_path, params)
    for split, names in (("train", TRAIN), ("test", TEST)):
        (tmp_path / "data/demo/dataset" / split).mkdir(parents=True)
        for name in names:
            written(tmp_path / f"data/demo/dataset/{split}/{name}.wav", noise(9.0))
    text = (ROOT / "params.yaml").read_text()
    for name, value in (("backbones", "[small_cnn]"), ("folds", "[0, 1]")):
        text = re.sub(rf"^{name}: .*$", f"{name}: {value}", text, flags=re.MULTILINE)
    (tmp_path / "params.yaml").write_text(text)
    command = [
        sys.executable, str(ROOT / "workflow/scripts/report.py"), "--params", "params.yaml",
        "--defaults", str(ROOT / "presets/default.yaml"), "--data", "data", "--results", "results",
        "--figures", "results/figures.json", "--output", "results/report.html",
    ]  # fmt: skip
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    page = Page((tmp_path / "results/report.html").read_text())
    assert page.column("species-table", "Species") == SPECIES
    sounds = [values["src"] or "" for tag, values in page.tags if tag == "audio"]
    assert len(sounds) > 3
    assert all(each.startswith("data:audio/mpeg;base64,") for each in sounds)
    (tmp_path / "results/thresholds.csv").write_text("species\nowl\n")
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("error: results/thresholds.csv: ")
