"""The section `data`: which data set the experiment uses."""

import os
import re
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import available_timezones

from pydantic import Field, field_validator, model_validator

from dawnchorus.config.section import PositiveInt, Section, shown

# The columns that `data.columns` may name, for the formats in which it may name any.
NAMEABLE = {
    "aoef": ("species",),
    "birdnet": ("species",),
    "csv": ("recording", "species", "t_min", "t_max", "f_min", "f_max", "label", "annotator", "complete"),
    "raven": ("species",),
}
# The name of the group in `data.site_pattern`.
SITE = "site"


class Data(Section):
    """Which data set the experiment uses."""

    root: Annotated[str, Field(min_length=1)] = Field(description="folder with the recordings and their labels")
    labels: Annotated[str, Field(min_length=1)] = Field(
        description="second folder with label files, read together with those in data.root"
    )
    format: Literal["aoef", "arbimon", "audacity", "birdnet", "csv", "hoplite", "kaleidoscope", "raven", "rfcx"] = (
        Field(
            description="format of the labels, such as raven, kaleidoscope, birdnet or csv; docs/data.md describes all"
        )
    )
    columns: dict[str, Annotated[str, Field(min_length=1)]] = Field(
        description="your names of the columns recording, species, t_min, t_max, f_min, f_max, label, annotator and "
        "complete"
    )
    timezone: str | None = Field(
        description="time zone of recorders' clocks that did not write one, such as America/Puerto_Rico; null: unknown"
    )
    site_pattern: str | None = Field(
        description="regular expression that finds the group (?P<site>...) in each recording_id; null: its folder"
    )
    bad_audio: Literal["stop", "skip"] = Field(
        description="what to do with unusable recordings: stop the run, or skip them and their annotations"
    )

    species: list[Annotated[str, Field(min_length=1)]] | Annotated[str, Field(min_length=1)] | None = Field(
        description="species to use: null for all, a list of codes, or a table in data.root or data.labels"
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
    def _species_are_a_list_or_in_a_folder(cls, species: list[str] | str | None) -> list[str] | str | None:
        if isinstance(species, str) and (Path(species).is_absolute() or ".." in Path(species).parts):
            raise ValueError(
                f"found {shown(species)}, expected null, a list of codes, or the path of a table in data.root or "
                "data.labels, such as species.csv"
            )
        if isinstance(species, list) and (not species or len(set(species)) < len(species)):
            raise ValueError(f"found {shown(species)}, expected at least one code, and each once")
        return species

    @field_validator("site_pattern")
    @classmethod
    def _site_pattern_has_its_group(cls, pattern: str | None) -> str | None:
        if pattern is not None:
            compile_site_pattern(pattern)
        return pattern

    @field_validator("root", "labels")
    @classmethod
    def _the_project_is_elsewhere(cls, folder: str) -> str:
        if Path.cwd().is_relative_to(os.path.abspath(folder)):
            raise ValueError(f"found {shown(folder)}, which contains this project and its results; name another folder")
        return folder

    @field_validator("root", "labels")
    @classmethod
    def _no_shell_would_change_it(cls, folder: str) -> str:
        # The stages' commands contain the path, in double quotes.
        if not folder.isprintable() or set(folder) & set('"$`\\'):
            raise ValueError(f'found {shown(folder)}, expected a path without ", $, `, \\ or control characters')
        return folder

    @model_validator(mode="after")
    def _folders_are_apart(self) -> Self:
        reason = why_not_apart(Path(self.root), Path(self.labels))
        if reason is not None:
            raise ValueError(
                f"data.labels: found {shown(self.labels)}, which {reason}; name a folder with label files only, such "
                "as labels"
            )
        return self

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


def compile_site_pattern(pattern: str) -> re.Pattern[str]:
    """Compile a regular expression for sites.

    Raises:
        ValueError: it is no regular expression, or has no group `site`.
    """
    expected = "expected a regular expression with a group (?P<site>...), such as (?P<site>[^_]+)_"
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise ValueError(f"found {shown(pattern)}, {expected}: {error}") from error
    if SITE not in compiled.groupindex:
        raise ValueError(f"found {shown(pattern)}, {expected}")
    return compiled


def why_not_apart(root: Path, labels: Path) -> str | None:
    """Why the folder of recordings and the other folder of labels cannot be used together; None if they can."""
    above, below = (Path(os.path.abspath(folder)) for folder in (root, labels))
    if below.is_relative_to(above):
        return "is or lies in data.root, where label files are read anyway"
    if above.is_relative_to(below):
        return "contains data.root"
    return None
