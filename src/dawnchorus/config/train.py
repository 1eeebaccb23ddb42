"""The section `train`: the training loop."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from dawnchorus.config.section import MOST, Fraction, PositiveFloat, PositiveInt, Section, lies_in_inputs, shown


class Train(Section):
    """The training loop."""

    pretrained: str | dict[str, str] = Field(
        description="initial weights: none, imagenet, or a file in inputs/ of Keras weights without a top ({backbone} "
        "in its name stands for the backbone); for all backbones, or by their name, others having none"
    )
    epochs: PositiveInt = Field(description="passes over all annotations")
    fp_fraction: Fraction = Field(
        description="part of the FP boxes that an epoch draws windows around, others in each; TP boxes all count"
    )
    batch_size: Annotated[int, Field(ge=2, le=MOST)] = Field(description="windows in a step")
    learning_rate: PositiveFloat = Field(description="highest learning rate of the schedule")
    warmup_learning_rate: PositiveFloat = Field(description="learning rate of the first step")
    warmup_fraction: Annotated[float, Field(ge=0, lt=1)] = Field(
        description="part of the steps until the highest learning rate; a cosine to 0 follows"
    )
    begin_within: Fraction = Field(description="the annotated box begins in this first part of its window")
    mixup_alpha: Annotated[float, Field(ge=0, le=MOST)] = Field(
        description="Beta(alpha, alpha) of mixup's weights; 0 for no mixup"
    )
    cutmix_probability: Fraction = Field(
        description="of a window to be cut at some time and completed with frames of another; 0 with pseudo-labels"
    )
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = Field(
        description="targets are drawn towards 0.5 by this part"
    )
    dropout: Annotated[float, Field(ge=0, lt=1)] = Field(description="dropout before the head")
    checkpoint: Literal["last", "validation_lwlrap", "validation_precision"] = Field(
        description="the epoch whose weights are kept: the last, or the best by a metric of the validation"
    )
    every_epoch: bool = Field(description="whether each epoch's weights are kept too, in results/epoch_weights")
    mixed_precision: bool = Field(description="whether a GPU computes in half precision; a CPU never does")
    xla: bool = Field(
        description="whether the training step is compiled by XLA; on a GPU it may then not repeat its last bits"
    )
    threads: PositiveInt = Field(description="CPU threads of one training or inference job; changes the last bits")

    @field_validator("pretrained", mode="before")
    @classmethod
    def _pretrained_weights_are_inputs(cls, pretrained: Any) -> Any:
        by_backbone = pretrained if isinstance(pretrained, dict) else {"all": pretrained}
        for name, value in by_backbone.items():
            is_source = isinstance(value, str) and (value in ("none", "imagenet") or lies_in_inputs(value))
            if not is_source or not isinstance(name, str):
                raise ValueError(
                    f"found {shown(pretrained)}, expected none, imagenet, a file in the project's folder inputs/, such "
                    "as inputs/{backbone}.weights.h5, or one of these for each backbone, such as {resnet: imagenet}"
                )
        return pretrained

    @model_validator(mode="after")
    def _warmup_rises(self) -> Self:
        if self.warmup_learning_rate > self.learning_rate:
            raise ValueError(
                f"warmup_learning_rate ({self.warmup_learning_rate}) must not be above "
                f"learning_rate ({self.learning_rate})"
            )
        return self


def pretrained_source(pretrained: str | dict[str, str], backbone: str) -> str:
    """What `train.pretrained` gives one backbone: none, imagenet, or the path of a file."""
    source = pretrained if isinstance(pretrained, str) else pretrained.get(backbone, "none")
    return source.replace("{backbone}", backbone)
