"""All of `params.yaml`, and the rules that involve several sections."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from dawnchorus.config.augment import Augment
from dawnchorus.config.data import Data
from dawnchorus.config.demo import Demo
from dawnchorus.config.detect import Detect
from dawnchorus.config.ensemble import Ensemble
from dawnchorus.config.features import Embedding
from dawnchorus.config.head import Head
from dawnchorus.config.labels import Labels
from dawnchorus.config.names import STUDENT
from dawnchorus.config.predict import Predict
from dawnchorus.config.report import Report
from dawnchorus.config.rounds import NONE, Round, require_lineage
from dawnchorus.config.section import MOST, Section, Seed, lies_in_inputs
from dawnchorus.config.spectrogram import Spectrogram
from dawnchorus.config.split import Split
from dawnchorus.config.train import Train, pretrained_source
from dawnchorus.config.window import Image, Window

# A backbone has the name of its module in `models/backbones/`.
BackboneName = Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$", max_length=50)]


class Params(Section):
    """All of `params.yaml`."""

    seed: Seed = Field(description="seed of every random draw: folds, initial weights, training windows and all others")
    data: Data
    demo: Demo
    split: Split
    backbones: list[BackboneName] = Field(description="backbones of the ensemble, which are trained")
    embeddings: list[BackboneName] = Field(
        description="embeddings of the ensemble, which are frozen, each with a trained linear head; settings are under "
        "features"
    )
    folds: Annotated[list[Annotated[int, Field(ge=0, le=MOST)]], Field(min_length=2)] = Field(
        description="fold numbers, 0, 1, 2, ..."
    )
    rounds: Annotated[list[Round], Field(min_length=1, max_length=100)] = Field(
        description="rounds of self-training, each {id, pseudo_labels, weight}; list a round before the rounds that "
        "use it; the last one is evaluated and shipped"
    )
    student: Annotated[list[BackboneName], Field(max_length=1)] = Field(
        description="backbone of a student, one network that learns from the whole ensemble for export; [] for none"
    )
    spectrogram: Spectrogram
    features: dict[BackboneName, Embedding] = Field(description="the embeddings that can be listed in embeddings")
    window: Window
    image: Image
    labels: Labels
    augment: Augment
    head: Head
    train: Train
    predict: Predict
    ensemble: Ensemble
    detect: Detect
    report: Report

    @model_validator(mode="after")
    def _sections_agree(self) -> Self:
        if self.folds != list(range(len(self.folds))):
            raise ValueError(f"folds is {self.folds}; they must be numbered 0, 1, 2, ... without gaps")
        if len(set(self.members)) < len(self.members):
            raise ValueError(f"backbones and embeddings are {self.members}; each name may appear only once")
        if STUDENT in self.members:
            raise ValueError(f"backbones and embeddings are {self.members}; {STUDENT} is no name for a member")
        if not self.members:
            raise ValueError("backbones and embeddings are both empty; list at least one")
        if self.predict.hop_seconds > self.window.seconds:
            raise ValueError(
                f"predict.hop_seconds ({self.predict.hop_seconds}) must not be above "
                f"window.seconds ({self.window.seconds}), or parts of a recording would never be scored"
            )
        if self.window.seconds * self.spectrogram.sample_rate < self.spectrogram.n_fft:
            raise ValueError(
                f"window.seconds ({self.window.seconds}) must be at least one frame of spectrogram.n_fft samples"
            )
        if "time_masks" in self.augment.choices and self.augment.time_mask_frames >= self.window_frames:
            raise ValueError(
                f"augment.time_mask_frames ({self.augment.time_mask_frames}) must be below the number of frames in a "
                f"window ({self.window_frames})"
            )
        if "frequency_masks" in self.augment.choices and self.augment.frequency_mask_mels >= self.spectrogram.n_mels:
            raise ValueError(
                f"augment.frequency_mask_mels ({self.augment.frequency_mask_mels}) must be below spectrogram.n_mels "
                f"({self.spectrogram.n_mels})"
            )
        pretrained = self.train.pretrained
        sources = [pretrained_source(pretrained, name) for name in self.backbones]
        if isinstance(pretrained, str) and lies_in_inputs(pretrained) and len(set(sources)) < len(sources):
            raise ValueError(
                f"train.pretrained ({pretrained}) is one file for {len(self.backbones)} backbones; write "
                "{backbone} in its name, or give each backbone its own: {resnet: inputs/resnet.weights.h5}"
            )
        return self

    @model_validator(mode="after")
    def _embeddings_hear_whole_windows(self) -> Self:
        for name in self.embeddings:
            if name not in self.features:
                known = ", ".join(self.features) or "none yet"
                raise ValueError(f"embeddings: {name} has no settings under features; expected one of {known}")
            if self.window.seconds > self.features[name].seconds:
                raise ValueError(
                    f"window.seconds ({self.window.seconds}) must not be above features.{name}.seconds "
                    f"({self.features[name].seconds}), or the embedding would not hear whole windows; "
                    f"set window.seconds to at most {self.features[name].seconds}"
                )
        return self

    @model_validator(mode="after")
    def _rounds_are_possible(self) -> Self:
        require_lineage(self.rounds)
        if self.student and (self.train.checkpoint != "last" or self.split.method == "notebook"):
            raise ValueError(
                f"student ({self.student[0]}) needs train.checkpoint: last and split.method: stratified, or the scores "
                "that it learns from would not be of left-out recordings"
            )
        if len(self.rounds) > 1 and self.train.checkpoint != "last":
            raise ValueError(
                f"train.checkpoint ({self.train.checkpoint}) must be last with several rounds: models of earlier "
                "rounds were trained on the recordings that would choose the epoch"
            )
        if len(self.rounds) > 1 and self.split.method == "notebook":
            raise ValueError(
                "split.method (notebook) must be stratified with several rounds: its folds leak, so models would give "
                "pseudo-labels to recordings that they were trained on"
            )
        return self

    @model_validator(mode="after")
    def _pseudo_labels_are_of_whole_windows(self) -> Self:
        learns = self.student or any(each.pseudo_labels != NONE for each in self.rounds)
        if self.train.cutmix_probability > 0 and learns:
            raise ValueError(
                f"train.cutmix_probability ({self.train.cutmix_probability}) must be 0 where models learn from "
                "pseudo-labels: these are scores of whole windows, not of the parts that CutMix keeps"
            )
        return self

    @property
    def members(self) -> list[str]:
        """The names of the backbones and embeddings, whose scores the ensemble averages."""
        return [*self.backbones, *self.embeddings]

    @property
    def window_frames(self) -> int:
        """The number of frames in a window."""
        return round(self.window.seconds * self.spectrogram.sample_rate / self.spectrogram.hop_length)

    @property
    def image_shape(self) -> tuple[int, int]:
        """The shape (Frames, Mels) of the image that a window is resized to."""
        return self.image.frames or self.window_frames, self.image.mels or self.spectrogram.n_mels
