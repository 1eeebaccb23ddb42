"""`dawnchorus detect`: detections in any recordings by a model bundle, without the workflow's stages."""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from dawnchorus.data.recordings import SUFFIXES, escaped, list_recordings
from dawnchorus.data.table_layout import read_text
from dawnchorus.errors import InputError
from dawnchorus.workflow.detect_options import Options
from dawnchorus.workflow.detection_task import Task

MOST_SHOWN = 20


def detect(model: Path, paths: Sequence[Path], output: Path, options: Options, cores: int) -> int:
    """Detect species in recordings, and print a line for each.

    Args:
        model: folder of the bundle.
        paths: as in `find_recordings`.
        output: folder for the results, new or from a call with the same model and settings.
        options: the user's.
        cores: number of cores to use.

    Returns:
        The number of recordings that could not be read.

    Raises:
        InputError: no recordings, a damaged model, or results of other settings.
    """
    task = Task.of(model, output, options)
    recordings = find_recordings(paths)
    # A wrong pattern is told before hours of scoring.
    task.sites(recordings)
    with task.lock():
        task.begin()
        problems = task.score(recordings, cores)
        lines = task.write(recordings, problems)
    print(*lines, sep="\n")
    if problems:
        print(unreadable(output, recordings, problems), file=sys.stderr)
    return len(problems)


def unreadable(output: Path, recordings: Mapping[str, Path], problems: Mapping[str, str]) -> str:
    """Tell people which recordings could not be read, and why; arguments as in `Task.write`."""
    shown = [f"{recordings[name]}: {why}" for name, why in list(problems.items())[:MOST_SHOWN]]
    more = [f"... and {len(problems) - MOST_SHOWN} more"] if len(problems) > MOST_SHOWN else []
    first = f"{len(problems)} recordings could not be read; {output / 'unreadable.csv'} lists them"
    return "\n".join([first, *shown, *more])


def find_recordings(paths: Sequence[Path]) -> dict[str, Path]:
    """Find the recordings that paths mean.

    Args:
        paths: audio files; folders whose files are used, also in folders in them; and texts (`*.txt`) that list such
            paths, one in each line.

    Returns:
        The absolute path of each by recording_id, sorted. In a single folder, the recording_id is the path below it
        without suffix. With several paths, it begins with the name of the folder, and a file has its own name. Among
        them are files and folders that `why_unusable` refuses.

    Raises:
        InputError: a path is missing or no recording, or two recordings have the same recording_id.
    """
    found: dict[str, Path] = {}
    known: set[Path] = set()
    is_list = {path: path.suffix.lower() == ".txt" and path.is_file() for path in paths}
    paths = [each for path in paths for each in (_listed(path) if is_list[path] else [path])]
    folders = [path for path in paths if path.is_dir()]
    names = Counter(path.resolve().name for path in folders)
    for path in paths:
        if path.is_dir():
            below = list_recordings(path.resolve(), with_unusable=True)[0]
            name = path.resolve().name
            # Two cards of two recorders may both be called DCIM.
            name = path.resolve().as_posix().lstrip("/") if names[name] > 1 else name
            prefix = f"{name}/" if len(paths) > 1 else ""
            each = {prefix + key: file for key, file in below.items()}
        elif not path.exists():
            raise InputError(f"{path}: is missing; expected recordings or folders of recordings")
        elif path.suffix.lower() not in SUFFIXES:
            raise InputError(f"{path}: is no recording; expected a file that ends in {', '.join(SUFFIXES)}")
        else:
            each = {escaped(path.stem): path}
        for key, file in each.items():
            # A folder that is a link could not be told from others.
            file = file if file.is_dir() else file.resolve()
            if file in known:
                continue
            known.add(file)
            if found.setdefault(key, file) != file:
                raise InputError(f"{file}: has the same name as {found[key]}; give the folder that both are in instead")
    return dict(sorted(found.items()))


def _listed(path: Path) -> list[Path]:
    """The paths in a list; relative ones are relative to the working directory."""
    lines = [line.strip() for line in read_text(path).splitlines()]
    paths = [Path(line) for line in lines if line]
    if not paths:
        raise InputError(f"{path}: lists no recordings; expected a path in each line")
    for number, line in enumerate(lines, start=1):
        if line and not Path(line).exists():
            raise InputError(f"{path}: line {number}: {line} is missing; correct or remove the line")
    return paths
