"""Damaged tables, parameters, recordings and spectrograms give a result or one of our errors, and nothing else.

The cases are the same in every run.
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fuzzed_audio import KINDS
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from tiny import ROOT

from dawnchorus.config.loading import load_params
from dawnchorus.config.params import Params
from dawnchorus.data.annotations import read_annotations
from dawnchorus.data.complete import read_complete
from dawnchorus.data.fold_table import read_folds
from dawnchorus.data.formats import rfcx
from dawnchorus.data.formats.rfcx import read_truth
from dawnchorus.data.ground_truth import GroundTruth, read_ground_truth
from dawnchorus.data.recordings import read_recordings
from dawnchorus.data.score_tables import read_scores
from dawnchorus.data.species import read_species
from dawnchorus.errors import InputError
from dawnchorus.features.store import FeatureStore, write_features
from dawnchorus.inference.box_tables import read_boxes
from dawnchorus.inference.calibration import read_prevalence
from dawnchorus.reporting.metrics import read_as_text

AUDIO_CASES = 1000
# A process that is not done by then hangs: it takes some seconds.
HANGS_AFTER_S = 300

repeatable = settings(
    max_examples=400,
    derandomize=True,
    deadline=None,
    database=None,
    # A case replaces the file of the one before.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

BITS = [b"", b'"', b"'", b",", b";", b"\n", b"\r", b"\r\n", b"\t", b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\xe9", b"#",
        b"nan", b"inf", b"-", b"1e999", b"0x10", b"9" * 400, b"[" * 400, b"{", b": ", b"*a", b"&a ", b"!!"]  # fmt: skip
CELLS = ["", " ", "nan", "NaT", "inf", "-inf", "1e999", "1e308", "-1", "1.5", "0x10", "1_0", "١", "True", "9" * 400,  # noqa: RUF001
         "..", "../a", "/", "a\0", "é", '"', '"a', "a\nb", "a,b", "#", "s0", "s-1"]  # fmt: skip
SNIPPETS = ["", "~", "[]", "{}", "[[", "'", "|", ">", "%", "@", "`", "*a", "&a 1", "<<: *a", "&a [*a]", "? a", "---",
            ".nan", "-.inf", "1e999", "1e308", "-1", "1" * 400, "1" * 5000, "0x" + "f" * 5000, "2001-99-99",
            "2001-01-01", "!!int x", "!!float x", "!!bool x", "!!binary x", "!!set {a}", "!!omap [a: 1]",
            "!!timestamp x", "!!python/object/apply:os.abort []", "!!python/name:os.abort", '"\\ud800"', '"\\0"',
            "[" * 300 + "]" * 300, "[" * 5000, "\0", "\x85", "$(true)"]  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn, good: bytes) -> bytes:
    """Bytes of which some pieces are others."""
    content = bytearray(good)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(content)))
        content[start : start + draw(st.integers(0, 40))] = draw(st.sampled_from(BITS) | st.binary(max_size=10))
    return bytes(content)


@st.composite
def other_tables(draw: st.DrawFn, good: str) -> bytes:
    """A table of which cells, rows and columns are others, more or fewer."""
    rows = [line.split(",") for line in good.splitlines()]
    for _ in range(draw(st.integers(1, 4))):
        row = draw(st.integers(0, len(rows) - 1))
        column = draw(st.integers(0, len(rows[row])))
        match draw(st.sampled_from(["cell", "cell", "cell", "longer", "shorter", "again", "gone", "column"])):
            case "cell":
                numbers = st.floats().map(repr) | st.integers().map(str)
                rows[row][column : column + 1] = [draw(st.sampled_from(CELLS) | numbers | st.text(max_size=5))]
            case "longer":
                rows[row].insert(column, "1")
            case "shorter":
                del rows[row][column:]
            case "again":
                rows.insert(row, list(rows[row]))
            case "gone" if len(rows) > 1:
                del rows[row]
            case "column":
                for cells in rows:
                    del cells[column : column + 1]
    separator = draw(st.sampled_from([","] * 8 + [";", "\t"]))
    text = draw(st.sampled_from(["\n", "\r\n", "\r"])).join(separator.join(cells) for cells in rows)
    before = draw(st.sampled_from([""] * 8 + ["# a comment\n", f"sep={separator}\n"]))
    encoding = draw(st.sampled_from(["utf-8"] * 9 + ["utf-16", "utf-8-sig"]))
    return (before + text).encode(encoding, "surrogatepass")


BOXES = (
    "recording_id,species_id,songtype_id,t_min,f_min,t_max,f_max,site\na,0,1,0.5,100,2,200,hill\nb,2,1,1,50,3,60,dale\n"
)
SCORES = "recording_id,s0,s1,s2\na,0.5,0,1\nb,0.25,1e-9,0\n"
TRUTH = "recording_id,s0,s1,s2\na,0,0,1\nb,1,0,0\n"
RECORDINGS = (
    "recording_id,file,split,group,start,seconds,sample_rate,channels,usable,problem,peak,rms,digest\n"
    "a,train/a.flac,train,hill,,1.5,48000,1,1,,0.5,0.1,ff\nsite/b,test/site/b.wav,test,,,0.0,0,0,0,unreadable: x,0,0,\n"
)
ANNOTATIONS = "recording_id,species,t_min,t_max,f_min,f_max,label\na,s0,0.5,2,100,200,present\nb,s2,1,3,,,absent\n"
COMPLETE = "recording_id,species\na,s0\nb,\na,s2\n"
GROUND_TRUTH = "recording_id,s0,s1,s2\na,0,,1\nb,1,0,\n"
FOLDS = "recording_id,fold\na,0\nb,1\nb,-1\n"
SPECIES = "species,scientific_name,common_name\ns0,Turdus merula,\ns1,,\ns2,,x\n"
SCORED_BOXES = "recording_id,species_id,t_min,t_max,is_tp,score\na,0,0.5,2,1,0.75\nb,2,1,3,0,0.25\n"
PREVALENCE = "species,prevalence\ns0,0.5\ns2,0.25\ns1,0.125\n"


def boxes_are_possible(path: Path) -> None:
    table = rfcx.read_boxes(path, "present", ["s0", "s1", "s2"], group="site")
    assert table.recording_id.map(bool).all()
    assert table.site.map(bool).all()
    assert table.species.isin(["s0", "s1", "s2"]).all()
    assert np.isfinite(table[["t_min", "f_min", "t_max", "f_max"]]).all(axis=None)
    assert (table.t_min >= 0).all()
    assert (table.t_min < table.t_max).all()
    assert (table.f_min <= table.f_max).all()


def scores_are_numbers(path: Path) -> None:
    table = read_scores(path)
    assert table.shape[1]
    assert not table.index.has_duplicates
    assert table.index.map(bool).all()
    assert np.isfinite(table).all(axis=None)


def predictions_are_numbers(path: Path) -> None:
    table = read_scores(path, ["s0", "s1", "s2"])
    assert table.shape[1] == 3
    assert np.isfinite(table).all(axis=None)


def truth_is_0_or_1(path: Path) -> None:
    table = read_truth(path, ["s0", "s1", "s2"], ["b", "a"])
    assert list(table.index) == ["b", "a"]
    assert table.isin([0, 1]).all(axis=None)


def scored_boxes_are_numbers(path: Path) -> None:
    table = read_boxes(path)
    assert not table.index.has_duplicates
    assert np.isfinite(table.reset_index().drop(columns="recording_id").astype(float)).all(axis=None)


def prevalence_is_possible(path: Path) -> None:
    prevalence = read_prevalence(path, ["s0", "s1", "s2"])
    assert len(prevalence) == 3
    assert ((prevalence > 0) & (prevalence < 1)).all()


def recordings_are_files(path: Path) -> None:
    table = read_recordings(path)
    assert not table.reset_index().duplicated(["split", "recording_id"]).any()
    for name in [*table.index, *table.file]:
        assert (path.parent / name).resolve().is_relative_to(path.parent.resolve())
    assert table.usable.dtype == bool
    assert np.isfinite(table.seconds).all()


def annotations_are_possible(path: Path) -> None:
    table = read_annotations(path, ["s0", "s1", "s2"])
    assert table.species_id.isin([0, 1, 2]).all()
    assert table.is_tp.dtype == bool
    assert np.isfinite(table[["t_min", "t_max"]]).all(axis=None)
    assert not table.isna().any(axis=None)


def folds_are_numbers(path: Path) -> None:
    folds = read_folds(path)
    assert folds.dtype == int
    assert (folds >= -1).all()
    assert folds.index.map(bool).all()


def species_are_named_once(path: Path) -> None:
    species = read_species(path)
    assert all(species)
    assert len(set(species)) == len(species)


def completeness_is_of_known_species(path: Path) -> None:
    complete = read_complete(path, ["s0", "s1", "s2"])
    assert not complete.recordings.has_duplicates
    assert complete.species.shape == (len(complete.recordings), 3)
    assert complete.species.any(axis=1).all()
    assert complete.of(list(complete.recordings)).tolist() == complete.species.tolist()


def ground_truth_is_known_or_not(path: Path) -> None:
    table = read_ground_truth(path, ["s0", "s1", "s2"])
    truth = GroundTruth.of_truth(table)
    assert truth.truth.shape == truth.mask.shape == (len(truth.recording_ids), 3)
    assert not (truth.truth & ~truth.mask).any()


TABLES: dict[str, tuple[str, Callable[[Path], None]]] = {
    "train_tp.csv": (BOXES, boxes_are_possible),
    "sample_submission.csv": (SCORES, scores_are_numbers),
    "predictions.csv": (SCORES, predictions_are_numbers),
    "truth_test.csv": (TRUTH, truth_is_0_or_1),
    "boxes.csv": (SCORED_BOXES, scored_boxes_are_numbers),
    "prevalence.csv": (PREVALENCE, prevalence_is_possible),
    "recordings.csv": (RECORDINGS, recordings_are_files),
    "folds.csv": (FOLDS, folds_are_numbers),
    "species.csv": (SPECIES, species_are_named_once),
    "annotations.csv": (ANNOTATIONS, annotations_are_possible),
    "complete.csv": (COMPLETE, completeness_is_of_known_species),
    "ground_truth.csv": (GROUND_TRUTH, ground_truth_is_known_or_not),
}


def read_or_refuse(read: Callable[[Path], object], path: Path, content: bytes) -> None:
    """A result that `read` finds good, or an error that names the file."""
    path.write_bytes(content)
    try:
        read(path)
    except InputError as error:
        message = str(error)
    else:
        return
    assert str(path) in message
    assert len(message) < 20_000
    # What libraries say helps nobody.
    assert path.suffix != ".csv" or not re.search("codec|tokenizing|Unnamed: |C error|NaN to int", message)


@pytest.mark.parametrize("name", TABLES)
def test_tables(tmp_path: Path, name: str) -> None:
    good, read = TABLES[name]
    path = tmp_path / name
    path.write_text(good)
    read(path)

    @repeatable
    @given(damaged(good.encode()) | other_tables(good) | st.binary(max_size=60))
    def check(content: bytes) -> None:
        read_or_refuse(read, path, content)

    check()


PARAMS = (ROOT / "params.yaml").read_text()
LINES = PARAMS.splitlines()


@st.composite
def other_lines(draw: st.DrawFn) -> bytes:
    """The committed parameters, of which some values and keys are YAML's rarer things."""
    lines = list(LINES)
    for _ in range(draw(st.integers(1, 3))):
        row = draw(st.integers(0, len(lines) - 1))
        key, colon, value = lines[row].partition(":")
        snippet = draw(st.sampled_from(SNIPPETS) | st.text(max_size=8))
        match draw(st.sampled_from(["value", "value", "value", "key", "line", "again", "indent"])):
            case "value":
                lines[row] = f"{key}{colon} {snippet}"
            case "key":
                lines[row] = f"{snippet}{colon}{value}"
            case "line":
                lines.insert(row, snippet)
            case "again":
                lines.insert(row, lines[row])
            case "indent":
                lines[row] = "  " + lines[row]
    return "\n".join(lines).encode("utf-8", "surrogatepass")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.integers(10**300, 10**310) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def other_values(draw: st.DrawFn) -> bytes:
    """The committed parameters, of which some keys have values of any type and size."""
    yaml = YAML(typ="safe", pure=True)
    content = yaml.load(PARAMS)
    for _ in range(draw(st.integers(1, 3))):
        section = draw(st.sampled_from(sorted(content)))
        holder: Any = content
        if isinstance(content[section], dict) and content[section] and draw(st.booleans()):
            holder, section = content[section], draw(st.sampled_from(sorted(content[section], key=str)))
        holder[section] = draw(VALUES)
    text = StringIO()
    yaml.dump(content, text)
    return text.getvalue().encode("utf-8", "surrogatepass")


def params_are_finite(path: Path) -> None:
    params = load_params(path)
    assert Params.model_validate(params.model_dump()) == params
    for values in params.model_dump().values():
        for value in values.values() if isinstance(values, dict) else [values]:
            assert not isinstance(value, int | float) or abs(value) <= 2**32


LAUGHS = "a0: &a0 [x, x]\n" + "".join(f"a{row}: &a{row} [{', '.join([f'*a{row - 1}'] * 10)}]\n" for row in range(1, 20))
MERGES = "a0: &a0 {x: 1}\n" + "".join(
    f"a{row}: &a{row} {{<<: [{', '.join([f'*a{row - 1}'] * 10)}]}}\n" for row in range(1, 20)
)


@repeatable
@given(damaged(PARAMS.encode()) | other_lines() | other_values() | st.binary(max_size=60))
@example(LAUGHS.encode())
@example(MERGES.encode())
@example(b"a: " + b"[" * 20_000)
@example(b"&a {data: *a, seed: *a}")
def test_parameters(tmp_path: Path, content: bytes) -> None:
    read_or_refuse(params_are_finite, tmp_path / "params.yaml", content)


METRICS = (
    '{"oof": {"ensemble": {"lwlrap": 0.5, "lwlrap_low": 0.25, "lwlrap_high": 0.75}}, '
    '"complete": {"ensemble": {"recordings": 9, "macro_average_precision": 0.5}}, "rare_species": ["s0", "s1"], '
    '"skipped": {"recordings": 1, "tp_rows": 2, "fp_rows": 3}}'
)


@repeatable
@given(damaged(METRICS.encode()) | st.binary(max_size=60))
def test_metrics(tmp_path: Path, content: bytes) -> None:
    read_or_refuse(read_as_text, tmp_path / "figures.json", content)


@st.composite
def damaged_spectrograms(draw: st.DrawFn, good: bytes) -> bytes:
    """A spectrogram's file, damaged mostly in the heading."""
    size = draw(st.sampled_from([len(good), 200]))
    return draw(damaged(good[:size])) + good[size:]


def test_spectrograms(tmp_path: Path) -> None:
    write_features(tmp_path, "a", [np.full((20, 8), -50, np.float32)])
    path = tmp_path / "a.npy"
    good = path.read_bytes()

    def read(path: Path) -> None:
        spectrograms, window = FeatureStore(tmp_path), np.empty((30, 8), np.int16)
        assert spectrograms.frames("a") > 0
        spectrograms.read("a", 0, window)

    read(path)

    @repeatable
    @given(damaged_spectrograms(good) | st.binary(max_size=200))
    def check(content: bytes) -> None:
        # A mapped file must not be cut under its reader.
        path.unlink()
        read_or_refuse(read, path, content)

    check()


@pytest.mark.parametrize("kind", KINDS)
def test_recordings(tmp_path: Path, kind: str) -> None:
    with (tmp_path / "stderr").open("w") as log:
        done = subprocess.run(
            [sys.executable, "tests/fuzzed_audio.py", kind, str(AUDIO_CASES), str(tmp_path)],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True, timeout=HANGS_AFTER_S,
        )  # fmt: skip
    assert done.returncode == 0, f"case {(tmp_path / 'case').read_text()}: {(tmp_path / 'stderr').read_text()[-3000:]}"
    outcomes = json.loads(done.stdout)
    assert sum(outcomes.values()) == AUDIO_CASES
    assert outcomes["usable"] > 0
    assert outcomes["unreadable"] > 0
