"""What is in a folder of recordings and labels: a report for a person, which changes nothing."""

from collections import Counter
from io import StringIO
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from ruamel.yaml import YAML

from dawnchorus.audio.file_checks import Inspection
from dawnchorus.data.annotations import LABELS
from dawnchorus.data.dataset import Dataset
from dawnchorus.data.formats.label_files import list_files
from dawnchorus.data.formats.reading import FORMATS, count_label_files, read_dataset
from dawnchorus.data.ingest import check_labels, check_recordings
from dawnchorus.errors import InputError

# A rate of which the checks make no fault.
SAMPLE_RATE = 48_000
# Most birds and frogs call below, Hz.
USUAL_F_MAX = 12_000.0
MOST_SHOWN = 20


def survey(root: Path, window_seconds: float, n_folds: int, workers: int) -> str:
    """Report the recordings, problems, label formats and species in a folder, and the parameters that would use it.

    Args:
        root: the folder.
        window_seconds: length of a window, s.
        n_folds: number of folds that the recordings are to be split into.
        workers: number of processes.

    Raises:
        InputError: the folder is missing or has no recordings.
    """
    files = list_files(root)[0]
    name, dataset, label_lines = _read_labels(root, n_folds)
    plain = Dataset(root, files, _no_annotations(), [], pd.Series(dtype=str), pd.DataFrame(), {}, [])
    inspections = check_recordings(dataset or plain, SAMPLE_RATE, window_seconds, "mean", workers, decode_all=True)
    if dataset is not None:
        try:
            check_labels(dataset, inspections, cut=name != "rfcx")
        except InputError as error:
            label_lines += ["", f"They cannot be used: {error}"]
    every = {f"{split}/{name}" if files["test"] else name: one
             for split, by_id in inspections.items() for name, one in by_id.items()}  # fmt: skip
    lines = [*_describe_recordings(every), "", *label_lines]
    if dataset is not None:
        lines += ["", "Lines for params.yaml", *_parameters(root, name, dataset, every, n_folds)]
    return "\n".join(lines)


def _no_annotations() -> pd.DataFrame:
    return pd.DataFrame({"recording_id": [], "t_max": [], "f_max": [], "table": [], "line": []})


def _read_labels(root: Path, n_folds: int) -> tuple[str, Dataset | None, list[str]]:
    """The format in which the folder has most labels, the data set if it can be read, and lines about the labels."""
    found = count_label_files(root)
    if not found:
        return "", None, [f"Labels: no file of a known format ({', '.join(FORMATS)})"]
    lines = ["Labels: " + ", ".join(f"{count} files of the format {name}" for name, count in found.items())]
    datasets, errors = {}, []
    for name in found:
        try:
            datasets[name] = read_dataset(root, name, {}, None)
        except InputError as error:
            errors.append(f"They cannot be read as {name}: {error}")
    if not datasets:
        return "", None, [*lines, *errors]
    name = max(datasets, key=lambda each: len(datasets[each].annotations))
    dataset = datasets[name]
    lines += [
        f"They can also be read as {other}: {len(one.annotations)} labels, {(one.annotations.label == 'absent').sum()} "
        "of them absent"
        for other, one in datasets.items()
        if other != name
    ]
    return name, dataset, [*lines, *errors, *dataset.remarks, "", *_describe_species(dataset.annotations, n_folds)]


def _describe_recordings(inspections: dict[str, Inspection]) -> list[str]:
    table = pd.DataFrame(
        {
            "folder": [PurePosixPath(name).parent.as_posix() for name in inspections],
            "hours": [one.seconds / 3600 for one in inspections.values()],
            "rate": [one.rate for one in inspections.values()],
            "channels": [one.channels for one in inspections.values()],
            "unusable": [bool(one.faults) for one in inspections.values()],
        }
    )
    readable = table[table.rate > 0]
    rows = pd.DataFrame(
        {
            "recordings": table.groupby("folder").size(),
            "hours": table.groupby("folder").hours.sum().round(2),
            "unusable": table.groupby("folder").unusable.sum(),
            "rates (Hz)": readable.groupby("folder").rate.unique().map(_listed),
            "channels": readable.groupby("folder").channels.unique().map(_listed),
        }
    ).fillna("")
    lines = [f"Recordings: {len(table)} in {len(rows)} folders, {table.hours.sum():.1f} h", rows.to_string()]
    faults = [f"{one.path}: {'; '.join(one.faults)}" for one in inspections.values() if one.faults]
    if faults:
        more = [f"... and {len(faults) - MOST_SHOWN} more"] if len(faults) > MOST_SHOWN else []
        lines += ["", f"Unusable: {len(faults)}", *faults[:MOST_SHOWN], *more]
    # Rates and channels are in the table.
    kinds: dict[str, list[str]] = {}
    for name, one in inspections.items():
        for remark in one.remarks:
            if not remark.startswith(("another rate", "stereo", "several channels", "upper-case")):
                kinds.setdefault(remark.partition(":")[0], []).append(name)
    if kinds:
        lines += ["", "Worth a look"]
        lines += [f"{kind}: {len(names)}, for example {names[0]}" for kind, names in kinds.items()]
    return lines


def _listed(numbers: NDArray[np.int64]) -> str:
    return ", ".join(str(number) for number in sorted(numbers))


def _describe_species(annotations: pd.DataFrame, n_folds: int) -> list[str]:
    counts = pd.crosstab(annotations.species, annotations.label).reindex(columns=LABELS, fill_value=0)
    counts.columns.name = None
    present = annotations[annotations.label == "present"]
    counts["recordings"] = present.groupby("species").recording_id.nunique()
    counts = counts.fillna({"recordings": 0}).astype(int)
    rare = counts.index[counts.recordings < n_folds]
    lines = [f"Species: {len(counts)}", counts.to_string()]
    if len(rare):
        lines.append(
            f"Present in fewer recordings than there are folds ({n_folds}), so some folds cannot validate them: "
            + ", ".join(rare)
        )
    return lines


def _parameters(root: Path, name: str, dataset: Dataset, inspections: dict[str, Inspection], n_folds: int) -> list[str]:
    """The lines of `params.yaml` that would use a data set in the format `name`."""
    usable = [one for one in inspections.values() if not one.faults]
    data: dict[str, str] = {"root": str(root.resolve()), "format": name}
    if len(usable) < len(inspections):
        data["bad_audio"] = "skip"
    sections: dict[str, dict[str, Any]] = {"data": data}
    folders = {PurePosixPath(recording_id).parent for recording_id in dataset.annotations.recording_id}
    if name != "rfcx" and len(folders) >= n_folds:
        sections["split"] = {"group": "folder"}
    if usable:
        rate = Counter(one.rate for one in usable).most_common(1)[0][0]
        sections["spectrogram"] = {"sample_rate": rate, "f_max": min(rate / 2, USUAL_F_MAX)}
    text = StringIO()
    YAML().dump(sections, text)
    return text.getvalue().splitlines()
