"""Which recordings the ids in a table of the user's mean, and why one may have no file."""

import os
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import pandas as pd

from dawnchorus.data.recordings import OTHER_SUFFIXES, SUFFIXES, conversion, files_below
from dawnchorus.data.tables import refuse_rows

MOST_SHOWN = 3
# Where a larger share of a table's rows has no recording, the recordings are more likely to be wrong than the rows.
MOST_ROWS = 0.5


def match_recordings(
    path: Path, names: pd.Series, files: dict[str, dict[str, Path]], split: str, root: Path
) -> tuple[pd.Series, list[str]]:
    """Find the recordings that the rows of a table mean.

    A name that no recording has stands for the only one whose name differs in a suffix, in its Unicode form, in spaces
    around it, in backslashes, or in the folder of the split before it.

    Args:
        path: of the table.
        names: the name of the recording in each row, indexed by the number of the row's line.
        files: the audio files by split and recording_id.
        split: that the table is about.
        root: the data set's folder.

    Returns:
        The recording_id of each row, and remarks about names that are not exactly those of their recordings.

    Raises:
        InputError: a recording has no file; the message has the line, the name, and the reason if there is one.
    """
    unknown = names[~names.isin(list(files[split]))]
    if unknown.empty:
        return names, []
    candidates = _candidates(unknown, files[split], split)
    matched = {name: found[0] for name, found in candidates.items() if len(found) == 1}
    without = ~unknown.isin(list(matched))
    if without.any():
        first, n_without = unknown[without].iloc[0], int(without.sum())
        remedy = _reason(first, candidates[first], files, split, root) or "correct or remove the row"
        if n_without > MOST_ROWS * len(names) and n_without > 1:
            remedy += (
                f"; {n_without} of {len(names)} rows have no file, so first make sure that all recordings are there, "
                "and that data.root names their folder"
            )
        refuse_rows(
            path, unknown.to_frame("recording_id"), "recording_id", without, f"a recording that has a file in "
            f"{_folder(root, split)}", remedy,
        )  # fmt: skip
    meant = unknown.map(matched)
    whys = pd.Series([_difference(*pair) for pair in zip(unknown, meant, strict=True)], unknown.index)
    remarks = []
    for why, rows in whys.groupby(whys, sort=False):
        line = rows.index[0]
        more = f" ({len(rows) - 1} more rows like this)" if len(rows) > 1 else ""
        remarks.append(f"{path.name} line {line}: {unknown[line]!r} is read as {meant[line]!r}, {why}{more}")
    return names.where(names.isin(list(files[split])), meant.reindex(names.index)), remarks


def match_recordings_of_any_split(
    path: Path, names: pd.Series, files: dict[str, dict[str, Path]], root: Path
) -> tuple[pd.DataFrame, list[str]]:
    """Find the recordings that the rows of a table mean, which may be training and test recordings.

    The arguments and errors are those of `match_recordings`. It is also an error if a name may mean a recording of
    either split; "train/" or "test/" before it then chooses.

    Returns:
        The columns split and recording_id, with the index of `names`, and remarks as from `match_recordings`.
    """
    found = {split: _candidates(names, by_id, split) for split, by_id in files.items()}
    is_in = {split: names.map(lambda name, by_name=by_name: bool(by_name[name])) for split, by_name in found.items()}
    is_ambiguous = is_in["train"] & is_in["test"]
    refuse_rows(
        path, names.to_frame("recording_id"), "recording_id", is_ambiguous, "one recording, not one in train and one "
        "in test", "write train/ or test/ before it",
    )  # fmt: skip
    split = is_in["test"].map({True: "test", False: "train"})
    meant, remarks = [], []
    for one in files:
        ids, said = match_recordings(path, names[split == one], files, one, root)
        meant.append(ids)
        remarks += said
    return pd.DataFrame({"split": split, "recording_id": pd.concat(meant).reindex(names.index)}), remarks


def _candidates(names: pd.Series, recordings: Iterable[str], split: str) -> dict[str, list[str]]:
    """The recordings of a split that each name may mean, sorted."""
    by_form = defaultdict(list)
    for recording_id in recordings:
        by_form[_composed(recording_id)].append(recording_id)
    return {
        name: sorted({recording_id for form in _forms(name, split) for recording_id in by_form.get(form, [])})
        for name in names.unique()
    }


def _folder(root: Path, split: str) -> Path:
    """The folder of a split's recordings: the data set's own if it has no folder train."""
    return root / split if (root / "train").is_dir() else root


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _forms(name: str, split: str) -> list[str]:
    """What a name may mean, each in composed Unicode."""
    plain = _composed(name).strip().replace("\\", "/").removeprefix("./")
    stem, _, suffix = plain.rpartition(".")
    forms = [plain, stem] if f".{suffix.lower()}" in (*SUFFIXES, *OTHER_SUFFIXES) else [plain]
    return [*forms, *(form.removeprefix(f"{split}/") for form in forms)]


def _difference(name: str, recording_id: str) -> str:
    """How a name differs from the recording that it means."""
    if _composed(name) == _composed(recording_id):
        return "which is the same in another Unicode form"
    if _composed(name).rpartition(".")[0] == _composed(recording_id):
        return "without the suffix"
    return "the only recording with such a name"


def _reason(name: str, candidates: list[str], files: dict[str, dict[str, Path]], split: str, root: Path) -> str:
    """Why a name means no recording, and what to do; empty if that is unknown."""
    forms = {form.casefold() for form in _forms(name, split)}
    lasts = {PurePosixPath(form).name for form in forms}
    recordings = files[split]
    if candidates:
        return f"several recordings may be meant; {_choice(candidates)}"
    if other_case := [one for one in recordings if _composed(one).casefold() in forms]:
        return f"upper and lower case differ; {_choice(other_case)}"
    if elsewhere := [one for one in recordings if PurePosixPath(_composed(one).casefold()).name in lasts]:
        return f"a recording of that name lies in another folder; {_choice(elsewhere)}"
    shortened = {form.lstrip("0") for form in forms if form.isdigit()}
    if zeros := [one for one in recordings if one.isdigit() and one.lstrip("0") in shortened]:
        return f"leading zeros are missing or too many; {_choice(zeros)}"
    own = _folder(root, split)
    for folder in (own / name).parents:
        if os.path.islink(folder) and not folder.exists():
            return f"{folder} is a link to {folder.readlink()}, which does not exist; put the recordings there"
    for path in files_below(own):
        form = _composed(path.relative_to(own).as_posix()).casefold()
        if form not in forms and form.rpartition(".")[0] not in forms:
            continue
        if path.suffix.lower() in OTHER_SUFFIXES:
            return f"{path} is in a format that is not read; {conversion(path)}"
        return f"the file {path} has none of the suffixes {', '.join(SUFFIXES)}; rename it if it holds sound"
    for other, by_id in files.items():
        if other != split and name in by_id:
            return f"the recording is in {root / other}, and this table is about {split}/"
    return ""


def _choice(recording_ids: list[str]) -> str:
    more = ", ..." if len(recording_ids) > MOST_SHOWN else ""
    return f"write {' or '.join(repr(one) for one in recording_ids[:MOST_SHOWN])}{more}"
