"""The section `head`: how features become scores."""

from typing import Annotated, Literal

from pydantic import Field

from dawnchorus.config.section import MOST, Section

Pooling = Literal["attention", "log_mean_exp"]


class Head(Section):
    """How the network's features become scores."""

    pooling: Pooling = Field(
        description="how the frames' scores become the window's: their mean by a learnt attention, or the "
        "logarithm of the mean of their exponentials"
    )
    frame_weight: Annotated[float, Field(ge=0, le=MOST)] = Field(
        description="weight in the loss of the maximum over the frames' scores, beside the window's; above 0 inference "
        "takes the mean of both"
    )
