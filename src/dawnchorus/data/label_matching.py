"""Which recordings the labels in a file are about, from paths on another computer or from the file's own name."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path, PurePath

import pandas as pd

from dawnchorus.data.recordings import OTHER_SUFFIXES, SUFFIXES
from dawnchorus.data.tables import refuse_rows
from dawnchorus.errors import InputError

MOST_SHOWN = 3
# What programs add to the name of a recording for the name of its label file.
ENDING = re.compile(r"(\.table\.\d+)?(\.selections?)?|\.birdnet(\.selection)?(\.table|\.results)?|\.results")


class RecordingIndex:
    """The recordings of a data set by their names."""

    def __init__(self, recordings: Sequence[Path], root: Path) -> None:
        """Index the files of recordings.

        Args:
            recordings: the files.
            root: the data set's folder.
        """
        self._root = root
        self._by_name: defaultdict[str, list[Path]] = defaultdict(list)
        for recording in recordings:
            for name in {_form(recording.stem), _form(recording.name)}:
                self._by_name[name].append(recording)
        self._folders = {_form(part) for recording in recordings for part in recording.relative_to(root).parts[:-1]}

    def match_paths(self, path: Path, written: pd.Series) -> pd.Series:
        """Find the recordings that paths mean, which may be from another computer and system.

        A path means the recording of its file name. Of several, it means the one whose folders agree with the path's
        last folders the furthest. The suffix may differ, as after a conversion.

        Args:
            path: of the label file.
            written: the path or file name in each row, indexed by the number of the row's line; named as its column.

        Returns:
            The file of each row's recording.

        Raises:
            InputError: a path means no recording or several, or one that another path means with more right.
        """
        table, column = written.to_frame(), str(written.name)
        candidates = {text: self._candidates(text) for text in written.unique()}
        is_missing = written.map(lambda text: not candidates[text])
        refuse_rows(
            path, table, column, is_missing, f"a recording in {self._root}", "add the recording, or remove the row"
        )
        ranks = {text: [self._rank(text, one) for one in found] for text, found in candidates.items()}
        best = {
            text: [one for one, rank in zip(found, ranks[text], strict=True) if rank == max(ranks[text])]
            for text, found in candidates.items()
        }
        is_ambiguous = written.map(lambda text: len(best[text]) > 1)
        if is_ambiguous.any():
            names = self._listed(best[written[is_ambiguous].iloc[0]])
            refuse_rows(
                path,
                table,
                column,
                is_ambiguous,
                f"one recording, not {names}",
                "write more of its folders, or give each recording a name of its own",
            )
        # The folder of a path may be one that has no such recording, although another folder has one of this name.
        furthest: dict[Path, int] = {}
        for text, (recording, *_) in best.items():
            furthest[recording] = max(furthest.get(recording, 0), max(ranks[text])[1])
        elsewhere = {
            text: max(ranks[text])[1] < furthest[recording] or self._names_another_folder(text, recording)
            for text, (recording, *_) in best.items()
        }
        is_elsewhere = written.map(elsewhere)
        if is_elsewhere.any():
            name = self._listed(best[written[is_elsewhere].iloc[0]])
            refuse_rows(
                path, table, column, is_elsewhere, f"a recording in that folder; only {name} has this name",
                "add the recording, or remove the row",
            )  # fmt: skip
        return written.map(lambda text: best[text][0])

    def match_name(self, path: Path) -> Path:
        """Find the recording that has the name of a label file: `X.wav` for `X.Table.1.selections.txt`.

        Of several, it is the one in the label file's folder.

        Args:
            path: of the label file.

        Raises:
            InputError: no recording has this name, or several have.
        """
        parts = _form(path.name).split(".")
        for end in range(len(parts) - 1, 0, -1):
            found = self._by_name.get(".".join(parts[:end]), [])
            if not found or not ENDING.fullmatch("".join(f".{part}" for part in parts[end:-1])):
                continue
            beside = [recording for recording in found if recording.parent == path.parent]
            if len(beside or found) == 1:
                return (beside or found)[0]
            raise InputError(
                f"{path}: its name is that of {self._listed(found)}; move it to the folder of its recording"
            )
        raise InputError(
            f"{path}: no recording in {self._root} has the name of this file, and no column names one; rename the file "
            f"as its recording, or move it out of {self._root}"
        )

    def _candidates(self, text: str) -> list[Path]:
        name = _parts(text)[-1]
        stem, suffix = PurePath(name).stem, PurePath(name).suffix
        names = [name, stem] if suffix in (*SUFFIXES, *OTHER_SUFFIXES) else [name]
        return list(dict.fromkeys(recording for each in names for recording in self._by_name.get(each, [])))

    def _rank(self, text: str, recording: Path) -> tuple[bool, int, bool, bool]:
        """How well a path fits a recording: as a whole, by its last folders, by its suffix, and by upper case."""
        relative = recording.relative_to(self._root)
        plain = text.strip().replace("\\", "/").removeprefix("./")
        is_whole = plain in (str(recording), relative.as_posix(), relative.with_suffix("").as_posix())
        parts, own = _parts(text), [_form(part) for part in relative.parts]
        agreement = 0
        for mine, theirs in zip(reversed(parts[:-1]), reversed(own[:-1]), strict=False):
            if mine != theirs:
                break
            agreement += 1
        return is_whole, agreement, parts[-1] == own[-1], plain.endswith(recording.name)

    def _names_another_folder(self, text: str, recording: Path) -> bool:
        """Whether the folder in a path is one of other recordings, and not of this one."""
        parts = _parts(text)
        own = {_form(part) for part in recording.relative_to(self._root).parts[:-1]}
        return len(parts) > 1 and parts[-2] in self._folders and parts[-2] not in own

    def _listed(self, recordings: Sequence[Path]) -> str:
        shown = " and ".join(recording.relative_to(self._root).as_posix() for recording in recordings[:MOST_SHOWN])
        return shown + (f" and {len(recordings) - MOST_SHOWN} more" if len(recordings) > MOST_SHOWN else "")


def _form(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _parts(text: str) -> list[str]:
    return [_form(part) for part in re.split(r"[\\/]+", text.strip())]
