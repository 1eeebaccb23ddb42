"""The section `train`: the training loop."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from dawnchorus.config.section import MOST, Fraction, PositiveFloat, PositiveInt, Section, lies_in_inputs, shown


class Train(Section):
    """The training loop."""

    pretrained: str | dict[str, str] = Field(
        description="initial weights: none, imagenet, or a file in inputs/ of Keras weights without the top layers "
        "({backbone} in its path is replaced by the backbone's name); one value for all backbones, or one per "
        "backbone, where a backbone that is not listed has none"
    )
    epochs: PositiveInt = Field(description="passes over all annotations")
    fp_fraction: Fraction = Field(
        description="fraction of the FP boxes that an epoch uses, drawn anew for each epoch; all TP boxes are used"
    )
    unlabelled_fraction: Annotated[float, Field(ge=0, le=MOST)] = Field(
        description="maximum number of windows of unlabelled recordings in an epoch, relative to those around boxes; "
        "only in rounds that learn from pseudo-labels"
    )
    background_fraction: Annotated[float, Field(ge=0, le=MOST)] = Field(
        description="maximum number of windows without a call in an epoch, relative to those around boxes; only from "
        "recordings that labels.complete names"
    )
    batch_size: Annotated[int, Field(ge=2, le=MOST)] = Field(description="windows per step")
    learning_rate: PositiveFloat = Field(description="peak learning rate")
    warmup_learning_rate: PositiveFloat = Field(description="learning rate of the first step")
    warmup_fraction: Annotated[float, Field(ge=0, lt=1)] = Field(
        description="fraction of the steps before the peak learning rate; then the rate falls to 0 along a cosine"
    )
    begin_within: Fraction = Field(description="first fraction of a window in which the annotated box begins")
    mixup_alpha: Annotated[float, Field(ge=0, le=MOST)] = Field(
        description="mixup weights are drawn from Beta(mixup_alpha, mixup_alpha); 0 disables mixup"
    )
    cutmix_probability: Fraction = Field(
        description="probability that a window is cut at a random time and filled with frames of another; must be 0 "
        "with pseudo-labels"
    )
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = Field(description="label-smoothing factor")
    dropout: Annotated[float, Field(ge=0, lt=1)] = Field(description="dropout rate of the features")
    checkpoint: Literal["last", "validation_lwlrap", "validation_precision"] = Field(
        description="epoch whose weights are kept: the last, or the best by a validation metric"
    )
    every_epoch: bool = Field(description="whether to also keep the weights of every epoch, in results/epoch_weights")
    mixed_precision: bool = Field(description="whether to compute in half precision on a GPU; a CPU never does")
    xla: bool = Field(
        description="whether to compile the training step with XLA (JAX always does); on a GPU, last bits may then "
        "differ between runs"
    )
    backend: Literal["tensorflow", "jax"] = Field(
        description="Keras backend of training and inference: tensorflow, or jax, where TensorFlow has no GPU build; "
        "affects the last bits of results"
    )
    threads: PositiveInt = Field(
        description="CPU threads per training or inference job; affects the last bits of results"
    )
    logger: Literal["none", "tensorboard", "mlflow", "wandb"] = Field(
        description="program whose logs results/logs also gets: loss and metrics of each epoch, parameters and final "
        "figures; it changes no result, so no stage runs again"
    )

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
    """The initial weights that `train.pretrained` gives a backbone: none, imagenet, or the path of a file."""
    source = pretrained if isinstance(pretrained, str) else pretrained.get(backbone, "none")
    return source.replace("{backbone}", backbone)
