"""The package by itself, without the workflow's engines and the repository."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
from bundles import make_bundle, settings_of
from tiny import ROOT

from dawnchorus.config.params import Params
from dawnchorus.inference.journal import Journal
from dawnchorus.inference.streaming import score_recording
from dawnchorus.models.bundle import read_bundle
from dawnchorus.models.members import load_ensemble


@pytest.mark.slow
def test_a_copied_model_scores_the_same_in_an_environment_without_the_workflow(tiny: Params, tmp_path: Path) -> None:
    model, python = make_bundle(tmp_path / "model", tiny), tmp_path / "env/bin/python"
    subprocess.run(["uv", "venv", "--quiet", tmp_path / "env"], check=True)
    subprocess.run(["uv", "pip", "install", "--quiet", "--python", python, ROOT], check=True)
    program = tmp_path / "env/bin/dawnchorus"
    assert list((tmp_path / "env").rglob("dawnchorus/reporting/report/templates/page.html.j2"))
    names = ("dvc", "snakemake", "kaggle", "tensorflow")
    find = f"from importlib.util import find_spec; print([find_spec(name) for name in {names}])"
    found = subprocess.run([python, "-c", find], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[None, None, None, None]"
    (tmp_path / "field").mkdir()
    path = tmp_path / "field/a.flac"
    soundfile.write(path, np.random.default_rng(0).normal(0, 0.1, 24_000 * 9), 24_000)
    command = [str(each) for each in (program, "detect", model, path.parent, "--output", tmp_path / "out")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    bundle = read_bundle(model)
    scored = Journal(tmp_path / "out", bundle.codes).read("a")
    starts, scores, _ = score_recording(load_ensemble(bundle), path, settings_of(tiny), 1.0, "mean", 16)
    np.testing.assert_array_equal(scored.starts, starts)
    np.testing.assert_allclose(scored.scores, scores, atol=1e-6)
