"""The section `ensemble`: averaging, correction and evaluation."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from dawnchorus.config.section import MOST, Section, lies_in_inputs, shown


class Ensemble(Section):
    """Averaging, correction and evaluation."""

    weights: Literal["equal", "out_of_fold"] = Field(
        description="of the backbones in it: equal, or out_of_fold, those that rank the boxes best that no model has "
        "seen"
    )
    prior: Annotated[str, Field(min_length=1)] = Field(
        description="prevalence that the scores of test recordings are corrected by: none, estimated, or a file in "
        "inputs/ with the columns species,prevalence"
    )
    bootstrap_samples: Annotated[int, Field(ge=100, le=MOST)] = Field(
        description="resamplings of the recordings behind the 95 % intervals"
    )

    @field_validator("prior")
    @classmethod
    def _prior_is_an_input(cls, prior: str) -> str:
        if prior not in ("none", "estimated") and not lies_in_inputs(prior):
            raise ValueError(
                f"found {shown(prior)}, expected none, estimated or a file in the project's folder inputs/, such as "
                "inputs/prevalence.csv: move the table there, so that a change of it is noticed"
            )
        return prior
