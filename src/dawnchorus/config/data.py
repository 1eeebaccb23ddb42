"""The section `data`: which data set the experiment uses."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from dawnchorus.config.section import PositiveInt, Section, shown


class Data(Section):
    """Which data set the experiment uses."""

    root: Annotated[str, Field(min_length=1)] = Field(description="folder with the recordings and their labels")
    format: Literal["audacity", "raven", "rfcx"] = Field(
        description="format of the labels: audacity (label tracks), raven (selection tables) or rfcx (competition)"
    )
    species_column: Annotated[str, Field(min_length=1)] | None = Field(
        description="column of Raven's tables with the species; null: a usual name, or the only column of your own"
    )
    bad_audio: Literal["stop", "skip"] = Field(
        description="what to do with unusable recordings: stop the run, or skip them and their annotations"
    )

    channel: Literal["mean"] | PositiveInt = Field(
        description="channel of recordings with several: its number, from 1, or mean for the mean of all"
    )

    @field_validator("root")
    @classmethod
    def _no_shell_would_change_it(cls, root: str) -> str:
        # The stages' commands contain the path, in double quotes.
        if not root.isprintable() or set(root) & set('"$`\\'):
            raise ValueError(f'found {shown(root)}, expected a path without ", $, `, \\ or control characters')
        return root
