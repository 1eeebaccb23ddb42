"""What is in a folder of recordings and labels: a report for a person, which changes nothing."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dawnchorus.audio.file_checks import Inspection
from dawnchorus.config.data import SITE, why_not_apart
from dawnchorus.data.complete_list import describe_completeness, use_test_labels
from dawnchorus.data.dataset import SPLITS, Dataset
from dawnchorus.data.formats.label_files import list_files
from dawnchorus.data.formats.reading import (
    FORMATS,
    WORKBOOKS,
    count_label_files,
    is_workbook,
    list_label_files,
    read_dataset,
)
from dawnchorus.data.ingest import check_labels, check_recordings
from dawnchorus.data.proposal import at_one_site, count_labels, data_section, propose
from dawnchorus.data.quality import as_table, starts_without_zone
from dawnchorus.data.recordings import files_below
from dawnchorus.data.sites import find_sites
from dawnchorus.errors import InputError

# A rate of which the checks make no fault.
SAMPLE_RATE = 48_000
MOST_SHOWN = 20
# Suffixes of files that may be labels.
TEXT = (".csv", ".tsv", ".txt")


def survey(
    root: Path,
    labels: Path | None,
    site_pattern: str | None,
    window_seconds: float,
    n_folds: int,
    workers: int,
    columns: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Report the recordings, problems, label formats and species in a folder, and the parameters that would use it.

    Args:
        root: the folder.
        labels: another folder with label files; None for none.
        site_pattern: the parameter `data.site_pattern`.
        window_seconds: length of a window, s.
        n_folds: number of folds that the recordings are to be split into.
        workers: number of processes.
        columns: the parameter `data.columns`.

    Raises:
        InputError: a folder is missing, they overlap, the first has no recordings, the pattern does not find their
            sites, or a number is too low.
    """
    if n_folds < 2:
        raise InputError(f"--folds: found {n_folds}, expected 2 or more")
    if labels is not None:
        if not labels.is_dir():
            raise InputError(f"--labels: found {str(labels)!r}, but there is no such folder; correct the path")
        reason = why_not_apart(root, labels)
        if reason is not None:
            raise InputError(
                f"--labels: found {str(labels)!r}, which {reason} ({root}); name a folder beside it, or leave out "
                "--labels"
            )
    files = list_files(root)[0]
    name, dataset, lines_on_labels = _read_labels(root, labels, columns)
    plain = Dataset(root, files, _no_annotations(), [], pd.Series(dtype=str), pd.DataFrame(), {}, [])
    sites = find_sites((dataset or plain).files, site_pattern)
    inspections = check_recordings(dataset or plain, SAMPLE_RATE, window_seconds, "mean", workers, decode_all=True)
    problem = ""
    if dataset is not None:
        try:
            checked = check_labels(dataset, inspections, cut=name != "rfcx")
            lines_on_labels += checked.remarks[len(dataset.remarks) :]
        except InputError as error:
            problem = f"These labels cannot be used yet: {error}"
    table = as_table(inspections, sites, {}, root)
    annotations = _no_annotations() if dataset is None else dataset.annotations
    lines = [
        *_describe_sites(table, site_pattern is None),
        *_describe_problems(inspections, annotations, starts_without_zone(inspections, table)),
        "",
        *lines_on_labels,
    ]
    if dataset is not None:
        usable = table[(table.split == "train") & table.usable]
        counts = count_labels(annotations, usable)
        lines += ["", *_describe_species(counts, n_folds, usable.site.nunique())]
    if problem:
        lines += ["", problem]
    elif dataset is not None:
        data = data_section(root, labels, name, site_pattern, table, columns)
        lines += ["", *propose(data, table, annotations, counts, window_seconds, n_folds)]
        lines += ["", "Change these values in params.yaml, keep its other lines, and run: snakemake --cores 2"]
        return "\n".join(lines)
    return "\n".join([*lines, "", "When this is corrected, run dawnchorus inspect again."])


def _no_annotations() -> pd.DataFrame:
    return pd.DataFrame({"recording_id": [], "t_max": [], "f_max": [], "table": [], "line": []})


def _read_labels(root: Path, labels: Path | None, columns: Mapping[str, str]) -> tuple[str, Dataset | None, list[str]]:
    """The format in which the folders have most labels, the data set if it can be read, and lines about the labels."""
    folders = [root] if labels is None else [root, labels]
    found = count_label_files(folders, columns)
    if not found:
        return "", None, _describe_other_files(folders, labels is None, columns)
    lines = ["Labels: " + ", ".join(f"{count} files of the format {name}" for name, count in found.items())]
    datasets, errors = {}, []
    for name in found:
        try:
            datasets[name] = read_dataset(root, name, columns, None, labels)
        except InputError as error:
            errors.append(f"They cannot be read as {name}: {error}")
    if not datasets:
        return "", None, [*lines, *errors]
    name = max(datasets, key=lambda each: len(datasets[each].annotations))
    dataset = use_test_labels(datasets[name])
    lines += [
        f"They can also be read as {other}: {len(one.annotations)} labels, {(one.annotations.label == 'absent').sum()} "
        "of them absent"
        for other, one in datasets.items()
        if other != name
    ]
    return name, dataset, [*lines, *errors, *dataset.remarks, *describe_completeness(dataset)]


def _describe_other_files(folders: list[Path], may_be_elsewhere: bool, columns: Mapping[str, str]) -> list[str]:
    """What to do where no file is of a known format."""
    lines = [f"Labels: no file of a known format ({', '.join(FORMATS)})"]
    found = [path for folder in folders for path in files_below(folder)]
    others = [path for path in found if path.suffix.lower() in TEXT or is_workbook(path)]
    for form, suffixes in (("csv", (".csv", ".tsv")), ("raven", (".txt",)), ("csv", WORKBOOKS)):
        of_suffix = [path for path in others if path.suffix.lower() in suffixes]
        if of_suffix:
            reasons = [reason for folder in folders for reason in list_label_files(folder, form, columns)[1]]
            first = next((reason for reason in reasons if reason.startswith(str(of_suffix[0]))), reasons[0])
            lines.append(f"{len(of_suffix)} files *{of_suffix[0].suffix} are not in the format {form}; first {first}")
    if may_be_elsewhere:
        lines.append("If the labels are in another folder, add --labels FOLDER.")
    return [
        *lines,
        "docs/data.md describes the formats. A table of your own needs one row per label. Tell its names of the "
        "columns, such as --columns recording=File species=Code t_min=Begin t_max=End",
    ]


def _describe_sites(table: pd.DataFrame, are_folders: bool) -> list[str]:
    place = [SITE, "split"] if (table.split == "test").any() else [SITE]
    table = table.assign(site=table.site.where(table.site != "", "(no folder)"))
    readable = table[table.sample_rate > 0].groupby(place)
    rows = pd.DataFrame(
        {
            "recordings": table.groupby(place).size(),
            "hours": (table.groupby(place).seconds.sum() / 3600).round(2),
            "unusable": (~table.usable).groupby([table[name] for name in place]).sum(),
            "rates (Hz)": readable.sample_rate.unique().map(_listed),
            "channels": readable.channels.unique().map(_listed),
        }
    ).fillna("")
    n_sites, hours = table.site.nunique(), table.seconds.sum() / 3600
    length = f"{hours:.1f} h" if hours >= 1 else f"{60 * hours:.0f} min"
    lines = [f"Recordings: {len(table)} at {n_sites} {'site' if n_sites == 1 else 'sites'}, {length}", *_shown(rows)]
    if are_folders:
        lines.append(
            "A site is the folder of a recording, unless --site-pattern finds it elsewhere in the path: "
            "'^(?P<site>[^/]+)/' is the first folder, '(?P<site>[^/_]+)_' what is before the first _."
        )
    return lines


def _describe_problems(
    inspections: dict[str, dict[str, Inspection]], annotations: pd.DataFrame, notes: list[str]
) -> list[str]:
    """Unusable recordings, and `notes` with other remarks on recordings."""
    n_labels = annotations.recording_id.value_counts()
    every = [(split, name, one) for split in SPLITS for name, one in inspections[split].items()]
    faults = []
    for split, name, one in every:
        if one.faults:
            lost = n_labels.get(name, 0) if split == "train" else 0
            more = f" ({lost} labels)" if lost else ""
            faults.append(f"{one.path}{more}: {'; '.join(one.faults)}")
    lines = []
    if faults:
        more_faults = [f"... and {len(faults) - MOST_SHOWN} more"] if len(faults) > MOST_SHOWN else []
        lines = [
            "",
            f"Unusable recordings: {len(faults)}. Repair them or copy them again; data.bad_audio: skip leaves them and "
            "their labels out.",
            *faults[:MOST_SHOWN],
            *more_faults,
        ]
    # Rates and channels are in the table of sites.
    kinds: dict[str, list[str]] = {}
    for _, name, one in every:
        for remark in one.remarks:
            if not remark.startswith(("another rate", "stereo", "several channels")):
                kinds.setdefault(remark.partition(":")[0], []).append(name)
    notes += [f"{kind}: {len(names)} recordings, for example {names[0]}" for kind, names in kinds.items()]
    return [*lines, *(["", "Worth a look", *notes] if notes else [])]


def _describe_species(counts: pd.DataFrame, n_folds: int, n_sites: int) -> list[str]:
    """Counts of labels, and the species that are too rare for the folds."""
    lines = [f"Species: {len(counts)}; labels in usable recordings, and recordings and sites with a present label"]
    lines += _shown(counts)
    rare = counts.index[counts.recordings < n_folds]
    if len(rare):
        lines.append(
            f"Present in fewer recordings than there are folds ({n_folds}), so some folds cannot train on or validate "
            f"{', '.join(rare)}. Label more recordings of them, or list the other species in data.species."
        )
    alone = at_one_site(counts, n_folds)
    if alone and n_sites > 1:
        lines.append(
            f"Present at one site alone, so with split.group: {SITE} no model that was trained on them validates "
            f"{', '.join(alone)}."
        )
    return lines


def _listed(numbers: NDArray[np.int64]) -> str:
    return ", ".join(str(number) for number in sorted(numbers))


def _shown(table: pd.DataFrame) -> list[str]:
    """A table as text, its index on the left."""
    plain = table.reset_index()
    for name in table.index.names:
        plain[name] = plain[name].str.ljust(plain[name].str.len().max())
    return plain.to_string(index=False, justify="left").splitlines()
