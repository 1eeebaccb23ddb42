"""Checks of a data set's recordings beside each other and beside their annotations, and the table of all of them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, tzinfo
from pathlib import Path

import pandas as pd

from dawnchorus.audio.file_checks import TOLERANCE_SECONDS, Inspection
from dawnchorus.data.clock_times import start_of
from dawnchorus.data.tables import place


def add_duplicates(inspections: Iterable[Inspection]) -> None:
    """Add a remark to every usable recording with the same sound as an earlier one, and give both the same digest."""
    first: dict[str, Inspection] = {}
    for one in inspections:
        if one.faults:
            continue
        other = first.get(one.digest) or first.get(one.file_digest)
        if other is not None:
            one.digest = other.digest
            one.remarks.append(f"duplicate content: same samples as {other.path.parent.name}/{other.path.name}")
        first.setdefault(one.digest, one)
        first.setdefault(one.file_digest, one)


def add_labels_past_the_end(inspections: dict[str, Inspection], annotations: pd.DataFrame) -> None:
    """Add a fault to each recording that is shorter than an annotation's end and has no other fault.

    Args:
        inspections: inspections by recording_id.
        annotations: table with the columns recording_id, t_max (s), and table and line, where each row is from.
    """
    ends = pd.Series({recording_id: one.seconds for recording_id, one in inspections.items() if not one.faults})
    past = annotations[annotations.t_max > annotations.recording_id.map(ends) + TOLERANCE_SECONDS]
    for recording_id, rows in past.groupby("recording_id"):
        more = f" and {len(rows) - 1} more rows" if len(rows) > 1 else ""
        first = rows.iloc[0]
        inspections[recording_id].faults.append(
            f"labels past the end: {first.table} {place(first.line)}{more}: t_max {first.t_max:g} s, "
            f"recording {ends[recording_id]:.2f} s"
        )


def cut_at_the_end(inspections: dict[str, Inspection], annotations: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Cut labels that begin in a recording and end behind it, as those of programs that work in windows do.

    Args:
        inspections: inspections by recording_id.
        annotations: as in `dataset.Dataset`.

    Returns:
        The annotations, and a remark if some were cut.
    """
    ends = annotations.recording_id.map({name: one.seconds for name, one in inspections.items() if not one.faults})
    is_cut = (annotations.t_max > ends + TOLERANCE_SECONDS) & (annotations.t_min < ends)
    if not is_cut.any():
        return annotations, []
    first = annotations[is_cut].iloc[0]
    remark = (
        f"{is_cut.sum()} labels end behind their recordings and are cut there; first {first.table} "
        f"{place(first.line)}: t_max {first.t_max:g} s, recording {ends[is_cut].iloc[0]:.2f} s"
    )
    return annotations.assign(t_max=annotations.t_max.where(~is_cut, ends)), [remark]


def starts_without_zone(inspections: dict[str, dict[str, Inspection]], recordings: pd.DataFrame) -> list[str]:
    """A remark if recorders wrote times without a zone, and `data.timezone` does not give it.

    Args:
        inspections: inspections by split and recording_id.
        recordings: table from `as_table`.
    """
    files = [one for by_id in inspections.values() for one in by_id.values()]
    without = [
        name
        for one, (name, start) in zip(files, recordings.start.items(), strict=True)
        if not start and start_of(one.path.name, one.notes, UTC) is not None
    ]
    if not without:
        return []
    return [
        f"{len(without)} recordings have a date and time, but no time zone, for example {without[0]}; set "
        "data.timezone in params.yaml to get their start"
    ]


def as_table(
    inspections: dict[str, dict[str, Inspection]],
    sites: Mapping[str, Mapping[str, str]],
    groups: Mapping[str, pd.Series],
    root: Path,
    local: tzinfo | None = None,
) -> pd.DataFrame:
    """Convert inspections to the table of all recordings.

    Args:
        inspections: inspections by split and recording_id.
        sites: from `sites.find_sites`.
        groups: by split, the group of each recording that has one, indexed by recording_id.
        root: the data set's folder; the column `file` is relative to it.
        local: the time zone of recorders' clocks; None if it is not known.

    Returns:
        One row per recording, in the form that `recordings.read_recordings` returns, and its `site`. The column
        `problem` lists faults, then remarks.
    """
    rows = [
        {
            "recording_id": recording_id,
            "file": one.path.relative_to(root).as_posix(),
            "split": split,
            "site": sites[split][recording_id],
            "group": groups[split].get(recording_id, "") if split in groups else "",
            "start": "" if (start := start_of(one.path.name, one.notes, local)) is None else start.isoformat(),
            "seconds": round(one.seconds, 3),
            "sample_rate": one.rate,
            "channels": one.channels,
            "usable": not one.faults,
            "problem": "; ".join(one.faults + one.remarks),
            "peak": round(one.peak, 5) if one.is_decoded else "",
            "rms": round(one.rms, 6) if one.is_decoded else "",
            "digest": one.digest,
        }
        for split, by_id in inspections.items()
        for recording_id, one in by_id.items()
    ]
    return pd.DataFrame(rows).set_index("recording_id")


def summary(inspections: dict[str, dict[str, Inspection]]) -> str:
    """Summarize inspections, given by split and recording_id: number and hours of recordings, counts of problems."""
    lines = []
    for split, by_id in inspections.items():
        hours = sum(one.seconds for one in by_id.values()) / 3600
        unusable = sum(bool(one.faults) for one in by_id.values())
        lines.append(f"{split}: {len(by_id)} recordings, {hours:.1f} h, {unusable} unusable")
        kinds = Counter(text.split(":")[0] for one in by_id.values() for text in one.faults + one.remarks)
        lines += [f"  {kind}: {count}" for kind, count in kinds.most_common()]
    return "\n".join(lines)
