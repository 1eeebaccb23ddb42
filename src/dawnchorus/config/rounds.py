"""The list `rounds`: rounds of self-training."""

import re

from pydantic import Field, field_validator

from dawnchorus.config.section import Section, shown


class Round(Section):
    """An earlier round of training, whose models teach those of later ones."""

    id: str = Field(description="a short name of letters, digits and _")
    teacher: str = Field(description="id of the round that teaches it, which stands before it; none for nobody")

    @field_validator("id")
    @classmethod
    def _id_names_a_folder(cls, name: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9_]{1,50}", name) or name == "none":
            raise ValueError(f"found {shown(name)}, expected at most 50 letters, digits and _, and not none")
        return name
