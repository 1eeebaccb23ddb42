"""The list `rounds`: rounds of self-training."""

import re
from collections.abc import Sequence

from pydantic import Field, field_validator

from dawnchorus.config.section import Fraction, Section, shown

# Stands in for a round's id where a round has no pseudo-labels.
NONE = "none"


class Round(Section):
    """A round of self-training. The last one is evaluated and shipped."""

    id: str = Field(description="a short name of letters, digits and _")
    pseudo_labels: str = Field(
        description="id of the earlier round whose scores are the targets where there is no annotation; none for no "
        "round"
    )
    weight: Fraction = Field(description="loss weight of pseudo-labels; 0 without pseudo-labels")

    @field_validator("id")
    @classmethod
    def _id_names_a_folder(cls, name: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9_]{1,50}", name) or name == NONE:
            raise ValueError(f"found {shown(name)}, expected at most 50 letters, digits and _, but not none")
        return name


def require_lineage(rounds: Sequence[Round]) -> None:
    """Check that each round has a unique id, learns from an earlier round or none, and contributes to the last one.

    Raises:
        ValueError: a round does not.
    """
    earlier = [NONE]
    for each in rounds:
        if each.id in earlier:
            raise ValueError(f"rounds: the id {each.id} appears twice; each round needs its own id")
        if each.pseudo_labels not in earlier:
            raise ValueError(
                f"rounds: {each.id} takes its pseudo-labels from {shown(each.pseudo_labels)}, which is not an earlier "
                f"round; expected {' or '.join(earlier)}"
            )
        if (each.pseudo_labels == NONE) != (each.weight == 0):
            expected = "0 without pseudo-labels" if each.pseudo_labels == NONE else "above 0 with pseudo-labels"
            raise ValueError(f"rounds: the weight of {each.id} is {each.weight}; expected {expected}")
        earlier.append(each.id)
    source = {each.id: each.pseudo_labels for each in rounds}
    used, name = set(), rounds[-1].id
    while name != NONE:
        used.add(name)
        name = source[name]
    unused = [each.id for each in rounds if each.id not in used]
    if unused:
        raise ValueError(
            f"rounds: nothing uses {', '.join(unused)}; remove it, or let a later round take its pseudo-labels from it"
        )
