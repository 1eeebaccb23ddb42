"""The part of a model that is exported: all members, some of them, or the student."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import keras

from dawnchorus.config.names import STUDENT
from dawnchorus.errors import InputError
from dawnchorus.export.embedded import not_embeddable
from dawnchorus.export.request import Target
from dawnchorus.models.bundle import STUDENT_THRESHOLDS, Bundle
from dawnchorus.models.embedding_heads import EmbeddingHeads, load_heads
from dawnchorus.models.members import load_ensemble, load_student


@dataclass(frozen=True)
class Part:
    """A part of a model.

    Attributes:
        names: of its members.
        networks: windows (Batch, Frames, Mels) in dB -> scores (Batch, Species); None if there are none.
        thresholds: table of thresholds on its scores; None where nothing is known about them.
        heads: the heads on each embedding, whose scores are added to those of networks.
    """

    names: list[str]
    networks: keras.Model | None
    thresholds: Path | None
    heads: list[EmbeddingHeads] = field(default_factory=list)


def choose_part(bundle: Bundle, names: Sequence[str], target: Target) -> Part:
    """Load a part of a model.

    Args:
        bundle: the model.
        names: of members, or of the student alone; none for all members.
        target: the kind of file that it is for.

    Raises:
        InputError: there is no such member, or it is a head on an embedding that the file cannot hold.
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
    for name in sorted({member.backbone for member in chosen if member.is_head}):
        embedding = bundle.info.settings.features[name]
        reason = not_embeddable(bundle.info.settings, embedding, target)
        if reason:
            rest = ",".join(name for name, member in members.items() if not member.is_head)
            raise InputError(
                f"{bundle.folder}: has heads on the frozen model {embedding.model}, which the file cannot hold: "
                + reason
                + "".join(f"; or export --members {each}" for each in (rest, *students) if each)
            )
    total = sum(member.weight for member in chosen)
    # Members that have no weight in the ensemble are equal to each other.
    shares = [
        member.model_copy(update={"weight": member.weight / total if total else 1 / len(chosen)}) for member in chosen
    ]
    networks = [member for member in shares if not member.is_head]
    return Part(
        [member.name for member in chosen], load_ensemble(bundle, networks) if networks else None,
        bundle.thresholds if len(chosen) == len(members) else None, load_heads(bundle, shares),
    )  # fmt: skip
