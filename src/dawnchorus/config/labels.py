"""The section `labels`: how annotations become targets and masks."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator

from dawnchorus.config.section import Fraction, Section, shown

# The value of `labels.complete` that stands for all recordings.
ALL = "all"


class Labels(Section):
    """How annotations become a window's target and mask."""

    min_overlap: Fraction = Field(
        description="fraction of a box (or of the window, if shorter) that must lie in the window for the box to "
        "count; 0: any overlap"
    )
    within_band: bool = Field(
        description="whether to count a box only if its frequencies overlap the spectrogram's, f_min to f_max"
    )
    complete: Annotated[str, Field(min_length=1)] | None = Field(
        description="recordings in which every call is labelled, so that species without a label are absent: all, or a "
        "table in data.root or data.labels with recording_id and optionally species; null: none"
    )
    weak_negative_weight: Fraction = Field(
        description="loss weight of unannotated species as weak negatives: 1 treats them as absent, 0 ignores them"
    )

    @field_validator("complete")
    @classmethod
    def _complete_is_all_or_in_the_root(cls, complete: str | None) -> str | None:
        if complete is not None and (Path(complete).is_absolute() or ".." in Path(complete).parts):
            raise ValueError(
                f"found {shown(complete)}, expected null, all, or the path of a table in data.root or data.labels, "
                "such as complete.csv"
            )
        return complete
