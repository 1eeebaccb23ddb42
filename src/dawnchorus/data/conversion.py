"""Conversion of the labels in a folder to another format."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd

from dawnchorus.audio.file_checks import TOLERANCE_SECONDS, Inspection, look_at_header
from dawnchorus.data.dataset import Dataset
from dawnchorus.data.formats.reading import FORMATS, count_label_files, read_dataset
from dawnchorus.data.formats.writing import write_labels
from dawnchorus.data.frequencies import refuse_frequencies
from dawnchorus.data.quality import cut_at_the_end
from dawnchorus.data.tables import refuse_rows
from dawnchorus.errors import InputError
from dawnchorus.files import replacing
from dawnchorus.progress import track

# Beside the labels, where recordings are annotated completely, as no format of labels can say.
COMPLETE = "complete.csv"


def convert(root: Path, output: Path, target: str, source: str | None = None, labels: Path | None = None,
            columns: Mapping[str, str] = MappingProxyType({})) -> str:  # fmt: skip
    """Write the labels in a folder in another format, those of test recordings, too.

    Args:
        root: the folder with the recordings and their labels.
        output: the folder to write, which must not exist or be empty.
        target: the format to write, one of `writing.FORMATS`.
        source: the format to read, one of `reading.FORMATS`; None for the only one that is found.
        labels: another folder with label files; None for none.
        columns: the parameter `data.columns`.

    Returns:
        What was read, what was left out and why, and what was written, a line for each.

    Raises:
        InputError: `output` has files, the labels are not as their format demands or do not fit their recordings, or
            none of them can be written.
    """
    output = output.resolve()
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise InputError(f"{output}: exists and is not an empty folder; name a new folder for the labels")
    folders = [root] if labels is None else [root, labels]
    for folder in folders:
        if not folder.is_dir():
            raise InputError(f"{folder}: is missing or no folder; expected a folder with recordings or labels")
    source = source or _only_format(folders, columns)
    dataset = read_dataset(root, source, columns, None, labels, is_split=False)
    paths = [path for by_id in dataset.files.values() for path in by_id.values()]
    headers = [look_at_header(path, with_hash=False) for path in track(paths, len(paths), "recordings looked at")]
    inspections = dict(zip(_below(root, paths), headers, strict=True))
    annotations, remarks = _checked(dataset, inspections)
    if len(dataset.ground_truth):
        remarks.append(f"left out: which species are in {len(dataset.ground_truth)} test recordings, without times")
    unknown = [one for one in headers if one.faults]
    if unknown:
        remarks.append(
            f"{len(unknown)} recordings cannot be read, for example {unknown[0].path}: {unknown[0].faults[0]}"
        )
    recordings = pd.DataFrame(
        {
            "file": [one.path.relative_to(root).as_posix() for one in headers],
            "seconds": [one.seconds for one in headers],
            "sample_rate": [one.rate for one in headers],
            "channels": [one.channels for one in headers],
        },
        list(inspections),
    ).sort_values("file")
    with replacing(output) as folder:
        folder.mkdir()
        remarks += write_labels(target, folder, annotations, recordings, root)
        if len(dataset.complete):
            complete = dataset.complete.assign(recording_id=dataset.complete.recording_id.map(_names(dataset)))
            complete.to_csv(folder / COMPLETE, columns=["recording_id", "species"], index=False)
            remarks.append(
                f"{COMPLETE} lists the {complete.recording_id.nunique()} recordings that are annotated completely: "
                "name it in labels.complete"
            )
        count = sum(path.is_file() for path in folder.rglob("*"))
        if not count:
            raise InputError("\n".join([f"{root}: no label can be written in the format {target}", *remarks]))
    read = (
        f"read in the format {source}: {len(annotations)} labels of {annotations.species.nunique()} species in "
        f"{annotations.recording_id.nunique()} recordings"
    )
    return "\n".join([read, *remarks, f"written in the format {target}: {count} files in {output}"])


def _only_format(folders: list[Path], columns: Mapping[str, str]) -> str:
    found = count_label_files(folders, columns)
    where = " and ".join(map(str, folders))
    if not found:
        raise InputError(
            f"{where}: contains no labels of a known format ({', '.join(FORMATS)}); `dawnchorus inspect` tells why"
        )
    if len(found) > 1:
        names = ", ".join(f"{count} files of {name}" for name, count in found.items())
        raise InputError(f"{where}: contains labels of several formats: {names}; choose one with --from")
    return next(iter(found))


def _below(root: Path, paths: list[Path]) -> list[str]:
    """The recording_id of each recording in a data set without splits."""
    return [path.relative_to(root).with_suffix("").as_posix() for path in paths]


def _names(dataset: Dataset) -> dict[str, str]:
    """The names of the recordings below the root, by recording_id."""
    train = dataset.files["train"]
    return dict(zip(train, _below(dataset.root, list(train.values())), strict=True))


def _checked(dataset: Dataset, inspections: dict[str, Inspection]) -> tuple[pd.DataFrame, list[str]]:
    """Check labels beside their recordings as `ingest` does: those that end behind them are cut.

    Args:
        dataset: the labels and recordings.
        inspections: of the recordings, by their paths below the root without suffix.

    Returns:
        The annotations, whose recording_id is such a path, and remarks.

    Raises:
        InputError: a label is behind the end of its recording, or has a frequency that it cannot have.
    """
    annotations = dataset.annotations.assign(recording_id=dataset.annotations.recording_id.map(_names(dataset)))
    annotations, said = cut_at_the_end(inspections, annotations)
    ends = annotations.recording_id.map({name: one.seconds for name, one in inspections.items() if not one.faults})
    is_behind = annotations.t_max > ends + TOLERANCE_SECONDS
    if is_behind.any():
        table = annotations.table[is_behind].iloc[0]
        rows = annotations[is_behind & (annotations.table == table)].set_index("line")
        expected = f"a time in the recording, which has {ends[is_behind].iloc[0]:.2f} s"
        refuse_rows(dataset.path_of(table), rows, "t_min", np.ones(len(rows), bool), expected)
    refuse_frequencies(annotations, pd.Series({name: one.rate for name, one in inspections.items()}), dataset.path_of)
    return annotations, [*dataset.remarks, *said]
