"""Labels in many files, as annotation programs write them, and the data set that they make with the recordings."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from dawnchorus.audio.file_checks import stated_seconds
from dawnchorus.data.annotations import COLUMNS
from dawnchorus.data.cumulative_times import starts_of
from dawnchorus.data.dataset import Dataset
from dawnchorus.data.groups import merged_spellings
from dawnchorus.data.label_matching import RecordingIndex
from dawnchorus.data.recordings import SUFFIXES, files_below, list_recordings
from dawnchorus.data.repeats import without_repeats
from dawnchorus.data.species import NOT_RESERVED, RESERVED
from dawnchorus.data.tables import refuse_rows
from dawnchorus.errors import InputError

# What BirdNET-Analyzer writes in place of a species where it has found none.
NO_CALL = "nocall"


@dataclass(frozen=True)
class LabelFile:
    """The labels of one file.

    Attributes:
        path: the file.
        rows: one row per label, indexed by the number of its line, or by a text that names its place in a file without
            lines; a place may have several labels. The columns are species, label, t_min, t_max (s), f_min, f_max (Hz;
            NaN if not given) and annotator (who gave the label; "" if the file does not tell).
        recordings: the name or path of each row's recording as it is written, with the same index; None if the name of
            the file tells.
        n_rows: number of rows in the file.
        dropped: the number of rows that were left out, by the reason.
        is_cumulative: whether times count from the start of the first of several recordings, which are unknown.
        confidence: how sure a program is of each label, with the same index; None if people gave the labels.
        complete: the rows that say whether their recording is annotated completely, indexed by the numbers of their
            lines: recording, as it is written, and is_complete.
    """

    path: Path
    rows: pd.DataFrame
    recordings: pd.Series | None
    n_rows: int
    dropped: dict[str, int]
    is_cumulative: bool = False
    confidence: pd.Series | None = None
    complete: pd.DataFrame = field(default_factory=lambda: pd.DataFrame({"recording": [], "is_complete": []}))


def list_files(
    root: Path, clips: Collection[Path] = (), is_split: bool = True
) -> tuple[dict[str, dict[str, Path]], list[str]]:
    """Find the recordings of a data set: those in `train/` and `test/`, or all if there is no `train/`.

    Args:
        root: the data set's folder.
        clips: audio files that are no recordings, but cut from some.
        is_split: whether these folders have a meaning; if not, all recordings in `root` are training recordings.

    Returns:
        The files by split and recording_id, and remarks.

    Raises:
        InputError: as in `list_recordings`.
    """
    if not root.is_dir():
        raise InputError(f"{root}: is missing or no folder; expected a folder with recordings and their labels")
    if not is_split or not (root / "train").is_dir():
        if is_split and (root / "test").is_dir():
            raise InputError(
                f"{root}: has a folder test, but none train; move the recordings to train on into {root / 'train'}"
            )
        train, said = list_recordings(root, clips=clips)
        return {"train": train, "test": {}}, said
    train, said = list_recordings(root / "train", clips=clips)
    test, more = list_recordings(root / "test", may_be_empty=True, clips=clips)
    used = {*train.values(), *test.values(), *clips}
    others = [path for path in files_below(root) if path.suffix.lower() in SUFFIXES and path not in used]
    if others:
        more.append(f"{len(others)} recordings outside train and test are not used, for example {others[0]}")
    return {"train": train, "test": test}, said + more


def dataset_of(
    root: Path, files: dict[str, dict[str, Path]], labels: Iterable[LabelFile], remarks: list[str], more: Path | None
) -> Dataset:
    """Join labels with their recordings.

    Args:
        root: the data set's folder.
        files: the audio files by split and recording_id.
        labels: the label files.
        remarks: those made so far.
        more: the other folder with label files, if there is one.

    Raises:
        InputError: a label has no recording, or there are no labels.
    """
    names = {path: (split, name) for split, by_id in files.items() for name, path in by_id.items()}
    index = RecordingIndex(list(names), root)
    dropped: defaultdict[str, int] = defaultdict(int)
    tables, complete, n_files, n_rows = [], [], 0, 0
    for one in labels:
        n_files, n_rows = n_files + 1, n_rows + one.n_rows
        folder = more if more is not None and one.path.is_relative_to(more) else root
        if len(one.complete):
            meant = index.match_paths(one.path, one.complete.recording)
            complete += [(*names[meant[line]], said, one.path, line) for line, said in one.complete.is_complete.items()]
        # A column without rows may be of another type.
        rows = one.rows.astype({"species": str}).assign(
            table=one.path.relative_to(root if folder == root else folder.parent).as_posix(),
            line=one.rows.index,
            confidence=np.nan if one.confidence is None else one.confidence.to_numpy(),
        )
        for reason, count in one.dropped.items():
            dropped[reason] += count
        is_empty, says_none = rows.species == "", rows.species.str.casefold() == NO_CALL
        dropped["rows without a species"] += int(is_empty.sum())
        dropped[f"rows that say {NO_CALL}"] += int(says_none.sum())
        is_named = ~is_empty & ~says_none
        rows = rows[is_named]
        if rows.empty:
            continue
        refuse_rows(one.path, rows, "species", rows.species.str.fullmatch(RESERVED), NOT_RESERVED, "rename the species")
        if one.recordings is None:
            recording = pd.Series([index.match_name(one.path, folder)] * len(rows), rows.index)
        else:
            recording = index.match_paths(one.path, one.recordings[is_named])
        if one.is_cumulative:
            start = starts_of(recording, rows.t_min, rows.t_max, list(names), stated_seconds)
            if start is None:
                raise InputError(
                    f"{one.path}: times do not tell where labels are in their recordings; add the measurement File "
                    "Offset (s) in Raven, and save the table again"
                )
            rows = rows.assign(t_min=(rows.t_min - start).clip(lower=0), t_max=rows.t_max - start)
        splits, recording_ids = zip(*(names[path] for path in recording), strict=True)
        tables.append(rows.assign(split=splits, recording_id=recording_ids))
    if not tables:
        why = "; ".join(f"{count} {reason}" for reason, count in dropped.items() if count) or "they have no rows"
        raise InputError(f"{root}: {n_files} label files contain no label that can be used: {why}")
    every = pd.concat(tables, ignore_index=True)
    is_test = every.split == "test"
    annotations = every[~is_test].reset_index(drop=True)
    if annotations.empty:
        raise InputError(f"{root}: all labels are about test recordings; expected some about training recordings")
    is_program = every.confidence.notna()
    tested = every.loc[is_test & ~is_program, [*COLUMNS, "annotator", "table", "line"]].reset_index(drop=True)
    dropped["labels of test recordings by a program, which are no ground truth"] += int((is_test & is_program).sum())
    annotations, n_unverified, unverified = _verified(annotations)
    dropped["labels of a program, which nobody has verified, beside labels that somebody has"] += n_unverified
    annotations, said = without_repeats(annotations[[*COLUMNS, "annotator", "table", "line"]])
    without = len(files["train"]) - annotations.recording_id.nunique()
    remarks = [
        *remarks,
        f"{n_rows} rows in {n_files} label files, {len(annotations)} labels of {annotations.species.nunique()} species "
        f"in {annotations.recording_id.nunique()} recordings; {without} training recordings have no label",
        *(f"left out: {count} {reason}" for reason, count in dropped.items() if count),
        *unverified,
        *said,
        *_near_misses(annotations.species),
    ]
    species = sorted(set(annotations.species))
    truth = pd.DataFrame(columns=species, index=pd.Index([], name="recording_id"))
    return Dataset(
        root, files, annotations, species, pd.Series(dtype=str), truth, {}, remarks, more, tested,
        _complete_recordings(complete),
    )  # fmt: skip


def _complete_recordings(rows: list[tuple[str, str, bool, Path, int]]) -> pd.DataFrame:
    """The table `Dataset.complete`, from rows that say whether a recording is: split, name, yes or no, file, line.

    Raises:
        InputError: rows of one recording disagree.
    """
    first: dict[tuple[str, str], tuple[bool, Path, int]] = {}
    for split, name, is_complete, path, line in rows:
        before, other, its_line = first.setdefault((split, name), (is_complete, path, line))
        if before != is_complete:
            raise InputError(
                f"{path}: line {line}: says that {name} is {'' if is_complete else 'not '}annotated completely, and "
                f"{other} line {its_line} says the opposite; correct one of them"
            )
    found = [(split, name, "") for (split, name), (is_complete, *_) in first.items() if is_complete]
    return pd.DataFrame(found, columns=["split", "recording_id", "species"])


def _verified(annotations: pd.DataFrame) -> tuple[pd.DataFrame, int, list[str]]:
    """Leave out a program's labels if people gave others.

    Returns:
        The annotations, the number of those left out, and a remark if all are a program's.
    """
    is_unverified = annotations.confidence.notna()
    if not is_unverified.all():
        return annotations[~is_unverified].reset_index(drop=True), int(is_unverified.sum()), []
    low, high = annotations.confidence.min(), annotations.confidence.max()
    remark = (
        f"all {len(annotations)} labels are a program's, of confidence {low:g} to {high:g}, and nobody has verified "
        "them; a model trained on them learns its mistakes, too"
    )
    return annotations, 0, [remark]


def _near_misses(species: pd.Series) -> list[str]:
    """Remarks about species whose names differ only in upper and lower case or in spaces."""
    counts = species.value_counts()
    spellings = pd.Series(merged_spellings(counts.index))
    return [
        "species "
        + " and ".join(f"{name!r} ({counts[name]} labels)" for name in names)
        + " count as different species; write them alike if they are one"
        for names in spellings.groupby(spellings, sort=False).groups.values()
        if len(names) > 1
    ]
