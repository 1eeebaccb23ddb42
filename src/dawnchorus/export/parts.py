"""The part of a model that is exported: all members, some of them, or the student."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras

from dawnchorus.config.params import STUDENT
from dawnchorus.errors import InputError
from dawnchorus.models.bundle import STUDENT_THRESHOLDS, Bundle
from dawnchorus.models.members import load_ensemble, load_student


@dataclass(frozen=True)
class Part:
    """A part of a model.

    Attributes:
        names: of its members.
        scorer: windows (Batch, Frames, Mels) in dB -> scores (Batch, Species).
        thresholds: table of thresholds on its scores; None where nothing is known about them.
    """

    names: list[str]
    scorer: keras.Model
    thresholds: Path | None


def choose_part(bundle: Bundle, names: Sequence[str]) -> Part:
    """Load a part of a model.

    Args:
        bundle: the model.
        names: of members, or of the student alone; none for all members.

    Raises:
        InputError: there is no such member, or it is a head on an embedding.
    """
    members = {member.name: member for member in bundle.info.members}
    students = [STUDENT] if bundle.info.student is not None else []
    for name in names:
        if name == STUDENT and not students:
            raise InputError(
                f"{bundle.folder}: has no student; name the student's backbone in `student` in params.yaml, and run "
                "the workflow again"
            )
        if name not in [*members, *students]:
            raise InputError(
                f"{bundle.folder}: has no member {name!r}; expected one of {', '.join([*members, *students])}"
            )
    if list(names) == [STUDENT]:
        return Part([STUDENT], load_student(bundle), bundle.folder / STUDENT_THRESHOLDS)
    if STUDENT in names:
        raise InputError(f"{bundle.folder}: the student is no member of the ensemble; export it alone")
    chosen = [member for name, member in members.items() if not names or name in names]
    heads = [member.name for member in chosen if member.is_head]
    if heads:
        networks = ",".join(name for name, member in members.items() if not member.is_head)
        raise InputError(
            f"{bundle.folder}: {', '.join(heads)} are heads on embeddings, which cannot be exported; "
            + (f"export the networks alone, with --members {networks}" if networks else "it has no other members")
            + (", or the student" if students else "")
        )
    is_whole = len(chosen) == len(members)
    return Part(
        [member.name for member in chosen], load_ensemble(bundle, chosen), bundle.thresholds if is_whole else None
    )
