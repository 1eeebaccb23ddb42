"""Where the recordings of items are in the data set."""

import filecmp
import os
from pathlib import Path

from dawnchorus.config.loading import load_params
from dawnchorus.data.recordings import read_recordings
from dawnchorus.review.items import Item

PARAMS, RECORDINGS = Path("params.yaml"), Path("data/recordings.csv")


def known_files() -> dict[str, tuple[str, str]]:
    """The recordings of the data set here, recording_id and split, by absolute path; none without a data set.

    Raises:
        InputError: a file is damaged.
    """
    if not (PARAMS.exists() and RECORDINGS.exists()):
        return {}
    root = load_params(PARAMS).data.root
    table = read_recordings(RECORDINGS).reset_index()
    return {os.path.abspath(Path(root, row.file)): (row.recording_id, row.split) for row in table.itertuples()}


class Places:
    """Finds the recordings of items in the data set."""

    def __init__(self) -> None:
        """Read which recordings there are."""
        self._by_file = known_files()
        self._by_name: dict[str, list[str]] = {}
        for path in self._by_file:
            self._by_name.setdefault(Path(path).name, []).append(path)
        self._found: dict[str, tuple[str, str]] = {}

    def of(self, item: Item) -> tuple[str, str]:
        """The recording_id and split of an item's recording; its own recording_id and "" if it is not in the data set.

        A copy in the data set is known by its name and bytes.
        """
        if item.file not in self._found:
            path = os.path.abspath(item.file)
            copies = [path] if path in self._by_file else []
            if not copies and Path(path).is_file():
                copies = [
                    one for one in self._by_name.get(Path(path).name, ()) if filecmp.cmp(path, one, shallow=False)
                ]
            self._found[item.file] = self._by_file[copies[0]] if copies else (item.recording_id, "")
        return self._found[item.file]
