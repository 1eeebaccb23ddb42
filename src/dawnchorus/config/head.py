"""The section `head`: how features become scores."""

from typing import Annotated, Literal

from pydantic import Field

from dawnchorus.config.section import MOST, Section

Pooling = Literal["attention", "log_mean_exp"]


class Head(Section):
    """How the backbone's features become scores."""

    pooling: Pooling = Field(
        description="pooling of frame scores into a window score: attention, a learned weighted mean, or log_mean_exp, "
        "the logarithm of the mean of their exponentials"
    )
    frame_weight: Annotated[float, Field(ge=0, le=MOST)] = Field(
        description="loss weight of the maximum frame score, where the window score has weight 1; above 0, inference "
        "averages both scores"
    )
