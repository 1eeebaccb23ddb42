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
            text = written[is_ambiguous].iloc[0]
            names = self._listed(best[text])
            is_unknown_folder = len(_parts(text)) > 1 and not max(ranks[text])[1]
            refuse_rows(
                path, table, column, is_ambiguous, f"one recording, not {names}", "correct its folder, which none of "
                "these is in; perhaps it was renamed" if is_unknown_folder else
                "write more of its folders, or give each recording a name of its own",
            )  # fmt: skip
        # The folder of a path may be one that has no such recording, although another folder has one of this name.
        furthest: dict[Path, int] = {}
        for text, (recording, *_) in best.items():
            furthest[recording] = max(furthest.get(recording, 0), max(ranks[text])[1])
        elsewhere = {
            text: max(ranks[text])[1] < furthest[recording]
            or self._names_another_folder(_parts(text)[-2:-1], recording)
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

    def match_name(self, path: Path, folder: Path) -> Path:
        """Find the recording that has the name of a label file: `X.wav` for `X.Table.1.selections.txt`.

        Of several, it is the one whose folders are those of the label file, or agree with its last ones the furthest.

        Args:
            path: of the label file.
            folder: the data set's folder, or the other one with label files, in which it is.

        Raises:
            InputError: no recording has this name, several have, or the file is in a folder of other recordings.
        """
        relative = path.relative_to(folder)
        parts = _form(path.name).split(".")
        for end in range(len(parts) - 1, 0, -1):
            found = self._by_name.get(".".join(parts[:end]), [])
            if not found or not ENDING.fullmatch("".join(f".{part}" for part in parts[end:-1])):
                continue
            beside = [one for one in found if one.parent == self._root / relative.parent]
            ranks = [_agreement(_parts(relative.as_posix()), _parts(self._below_root(one))) for one in found]
            best = beside or [one for one, rank in zip(found, ranks, strict=True) if rank == max(ranks)]
            if len(best) > 1 and len(relative.parts) > 1 and not max(ranks):
                raise InputError(
                    f"{path}: no recording in a folder {relative.parent.name} has the name of this file, only "
                    f"{self._listed(best)}; add the recording, or give this file's folder the name of its recording's"
                )
            if len(best) > 1:
                raise InputError(
                    f"{path}: its name is that of {self._listed(best)}; move it to a folder of the same "
                    f"name as its recording's, such as {folder / Path(self._below_root(best[0])).parent}"
                )
            if self._names_another_folder(_parts(relative.as_posix())[:-1], best[0]):
                raise InputError(
                    f"{path}: no recording in that folder has the name of this file, only {self._listed(best)}; add "
                    f"the recording, or move this file to {folder / Path(self._below_root(best[0])).parent} if it is "
                    "about that one"
                )
            return best[0]
        raise InputError(
            f"{path}: no recording in {self._root} has the name of this file, and no column names one; rename the file "
            f"as its recording, or move it out of {folder}"
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
        return is_whole, _agreement(parts, own), parts[-1] == own[-1], plain.endswith(recording.name)

    def _names_another_folder(self, folders: Sequence[str], recording: Path) -> bool:
        """Whether one of several folders is one of other recordings, and not of this one."""
        own = {_form(part) for part in recording.relative_to(self._root).parts[:-1]}
        return any(folder in self._folders and folder not in own for folder in folders)

    def _below_root(self, recording: Path) -> str:
        return recording.relative_to(self._root).as_posix()

    def _listed(self, recordings: Sequence[Path]) -> str:
        shown = " and ".join(map(self._below_root, recordings[:MOST_SHOWN]))
        return shown + (f" and {len(recordings) - MOST_SHOWN} more" if len(recordings) > MOST_SHOWN else "")


def _form(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _parts(text: str) -> list[str]:
    return [_form(part) for part in re.split(r"[\\/]+", text.strip())]


def _agreement(parts: Sequence[str], others: Sequence[str]) -> int:
    """How many of the last folders of two paths, given by their parts, are the same."""
    count = 0
    for mine, theirs in zip(reversed(parts[:-1]), reversed(others[:-1]), strict=False):
        if mine != theirs:
            break
        count += 1
    return count
