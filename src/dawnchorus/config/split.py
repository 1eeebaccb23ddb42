"""The section `split`: how recordings are divided into folds."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from dawnchorus.config.section import Section


class Split(Section):
    """How annotated recordings are divided into folds."""

    method: Literal["stratified", "notebook"] = Field(
        description="stratified keeps recordings whole and balances species across folds; notebook is the split of the "
        "first notebook, which leaks; use it only for comparison"
    )
    group: Annotated[str, Field(min_length=1)] | None = Field(
        description="a group's recordings stay in one fold: site, or a column of the competition's tables; null: no "
        "groups"
    )

    @model_validator(mode="after")
    def _notebook_knows_no_groups(self) -> Self:
        if self.method == "notebook" and self.group is not None:
            raise ValueError(f"group ({self.group!r}) must be null where method is notebook, which splits rows")
        return self
