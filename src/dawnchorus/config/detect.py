"""The section `detect`: how window scores become detections."""

from typing import Annotated

from pydantic import Field

from dawnchorus.config.section import MOST, Section


class Detect(Section):
    """How window scores become detections."""

    precision: Annotated[float, Field(gt=0, lt=1)] = Field(
        description="precision that the threshold of each species is chosen for"
    )
    gap_seconds: Annotated[float, Field(ge=0, le=MOST)] = Field(
        description="windows above the threshold with at most this much time between them are one detection, s"
    )
    min_seconds: Annotated[float, Field(ge=0, le=MOST)] = Field(description="shorter detections are left out, s")
