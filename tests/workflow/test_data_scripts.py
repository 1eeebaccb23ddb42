"""The scripts that read data (ingest, split_folds, cache_spectrograms), on unusual and on bad data."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from ruamel.yaml import YAML
from tiny import ROOT

HEADING = "recording_id,species_id,songtype_id,t_min,f_min,t_max,f_max\n"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A small, valid data set with four annotated recordings."""
    folder = tmp_path / "data"
    for split, names in (("train", "abcd"), ("test", "t")):
        (folder / split).mkdir(parents=True)
        for name in names:
            soundfile.write(folder / split / f"{name}.wav", [0.01 * (1 + ord(name) % 7)] * 4800, 48_000)
    (folder / "sample_submission.csv").write_text("recording_id,s0,s1\nt,0.5,0.5\n")
    (folder / "train_tp.csv").write_text(HEADING + "".join(f"{name},1,1,0,100,0.1,200\n" for name in "abcd"))
    (folder / "train_fp.csv").write_text(HEADING + "a,0,1,0,100,0.1,200\n")
    return folder


def run_script(name: str, *options: str, params: Path = ROOT / "params.yaml") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, f"workflow/scripts/{name}.py", "--params", str(params), *options],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": "src"}, capture_output=True, text=True,
    )  # fmt: skip


def ingest(data: Path, params: Path = ROOT / "params.yaml") -> subprocess.CompletedProcess[str]:
    outputs = data.parent / "outputs"
    tables = ("recordings", "annotations", "species", "ground-truth", "complete", "template")
    options = [word for name in tables for word in (f"--{name}", str(outputs / f"{name.replace('-', '_')}.csv"))]
    options += ["--remarks", str(outputs / "remarks.txt")]
    labels = data.parent / "labels"
    labels.mkdir(exist_ok=True)
    return run_script(
        "ingest", "--data", str(data), "--labels", str(labels), "--answers", str(data), *options, params=params
    )


def split_folds(data: Path, params: Path = ROOT / "params.yaml") -> subprocess.CompletedProcess[str]:
    outputs = data.parent / "outputs"
    options = [word for name in ("recordings", "annotations", "species", "complete", "folds")
               for word in (f"--{name}", str(outputs / f"{name}.csv"))]  # fmt: skip
    return run_script(
        "split_folds", *options, "--report", str(outputs / "report.csv"), "--fold-species",
        str(outputs / "fold_species.csv"), "--splits", str(outputs / "splits"), "--sounds", str(outputs / "sounds"),
        params=params,
    )  # fmt: skip


def recordings(data: Path) -> pd.DataFrame:
    return pd.read_csv(data.parent / "outputs/recordings.csv", index_col="recording_id", keep_default_na=False)


def test_valid_data_is_split(data: Path) -> None:
    for script in (ingest, split_folds):
        done = script(data)
        assert done.returncode == 0, done.stderr
    outputs = data.parent / "outputs"
    assert (outputs / "folds.csv").read_text().startswith("recording_id,fold\na,")
    assert (outputs / "report.csv").read_text().splitlines()[1].endswith(",0,0")
    assert "0 present boxes are never validated" in done.stderr


def test_new_names_of_sites_change_no_table_of_later_stages(data: Path, edited: Callable[[str, object], Path]) -> None:
    outputs = data.parent / "outputs"
    later, sites = [], []
    for pattern in (None, "(?P<site>.)"):
        params = edited("data.site_pattern", pattern)
        for script in (ingest, split_folds):
            done = script(data, params)
            assert done.returncode == 0, done.stderr
        sites.append(list(recordings(data).site))
        files = [outputs / "folds.csv", outputs / "annotations.csv", *sorted(outputs.glob("s*s/*.csv"))]
        assert len(files) == 7
        later.append([path.read_bytes() for path in files])
    assert sites == [[""] * 5, [*"abcd", "t"]]
    assert later[0] == later[1]


@pytest.mark.parametrize(
    ("table", "text", "names"),
    [
        (
            "train_tp.csv",
            "recording_id,species_id,t_min,f_min,f_max\na,1,0,1,2\n",
            ["line 1: has no column t_max", "to this line"],
        ),
        (
            "train_tp.csv",
            HEADING + "a,1,1,0,1,2,3\nz,1,1,0,1,2,3\n",
            ["line 3", "'z'", "a file in", "correct or remove"],
        ),
        ("train_fp.csv", HEADING + "a,1,1,5,1,2,3\n", ["line 2", "t_max", "after the row's t_min"]),
        ("train_fp.csv", HEADING + "a,2,1,0,1,2,3\n", ["line 2", "species_id", "found 2", "0 to 1"]),
        ("train_tp.csv", "", ["is empty"]),
        ("train_tp.csv", HEADING, ["no rows"]),
        ("truth_test.csv", "recording_id,s0,s1\nt,1,2\n", ["truth_test.csv", "line 2", "found 2, expected 0 or 1"]),
        ("sample_submission.csv", "recording_id,s0,s1\nt,0,0\nu,0,0\n", ["line 3", "'u'", "a file in"]),
        ("sample_submission.csv", "recording_id\nt\n", ["found the columns recording_id", "a column for each species"]),
    ],
)
def test_bad_tables_give_one_error(data: Path, table: str, text: str, names: list[str]) -> None:
    (data / table).write_text(text)
    done = ingest(data)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.splitlines()) == 1
    for name in names:
        assert name in done.stderr
    assert not (data.parent / "outputs").exists()


def test_too_few_recordings_for_the_folds_are_an_error(data: Path) -> None:
    (data / "train_tp.csv").write_text(HEADING + "a,1,1,0,100,0.1,200\n")
    assert ingest(data).returncode == 0
    done = split_folds(data)
    assert done.returncode == 1
    assert "fold 1 would have no TP rows" in done.stderr
    assert "shorten `folds`" in done.stderr
    assert not (data.parent / "outputs/folds.csv").exists()


def test_bad_recordings_stop_the_run_or_are_skipped(data: Path, edited: Callable[[str, object], Path]) -> None:
    (data / "train/b.wav").write_bytes(b"RIFF....")
    (data / "train_tp.csv").write_text((data / "train_tp.csv").read_text().replace("0.1,200", "0.5,200", 1))
    (data / "train_fp.csv").write_text(HEADING + "a,0,1,0.5,100,2,200\n")
    stopped = ingest(data)
    assert stopped.returncode == 1
    assert "Traceback" not in stopped.stderr
    for part in ("error: 2 recordings cannot be used", "set data.bad_audio in params.yaml to skip",
                 "train/b.wav: unreadable: ",
                 "train/a.wav: labels past the end: train_tp.csv line 2 and 1 more rows: t_max 0.5 s, "
                 "recording 0.10 s"):  # fmt: skip
        assert part in stopped.stderr
    outputs = data.parent / "outputs"
    assert not outputs.exists()

    params = edited("data.bad_audio", "skip")
    YAML().dump(YAML().load(params) | {"folds": [0, 1]}, params)
    assert ingest(data, params).returncode == 0
    assert list(recordings(data).usable[["a", "b", "c", "t"]]) == [0, 0, 1, 1]
    done = split_folds(data, params)
    assert done.returncode == 0, done.stderr
    assert set(pd.read_csv(outputs / "folds.csv").recording_id) == {"c", "d"}


def test_copies_of_a_recording_stay_in_one_fold(data: Path, edited: Callable[[str, object], Path]) -> None:
    params = edited("folds", [0, 1])
    soundfile.write(data / "train/c.wav", soundfile.read(data / "train/a.wav")[0], 48_000)
    soundfile.write(data / "train/d.wav", soundfile.read(data / "train/b.wav")[0], 48_000)
    assert ingest(data, params).returncode == 0
    assert split_folds(data, params).returncode == 0
    folds = pd.read_csv(data.parent / "outputs/folds.csv", index_col=0).fold
    assert folds["a"] == folds["c"] != folds["b"] == folds["d"]


def test_nobody_needs_false_positives(data: Path) -> None:
    for remove in (False, True):
        (data / "train_fp.csv").unlink() if remove else (data / "train_fp.csv").write_text(HEADING)
        for script in (ingest, split_folds):
            done = script(data)
            assert done.returncode == 0, done.stderr
    assert (pd.read_csv(data.parent / "outputs/fold_species.csv").fp_rows == 0).all()


def test_a_truth_of_skipped_recordings_alone_is_an_error(data: Path, edited: Callable[[str, object], Path]) -> None:
    soundfile.write(data / "test/u.wav", [0.1] * 4800, 48_000)
    (data / "test/t.wav").write_bytes(b"RIFF....")
    (data / "sample_submission.csv").write_text("recording_id,s0,s1\nt,0,0\nu,0,0\n")
    (data / "truth_test.csv").write_text("recording_id,s0,s1\nt,1,1\nu,0,0\n")
    done = ingest(data, edited("data.bad_audio", "skip"))
    assert done.returncode == 1
    assert "truth_test.csv: no species is present in any usable test recording" in done.stderr


def test_a_test_set_that_is_skipped_whole_is_an_error(data: Path, edited: Callable[[str, object], Path]) -> None:
    (data / "test/t.wav").write_bytes(b"RIFF....")
    done = ingest(data, edited("data.bad_audio", "skip"))
    assert done.returncode == 1
    assert "data/test: none of the recordings that are needed is usable" in done.stderr


def test_a_data_set_needs_no_test_recordings_and_no_template(data: Path) -> None:
    shutil.rmtree(data / "test")
    (data / "sample_submission.csv").unlink()
    for script in (ingest, split_folds):
        done = script(data)
        assert done.returncode == 0, done.stderr
    outputs = data.parent / "outputs"
    assert list(pd.read_csv(outputs / "species.csv").species) == ["s0", "s1"]
    assert (outputs / "ground_truth.csv").read_text() == "recording_id,s0,s1\n"
    assert (outputs / "template.csv").read_text() == "recording_id,listed_as\n"
    assert len(pd.read_csv(outputs / "splits/test.csv")) == 0


def test_folders_by_site_with_equal_file_names_and_species_by_code(data: Path) -> None:
    for site, old in (("hill", "a"), ("river/north", "b")):
        (data / "train" / site).mkdir(parents=True)
        (data / f"train/{old}.wav").rename(data / f"train/{site}/20240611_053000.WAV")
    (data / "sample_submission.csv").unlink()
    names = ["hill/20240611_053000", "river/north/20240611_053000", "c", "d"]
    heading = HEADING.replace("species_id", "species")
    (data / "train_tp.csv").write_text(heading + "".join(f"{name},BTNW,1,0,100,0.1,200\n" for name in names))
    (data / "train_fp.csv").write_text(heading + f"{names[0]},OVEN,1,0,100,0.1,200\n")
    for script in (ingest, split_folds):
        done = script(data)
        assert done.returncode == 0, done.stderr
    found = recordings(data)
    assert found.file["hill/20240611_053000"] == "train/hill/20240611_053000.WAV"
    assert list(pd.read_csv(data.parent / "outputs/species.csv").species) == ["BTNW", "OVEN"]
    folds = pd.read_csv(data.parent / "outputs/folds.csv", index_col=0).fold
    assert set(folds.index) == set(names)
    output = data.parent / "spectrograms"
    (data.parent / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    cached = cache(data, output)
    assert cached.returncode == 0, cached.stderr
    assert (output / "river/north/20240611_053000.npy").exists()


def test_the_truth_of_some_test_recordings_is_enough(data: Path) -> None:
    soundfile.write(data / "test/u.wav", [0.1] * 4800, 48_000)
    (data / "sample_submission.csv").unlink()
    (data / "truth_test.csv").write_text("recording_id,s0,s1\nu,1,0\n")
    assert ingest(data).returncode == 0
    assert (data.parent / "outputs/ground_truth.csv").read_text() == "recording_id,s0,s1\nu,1,0\n"
    (data / "truth_test.csv").write_text("recording_id,s0,s1\nu,1,0\nv,0,0\n")
    done = ingest(data)
    assert done.returncode == 1
    assert (
        "truth_test.csv: line 3, column recording_id: found 'v', expected a recording that has a file in" in done.stderr
    )


def cache(data: Path, output: Path) -> subprocess.CompletedProcess[str]:
    params = data.parent / "with_root.yaml"
    content = YAML().load(ROOT / "params.yaml")
    content["data"]["root"] = str(data)
    YAML().dump(content, params)
    table = data.parent / "outputs/sounds/train.csv"
    return run_script("cache_spectrograms", "--recordings", str(table), "--output", str(output), params=params)


def test_recordings_without_annotations_are_not_decoded_and_wait_for_pseudo_labels(
    data: Path, edited: Callable[[str, object], Path]
) -> None:
    soundfile.write(data / "train/e.wav", np.full(4800, np.nan), 48_000, subtype="FLOAT")
    # Only decoding would show that its samples are no numbers. A file without a header is no reason to stop.
    (data / "train/i.wav").write_bytes(b"RIFF....")
    shutil.copy(data / "train/a.wav", data / "train/f.wav")
    shutil.copy(data / "test/t.wav", data / "train/g.wav")
    soundfile.write(data / "train/h.wav", np.full(4800, 0.25), 48_000)
    single = edited("folds", [0, 1])
    for script in (ingest, split_folds):
        done = script(data, single)
        assert done.returncode == 0, done.stderr
    # A copy of a test recording is left out, and one of an annotated recording goes into its fold.
    sounds = data.parent / "outputs/sounds"
    unlabelled = pd.read_csv(sounds / "unlabelled.csv", index_col="recording_id").fold
    assert set(unlabelled.index) == {"e", "f", "h"}
    assert unlabelled["f"] == pd.read_csv(data.parent / "outputs/folds.csv", index_col=0).fold["a"]
    assert set(pd.read_csv(sounds / "train.csv").recording_id) == set("abcd")

    content = YAML().load(single)
    content["data"]["root"] = str(data)
    YAML().dump(content, data.parent / "with_root.yaml")

    def cache_unlabelled(last_round: str) -> tuple[str, list[str]]:
        output = data.parent / "spectrograms"
        done = run_script(
            "cache_unlabelled", "--recordings", str(sounds / "unlabelled.csv"), "--first-round", "first",
            "--last-round", last_round, "--output", str(output), params=data.parent / "with_root.yaml",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stderr, sorted(str(path.relative_to(output)) for path in output.rglob("*.npy"))

    said, cached = cache_unlabelled("first")
    assert cached == []
    assert "3 training recordings have no annotation and are not used" in said
    # When they are decoded at last, one that cannot be used is named, and the others are used.
    said, cached = cache_unlabelled("second")
    assert cached == sorted(f"{unlabelled[name]}/{name}.npy" for name in "fh")
    assert "1 unlabelled recordings are left out:" in said
    assert "train/e.wav: " in said


def test_complete_recordings_without_labels_are_training_recordings(
    data: Path, edited: Callable[[str, object], Path]
) -> None:
    params = edited("labels.complete", "lists/complete.csv")
    YAML().dump(YAML().load(params) | {"folds": [0, 1]}, params)
    for name in ("e", "f", "g", "i"):
        soundfile.write(data / f"train/{name}.wav", np.full(4800, 0.001 * ord(name)), 48_000)
    shutil.copy(data / "train/a.wav", data / "train/h.wav")
    (data / "lists").mkdir()
    (data / "lists/complete.csv").write_text("recording_id,species\na,\ne.wav,\nf,s1\ng,\nh,\n")
    done = ingest(data, params)
    assert done.returncode == 0, done.stderr
    outputs = data.parent / "outputs"
    assert (outputs / "complete.csv").read_text() == "recording_id,species\na,\ne,\nf,s1\ng,\nh,\n"
    said = "5 training recordings are annotated completely, 1 of them for some species only; 4 of them have no label"
    assert said in (outputs / "remarks.txt").read_text().splitlines()
    assert said in done.stderr.splitlines()
    # They are decoded; a recording that nobody has listened to is not.
    peaks = recordings(data).peak
    assert "" not in set(peaks[list("abcdefgh")])
    assert peaks["i"] == ""
    assert split_folds(data, params).returncode == 0
    folds = pd.read_csv(outputs / "folds.csv", index_col=0).fold
    assert set(folds.index) == set("abcdefgh")
    assert folds["a"] == folds["h"]
    # The three without labels and units of their own are spread evenly.
    assert abs((folds[list("efg")] == 0).sum() - (folds[list("efg")] == 1).sum()) == 1
    assert set(pd.read_csv(outputs / "splits/train.csv").recording_id) == set("abcdefgh")
    assert list(pd.read_csv(outputs / "sounds/unlabelled.csv").recording_id) == ["i"]

    # What training depends on does not change with a recording that nobody has listened to.
    kept = [outputs / name for name in ("complete.csv", "annotations.csv", "folds.csv", "splits/train.csv")]
    before = [path.read_bytes() for path in kept]
    soundfile.write(data / "train/j.wav", np.full(4800, 0.2), 48_000)
    for script in (ingest, split_folds):
        assert script(data, params).returncode == 0
    assert [path.read_bytes() for path in kept] == before

    (data / "train/g.wav").write_bytes(b"RIFF....")
    stopped = ingest(data, params)
    assert stopped.returncode == 1
    assert "train/g.wav: unreadable: " in stopped.stderr


def test_the_labels_of_complete_test_recordings_become_the_ground_truth(
    data: Path, edited: Callable[[str, object], Path]
) -> None:
    params = edited("data.format", "csv")
    for table in ("train_tp.csv", "train_fp.csv", "sample_submission.csv"):
        (data / table).unlink()
    heading = "recording,species,t_min,t_max\n"
    train = "".join(f"train/{name},{code},0,0.1\n" for name in "abc" for code in ("wren", "owl"))
    (data / "labels.csv").write_text(heading + train)
    content = YAML().load(params)
    content["labels"]["complete"] = "all"
    YAML().dump(content, params)
    done = ingest(data, params)
    assert done.returncode == 1
    assert "test recordings are annotated completely (labels.complete in params.yaml), but no label says" in done.stderr
    soundfile.write(data / "test/u.wav", [0.1] * 4800, 48_000)
    (data / "labels.csv").write_text(heading + train + "test/t,owl,0,0.1\n")
    done = ingest(data, params)
    assert done.returncode == 0, done.stderr
    outputs = data.parent / "outputs"
    assert (outputs / "ground_truth.csv").read_text() == "recording_id,owl,wren\nt,1,0\nu,0,0\n"
    # A label that ends behind its test recording is cut; one that begins there is a fault of the recording.
    (data / "labels.csv").write_text(heading + train + "test/t,owl,0,0.2\ntest/u,owl,7,8\n")
    done = ingest(data, params)
    assert done.returncode == 1
    assert "test/u.wav: labels past the end: labels.csv line 9: t_max 8 s, recording 0.10 s" in done.stderr
    assert "test/t.wav" not in done.stderr


def test_sparse_labels_without_a_verified_negative_are_remarked_upon(data: Path) -> None:
    assert ingest(data).returncode == 0
    assert "annotated completely" not in (data.parent / "outputs/remarks.txt").read_text()
    (data / "train_fp.csv").unlink()
    done = ingest(data)
    remark = (data.parent / "outputs/remarks.txt").read_text().splitlines()[-1]
    assert remark.startswith("no recording is annotated completely (labels.complete in params.yaml), and no label says")
    assert remark in done.stderr.splitlines()


def test_a_file_name_that_is_no_text_is_named(data: Path) -> None:
    (data / "train/a.wav").rename(data / "train" / os.fsdecode(b"caf\xe9.wav"))
    done = ingest(data)
    assert done.returncode == 1
    assert "the file name b'caf\\xe9.wav' is not UTF-8; rename it" in done.stderr


def test_a_column_of_ones_own_keeps_a_site_in_one_fold(data: Path, edited: Callable[[str, object], Path]) -> None:
    params = edited("split.group", "site")
    YAML().dump(YAML().load(params) | {"folds": [0, 1]}, params)
    done = ingest(data, params)
    assert "train_tp.csv: line 1: has no column site" in done.stderr
    heading = HEADING.replace("\n", ",site\n")
    rows = {"a": "hill", "b": "river", "c": "hill", "d": "river"}
    (data / "train_tp.csv").write_text(heading + "".join(f"{name},1,1,0,1,0.1,900,{at}\n" for name, at in rows.items()))
    (data / "train_fp.csv").write_text(heading + "a,0,1,0,1,0.1,900,river\n")
    done = ingest(data, params)
    assert done.returncode == 1
    assert "train_fp.csv: line 2, column site: found 'river', expected 'hill'" in done.stderr
    (data / "train_fp.csv").write_text(heading + "a,0,1,0,1,0.1,900,Hill \n")
    done = ingest(data, params)
    assert done.returncode == 0, done.stderr
    assert set(recordings(data).group) == {"hill", "river", ""}
    assert split_folds(data, params).returncode == 0
    folds = pd.read_csv(data.parent / "outputs/folds.csv", index_col=0).fold
    assert folds["a"] == folds["c"] != folds["b"] == folds["d"]


def test_what_is_read_differently_than_it_is_written_can_be_seen_again(
    data: Path, edited: Callable[[str, object], Path]
) -> None:
    params = edited("split.group", "site")
    YAML().dump(YAML().load(params) | {"folds": [0, 1]}, params)
    long, decomposed, composed = "x" * 251, "e\u0301te\u0301", "\u00e9t\u00e9"
    (data / "train/c.wav").rename(data / f"train/{decomposed}.wav")
    (data / "train/d.wav").rename(data / f"train/{long}.wav")
    (data / "train/._b.wav").write_bytes(b"\0\5\x16\7\0\2\0\0Mac OS X")
    (data / "train/e.m4a").touch()
    heading = HEADING.replace("\n", ";site\n").replace(",", ";")
    rows = ["a.wav;1;1;0;100;0,1;200;1", "b;1;1;0;100;0,1;200;2", f"{composed};1;1;0;100;0,1;200;1.0",
            f"{long};1;1;0;100;0,1;200;02", "a;1;1;0,0;100,0;0,10;200;1"]  # fmt: skip
    (data / "train_tp.csv").write_text("\n".join([heading.strip(), *rows]) + "\n")
    (data / "train_fp.csv").write_text(HEADING.replace("\n", ",site\n") + "b,1,1,0,100,0.1,200,2\n")
    (data / "sample_submission.csv").write_text(",recording_id,s0,s1\n0,t.wav,0.5,0.5\n")
    done = ingest(data, params)
    assert done.returncode == 0, done.stderr
    remarks = (data.parent / "outputs/remarks.txt").read_text().splitlines()
    assert remarks == [
        "train: some files are in formats that are not read: 1 .m4a; convert to FLAC: ffmpeg -i "
        f"{data}/train/e.m4a {data}/train/e.flac",
        "sample_submission.csv line 2: 't.wav' is read as 't', without the suffix",
        "train_tp.csv line 2: 'a.wav' is read as 'a', without the suffix",
        f"train_tp.csv line 4: {composed!r} is read as {decomposed!r}, which is the same in another Unicode form",
        "split.group site: '1', '1.0' are one group",
        "split.group site: '2', '02' are one group",
        "1 rows repeat an earlier row and count once: first train_tp.csv line 6 = train_tp.csv line 2",
        "1 boxes are both present and absent, and training takes them for present; first train_tp.csv line 3 and "
        "train_fp.csv line 2; correct one of the rows",
    ]
    said = done.stderr.splitlines()
    assert said[said.index(remarks[0]) :][: len(remarks)] == remarks
    outputs = data.parent / "outputs"
    annotations = pd.read_csv(outputs / "annotations.csv")
    assert list(annotations.recording_id) == ["a", "b", decomposed, long, "b"]
    assert list(annotations.t_max) == [0.1] * 5
    assert (outputs / "template.csv").read_text() == "recording_id,listed_as\nt,t.wav\n"
    done = split_folds(data, params)
    assert done.returncode == 0, done.stderr
    folds = pd.read_csv(outputs / "folds.csv", index_col=0).fold
    assert folds["a"] == folds[decomposed] != folds["b"] == folds[long]
    output = data.parent / "spectrograms"
    done = cache(data, output)
    assert done.returncode == 0, done.stderr
    assert sorted(path.stem for path in output.iterdir()) == sorted(["a", "b", decomposed, long])


def test_frequencies_in_khz_stop_the_run(data: Path) -> None:
    (data / "train_fp.csv").write_text(HEADING + "a,0,1,0,1.0,0.1,2.5\nb,0,1,0,1.0,0.1,4\n")
    done = ingest(data)
    assert done.returncode == 1
    assert "train_fp.csv: line 2, column f_max: found 2.5, expected a frequency in Hz (1 more rows" in done.stderr
    assert "multiply f_min and f_max by 1000" in done.stderr
    assert not (data.parent / "outputs").exists()


def test_the_rate_of_a_recording_that_is_skipped_does_not_count(
    data: Path, edited: Callable[[str, object], Path]
) -> None:
    soundfile.write(data / "train/b.wav", [0.1] * 100, 100)
    done = ingest(data, edited("data.bad_audio", "skip"))
    assert done.returncode == 0, done.stderr
    assert recordings(data).problem["b"].startswith("absurd rate: 100 Hz")


def test_a_recording_that_breaks_after_the_check_is_named_and_leaves_no_folder(data: Path) -> None:
    assert ingest(data).returncode == 0
    assert split_folds(data).returncode == 0
    (data / "train/b.wav").write_bytes(b"RIFF....")
    output = data.parent / "spectrograms"
    done = cache(data, output)
    assert done.returncode == 1
    assert "b.wav: cannot be decoded" in done.stderr
    assert "Traceback" not in done.stderr
    assert not output.exists()
    assert not list(data.parent.rglob(".writing*"))


def test_a_folder_that_cannot_be_written_is_named(data: Path) -> None:
    blocked = data.parent / "outputs"
    blocked.write_text("a file where a folder should be")
    done = ingest(data)
    assert done.returncode == 1
    assert "error: " in done.stderr
    assert str(blocked) in done.stderr
    assert "Traceback" not in done.stderr


def test_one_species_needs_to_be_absent_somewhere(data: Path, edited: Callable[[str, object], Path]) -> None:
    (data / "sample_submission.csv").unlink()
    (data / "train_fp.csv").unlink()
    done = ingest(data)
    assert done.returncode == 1
    assert "all labels say that s1 is present, and a model cannot learn from these alone" in done.stderr
    assert "Traceback" not in done.stderr
    # Complete recordings say where it is absent.
    (data / "complete.csv").write_text("recording_id\na\n")
    done = ingest(data, edited("labels.complete", "complete.csv"))
    assert done.returncode == 0, done.stderr
