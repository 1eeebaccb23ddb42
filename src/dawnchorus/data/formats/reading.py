"""Reading of a data set in the format that `data.format` names."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from dawnchorus.data.dataset import Dataset
from dawnchorus.data.formats import audacity, delimited, raven, rfcx
from dawnchorus.data.formats.label_files import LabelFile, dataset_of, list_files
from dawnchorus.data.recordings import files_below

FORMATS = ("raven", "audacity", "rfcx", *delimited.FORMATS)


def list_label_files(root: Path, name: str, columns: Mapping[str, str]) -> list[Path]:
    """Find the files in a folder that are of a format, sorted.

    Args:
        root: the folder.
        name: the format, one of `FORMATS`.
        columns: the parameter `data.columns`.
    """
    is_label_file: Callable[[Path], bool]
    match name:
        case "rfcx":
            return [root / table for table in rfcx.TABLES if (root / table).exists()]
        case "raven":
            is_label_file = raven.is_label_file
        case "audacity":
            is_label_file = audacity.is_label_file
        case _:
            is_label_file = partial(delimited.is_label_file, form=delimited.FORMATS[name].renamed(columns))
    return [path for path in files_below(root) if is_label_file(path)]


def read_dataset(root: Path, name: str, columns: Mapping[str, str], group: str | None) -> Dataset:
    """Read a data set.

    Args:
        root: its folder.
        name: the parameter `data.format`.
        columns: the parameter `data.columns`.
        group: the parameter `split.group`.

    Raises:
        InputError: the data set is not as its format demands; the message names the file and the row.
    """
    read_labels: Callable[[Path], LabelFile]
    match name:
        case "rfcx":
            return rfcx.read(root, group)
        case "raven":
            read_labels = partial(raven.read_labels, species_column=columns.get("species"))
        case "audacity":
            read_labels = audacity.read_labels
        case _:
            read_labels = partial(delimited.read_labels, form=delimited.FORMATS[name].renamed(columns))
    files, remarks = list_files(root)
    return dataset_of(root, files, map(read_labels, list_label_files(root, name, columns)), group, remarks)
