"""What the stage that caches spectrograms reads: a table of recordings, and parameters that name their folder."""

from pathlib import Path

import pandas as pd
from ruamel.yaml import YAML

from dawnchorus.data.recordings import COLUMNS, write_recordings


def caching_options(recordings: list[Path], folder: Path, params_file: Path) -> list[str]:
    """Write both into a folder, and return the command-line options that name them.

    Args:
        recordings: audio files in one folder; a file may be there several times.
        folder: gets the table and the parameters.
        params_file: the parameters, but for `data.root`.
    """
    table = pd.DataFrame("", [f"r{number}" for number in range(len(recordings))], COLUMNS[1:])
    table["file"], table["seconds"], table["usable"] = [path.name for path in recordings], 0.0, True
    write_recordings(folder / "recordings.csv", table)
    yaml = YAML()
    content = yaml.load(params_file)
    content["data"]["root"] = str(recordings[0].parent)
    yaml.dump(content, folder / "params-of-recordings.yaml")
    return ["--params", str(folder / "params-of-recordings.yaml"), "--recordings", str(folder / "recordings.csv")]
