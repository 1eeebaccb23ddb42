"""The section `report`: what the report page shows."""

from typing import Annotated

from pydantic import Field

from dawnchorus.config.section import Section


class Report(Section):
    """What `results/report.html` shows."""

    examples: Annotated[int, Field(ge=0, le=100)] = Field(
        description="number of sounds of each kind (right, wrong, at the threshold, missed) to play for each species"
    )
