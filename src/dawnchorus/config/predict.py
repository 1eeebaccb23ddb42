"""The section `predict`: scoring whole recordings."""

from pydantic import Field

from dawnchorus.config.section import PositiveFloat, PositiveInt, Section


class Predict(Section):
    """Scoring of whole recordings, window by window."""

    hop_seconds: PositiveFloat = Field(description="time between the starts of two windows, s; at most window.seconds")
    batch_size: PositiveInt = Field(description="windows per forward pass")
