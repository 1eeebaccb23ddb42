"""The section `ensemble`: averaging, correction and evaluation."""

from typing import Annotated, Literal

from pydantic import Field

from dawnchorus.config.section import MOST, Section


class Ensemble(Section):
    """Averaging, correction and evaluation."""

    weights: Literal["equal", "out_of_fold"] = Field(
        description="of the backbones in it: equal, or out_of_fold, those that rank the boxes best that no model has "
        "seen"
    )
    prior: Annotated[str, Field(min_length=1)] = Field(
        description="prevalence that the scores of test recordings are corrected by: none, estimated, or a file with "
        "the columns species,prevalence"
    )
    bootstrap_samples: Annotated[int, Field(ge=100, le=MOST)] = Field(
        description="resamplings of the recordings behind the 95 % intervals"
    )
