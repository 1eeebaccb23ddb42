"""Reading of a data set in the format that `data.format` names."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from dawnchorus.config.data import NAMEABLE, SITE
from dawnchorus.data.dataset import Dataset
from dawnchorus.data.formats import aoef, audacity, birdnet, delimited, kaleidoscope, raven, rfcx
from dawnchorus.data.formats.label_files import LabelFile, dataset_of, list_files
from dawnchorus.data.recordings import files_below
from dawnchorus.errors import InputError

# Of formats with equally many labels, `inspect` takes the first: BirdNET's selection tables are also Raven's.
FORMATS = ("birdnet", "raven", "audacity", "rfcx", "kaleidoscope", "aoef", *delimited.FORMATS)

# Files of spreadsheet programs, which are not read.
WORKBOOKS = (".xlsx", ".xls", ".xlsm", ".ods", ".numbers")


def is_workbook(path: Path) -> bool:
    """Whether a file is of a spreadsheet program; `~$` begins the names of locks of open ones."""
    return path.suffix.lower() in WORKBOOKS and not path.name.startswith("~$")


def list_label_files(root: Path, name: str, columns: Mapping[str, str]) -> tuple[list[Path], list[str]]:
    """Find the files in a folder that are of a format.

    Args:
        root: the folder.
        name: the format, one of `FORMATS`.
        columns: the parameter `data.columns`.

    Returns:
        The files, sorted, and folders with BirdNET's segments; and why each other file with a suffix of the format, and
        each workbook, is not of it.
    """
    why_not: Callable[[Path], str | None]
    suffixes: tuple[str, ...]
    match name:
        case "rfcx":
            return [root / table for table in rfcx.TABLES if (root / table).exists()], []
        case "raven":
            suffixes, why_not = raven.SUFFIXES, raven.why_not
        case "audacity":
            suffixes, why_not = audacity.SUFFIXES, audacity.why_not
        case "kaleidoscope":
            suffixes, why_not = kaleidoscope.SUFFIXES, kaleidoscope.why_not
        case "birdnet":
            suffixes, why_not = birdnet.SUFFIXES, birdnet.why_not
        case "aoef":
            suffixes, why_not = aoef.SUFFIXES, aoef.why_not
        case _:
            form = delimited.FORMATS[name].renamed(columns)
            suffixes, why_not = delimited.SUFFIXES, partial(delimited.why_not, form=form)
    paths, reasons = [], []
    for path in files_below(root):
        if is_workbook(path):
            text = "text with tabs (.txt)" if name in ("raven", "audacity") else "CSV UTF-8"
            reasons.append(f"{path}: is a workbook, which is not read; save its sheet as {text} beside it")
        if path.suffix.lower() not in suffixes:
            continue
        try:
            reason = why_not(path)
        except InputError as error:
            reason = str(error)
        if reason is None:
            paths.append(path)
        else:
            reasons.append(reason)
    if name == "birdnet":
        folders, others = birdnet.list_segments(root)
        return [*paths, *folders], [*reasons, *others]
    return paths, reasons


def count_label_files(folders: Sequence[Path], columns: Mapping[str, str]) -> dict[str, int]:
    """Count the files in folders that are of each format; formats without a file are left out.

    Args:
        folders: the folders.
        columns: the parameter `data.columns`; only formats in which it may name these columns count.
    """
    names = [name for name in FORMATS if set(columns) <= set(NAMEABLE.get(name, ()))]
    counts = {name: sum(len(list_label_files(one, name, columns)[0]) for one in folders) for name in names}
    return {name: count for name, count in counts.items() if count}


def read_dataset(
    root: Path,
    name: str,
    columns: Mapping[str, str],
    group: str | None,
    labels: Path | None = None,
    is_split: bool = True,
) -> Dataset:
    """Read a data set.

    Args:
        root: its folder.
        name: the parameter `data.format`.
        columns: the parameter `data.columns`.
        group: the parameter `split.group`.
        labels: another folder with label files, the parameter `data.labels`; None for none.
        is_split: whether recordings in `test/` are test recordings, whose labels are left out; otherwise, all are
            training recordings, named by their paths below `root`. With `rfcx` they always are.

    Raises:
        InputError: the data set is not as its format demands; the message names the file and the row.
    """
    read_labels: Callable[[Path], LabelFile]
    folders = [root] if labels is None else [root, labels]
    if labels is not None and not labels.is_dir():
        raise InputError(f"{labels}: is missing or no folder; data.labels in params.yaml must name a folder")
    found = [list_label_files(folder, name, columns) for folder in folders]
    if name == "rfcx":
        stray = found[-1][0]
        if labels is not None and stray:
            raise InputError(f"{stray[0]}: the format rfcx has its tables in data.root; move this one to {root}")
        return rfcx.read(root, group)
    if group not in (None, SITE):
        raise InputError(
            f"split.group in params.yaml: found {group!r}, expected {SITE} or null: labels of the format {name} have "
            "no columns for groups"
        )
    segments: dict[Path, list[Path]] = {}
    match name:
        case "raven":
            read_labels = partial(raven.read_labels, species_column=columns.get("species"))
        case "audacity":
            read_labels = audacity.read_labels
        case "kaleidoscope":
            read_labels = kaleidoscope.read_labels
        case "birdnet":
            for folder in folders:
                segments |= birdnet.list_segments(folder)[0]
            read_labels = partial(birdnet.read_labels, species_column=columns.get("species"))
        case "aoef":
            read_labels = partial(aoef.read_labels, species_key=columns.get("species"))
        case _:
            read_labels = partial(delimited.read_labels, form=delimited.FORMATS[name].renamed(columns))
    files, remarks = list_files(root, {path for paths in segments.values() for path in paths}, is_split)
    paths = [path for some, _ in found for path in some]
    reasons = [reason for _, some in found for reason in some]
    if not paths:
        where = " and ".join(map(str, folders))
        why = f": {reasons[0]}" if reasons else ""
        raise InputError(f"{where}: contains no labels of the format {name}{why}")
    if reasons:
        remarks.append(f"{len(reasons)} other files are no labels of the format {name}; first {reasons[0]}")
    read = (
        birdnet.read_segments(folder, path, segments[path]) if path in segments else read_labels(path)
        for folder, (some, _) in zip(folders, found, strict=True)
        for path in some
    )
    return dataset_of(root, files, read, remarks, labels)
