"""The section `data`: which data set the experiment uses."""

from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import available_timezones

from pydantic import Field, field_validator, model_validator

from dawnchorus.config.section import PositiveInt, Section, shown

# The columns that `data.columns` may name, for the formats in which it may name any.
NAMEABLE = {
    "aoef": ("species",),
    "birdnet": ("species",),
    "csv": ("recording", "species", "t_min", "t_max", "f_min", "f_max", "label", "annotator"),
    "raven": ("species",),
}


class Data(Section):
    """Which data set the experiment uses."""

    root: Annotated[str, Field(min_length=1)] = Field(description="folder with the recordings and their labels")
    format: Literal["aoef", "arbimon", "audacity", "birdnet", "csv", "hoplite", "kaleidoscope", "raven", "rfcx"] = (
        Field(
            description="format of the labels, such as raven, kaleidoscope, birdnet or csv; docs/data.md describes all"
        )
    )
    columns: dict[str, Annotated[str, Field(min_length=1)]] = Field(
        description="your names of the columns recording, species, t_min, t_max, f_min, f_max, label and annotator"
    )
    timezone: str | None = Field(
        description="time zone of recorders' clocks that did not write one, such as America/Puerto_Rico; null: unknown"
    )
    bad_audio: Literal["stop", "skip"] = Field(
        description="what to do with unusable recordings: stop the run, or skip them and their annotations"
    )

    species: list[Annotated[str, Field(min_length=1)]] | Annotated[str, Field(min_length=1)] | None = Field(
        description="species to use: null for all, a list of codes, or a table in data.root that names and merges them"
    )
    channel: Literal["mean"] | PositiveInt = Field(
        description="channel of recordings with several: its number, from 1, or mean for the mean of all"
    )

    @field_validator("timezone")
    @classmethod
    def _timezone_is_known(cls, zone: str | None) -> str | None:
        if zone is not None and zone not in available_timezones():
            raise ValueError(
                f"found {shown(zone)}, expected null or the name of a time zone, such as America/Puerto_Rico or UTC"
            )
        return zone

    @field_validator("species")
    @classmethod
    def _species_are_a_list_or_in_the_root(cls, species: list[str] | str | None) -> list[str] | str | None:
        if isinstance(species, str) and (Path(species).is_absolute() or ".." in Path(species).parts):
            raise ValueError(
                f"found {shown(species)}, expected null, a list of codes, or the path of a table in data.root, such as "
                "species.csv"
            )
        if isinstance(species, list) and (not species or len(set(species)) < len(species)):
            raise ValueError(f"found {shown(species)}, expected at least one code, and each once")
        return species

    @field_validator("root")
    @classmethod
    def _no_shell_would_change_it(cls, root: str) -> str:
        # The stages' commands contain the path, in double quotes.
        if not root.isprintable() or set(root) & set('"$`\\'):
            raise ValueError(f'found {shown(root)}, expected a path without ", $, `, \\ or control characters')
        return root

    @model_validator(mode="after")
    def _columns_can_be_named(self) -> Self:
        nameable = NAMEABLE.get(self.format, ())
        wrong = [column for column in self.columns if column not in nameable]
        if wrong:
            expected = ", ".join(nameable) or "none"
            raise ValueError(
                f"data.columns: found {', '.join(wrong)}, expected names for {expected}: data.format is {self.format}"
            )
        return self
