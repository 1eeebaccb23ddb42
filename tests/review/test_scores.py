"""Items can be drawn from what `dawnchorus detect` leaves."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bundles import SPECIES, make_bundle

from dawnchorus.config.params import Params
from dawnchorus.errors import InputError
from dawnchorus.inference.detections import COLUMNS
from dawnchorus.inference.journal import Journal, Scored, Stamp
from dawnchorus.models.bundle import read_bundle
from dawnchorus.review.scores import clock_time, read_scores


@pytest.fixture(scope="module")
def model(tiny: Params, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model."""
    return make_bundle(tmp_path_factory.mktemp("bundle") / "model", tiny)


@pytest.fixture
def project(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model, and in `found` the scores of two recordings by it."""
    monkeypatch.chdir(tmp_path)
    Path("model").symlink_to(model)
    bundle = read_bundle(model)
    found = Path("found")
    journal = Journal(found, bundle.codes)
    journal.begin({"model": bundle.scorer_digest})
    for name, n_windows in (("a/1", 3), ("b/1", 2)):
        path = tmp_path / f"recordings/{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"sound")
        scores = np.full((n_windows, 2), 0.25, np.float32)
        journal.write(
            name, Stamp.of(path),
            Scored(4.0, 48_000, 1, "2026-05-01T06:00:00+00:00", np.zeros(n_windows, int),
                   np.arange(n_windows, dtype=float), scores),
        )  # fmt: skip
    # The sites are those of the tables, which a pattern may have found, not the folders.
    pd.DataFrame({"recording": ["a/1"], "site": ["HILL"]}).to_csv(found / "recordings.csv", index=False)
    row = dict.fromkeys(COLUMNS, "") | {"recording": "a/1", "species": "BTNW", "start_s": 0.0, "end_s": 2.0,
                                        "score": 0.25, "channel": "mean"}  # fmt: skip
    row["file"] = str(tmp_path / "recordings/a/1.wav")
    pd.DataFrame([row]).to_csv(found / "detections.csv", index=False)
    return tmp_path


def test_scores_of_detection_have_their_recordings(project: Path) -> None:
    scored = read_scores(Path("found"), Path("model"))
    assert scored.recordings.file.tolist() == ["recordings/a/1.wav", "recordings/b/1.wav"]
    assert scored.recordings.site.tolist() == ["HILL", ""]
    assert scored.recording.tolist() == [0, 0, 0, 1, 1]
    assert scored.starts.tolist() == [0, 1, 2, 0, 1]
    assert scored.scores.shape == (5, len(SPECIES))
    assert scored.is_measured.all()
    assert scored.detections.file.tolist() == ["recordings/a/1.wav"]
    assert np.isnan(scored.prior.prevalence[1])


def test_without_windows_there_are_the_detections(project: Path) -> None:
    for path in [*(project / "found/windows").rglob("*.parquet"), project / "found/recordings.csv"]:
        path.unlink()
    scored = read_scores(Path("found"), Path("model"))
    assert len(scored.starts) == 0
    assert scored.recordings.recording_id.tolist() == ["a/1"]


def test_scores_of_another_model_are_refused(project: Path) -> None:
    run = project / "found/windows/run.json"
    run.write_text(run.read_text().replace(read_bundle(Path("model")).scorer_digest, "0"))
    with pytest.raises(InputError, match="found: was not scored by model; name the model that was used with --model"):
        read_scores(Path("found"), Path("model"))
    run.write_text("{")
    with pytest.raises(InputError, match=r"run.json: cannot be read"):
        read_scores(Path("found"), Path("model"))


def test_a_folder_without_scores_is_refused(project: Path) -> None:
    with pytest.raises(InputError, match=r"model: has neither predictions/ nor detections.csv"):
        read_scores(Path("model"), None)


def test_the_time_of_a_window_is_that_of_the_recording_and_its_start() -> None:
    assert clock_time("2026-05-01T23:59:59-04:00", 1.5) == "2026-05-02T00:00:00.500-04:00"
    assert clock_time("", 1.5) == ""
