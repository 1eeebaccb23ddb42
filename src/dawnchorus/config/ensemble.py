"""The section `ensemble`: averaging, correction and evaluation."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from dawnchorus.config.section import MOST, Section, lies_in_inputs, shown


class Ensemble(Section):
    """Averaging, correction and evaluation."""

    weights: Literal["equal", "out_of_fold"] = Field(
        description="weights of the backbones: equal, or out_of_fold, which ranks the out-of-fold boxes best"
    )
    prior: Annotated[str, Field(min_length=1)] = Field(
        description="prevalence used to correct the scores of test recordings: none, estimated, or a file in inputs/ "
        "with the columns species,prevalence"
    )
    bootstrap_samples: Annotated[int, Field(ge=100, le=MOST)] = Field(
        description="number of bootstrap resamples of the recordings for the 95 % intervals"
    )

    @field_validator("prior")
    @classmethod
    def _prior_is_an_input(cls, prior: str) -> str:
        if prior not in ("none", "estimated") and not lies_in_inputs(prior):
            raise ValueError(
                f"found {shown(prior)}, expected none, estimated or a file in the project's folder inputs/, such as "
                "inputs/prevalence.csv; move the table there, so that changes to it are detected"
            )
        return prior
