"""Writing of labels in a format."""

from pathlib import Path

import pandas as pd

from dawnchorus.data.formats import aoef, audacity, delimited, kaleidoscope, raven, rfcx

# What `raven-table` writes is read as `raven`.
FORMATS = ("raven", "raven-table", "audacity", "kaleidoscope", "aoef", "rfcx", *delimited.FORMATS)
PROGRAMS = {"arbimon": "Arbimon", "hoplite": "Hoplite", "csv": "the table"}


def write_labels(name: str, folder: Path, annotations: pd.DataFrame, recordings: pd.DataFrame, root: Path) -> list[str]:
    """Write labels.

    Args:
        name: the format, one of `FORMATS`.
        folder: an empty folder.
        annotations: one row per label: recording_id, species, t_min, t_max (s), f_min, f_max (Hz; NaN if not known),
            label (present, absent or uncertain) and annotator ("" if not known). Labels that a program gave also have
            channel, score and probability, and are not written as if a person had given them.
        recordings: indexed by recording_id: file (the path below `root`, with slashes), seconds and sample_rate (Hz;
            both 0 if the recording cannot be read) and channels.
        root: the folder that has the recordings.

    Returns:
        Remarks about what the format cannot hold.
    """
    match name:
        case "raven":
            return raven.write_labels(folder, annotations, recordings)
        case "raven-table":
            return raven.write_one_table(folder, annotations, recordings, root)
        case "audacity":
            return audacity.write_labels(folder, annotations, recordings)
        case "kaleidoscope":
            return kaleidoscope.write_labels(folder, annotations, recordings, root)
        case "aoef":
            return aoef.write_labels(folder, annotations, recordings)
        case "rfcx":
            return rfcx.write_labels(folder, annotations, recordings)
        case _:
            form = delimited.FORMATS[name]
            return delimited.write_labels(folder, annotations, recordings, form, PROGRAMS[name])
