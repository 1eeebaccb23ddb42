"""The parameters of an experiment: what `params.yaml` may hold, with units and limits."""

import json
import re
import reprlib
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, ScalarEvent

from dawnchorus.errors import InputError

BackboneName = Literal["small_cnn", "small_resnet", "inception", "efficientnet", "resnet"]

# Aliases of aliases can stand for more than fits into any memory.
MOST_VALUES = 10_000
DEEPEST = 32

# Fewest frames and mel bands that a backbone's poolings leave something of; for the last three Keras's own limits.
SMALLEST_IMAGE: dict[BackboneName, int] = {
    "small_cnn": 24,
    "small_resnet": 24,
    "inception": 75,
    "efficientnet": 32,
    "resnet": 32,
}

# Those whose ImageNet weights Keras offers; the small ones always begin with new weights.
IMAGENET_BACKBONES: tuple[BackboneName, ...] = ("inception", "efficientnet", "resnet")

Pooling = Literal["attention", "log_mean_exp"]

Augmentation = Literal[
    "time_dropout", "time_masks", "frequency_masks", "brightness", "contrast", "flip_time", "flip_frequency"
]

# More than any use has, and few enough that no product of two overflows.
MOST = 10**9

PositiveInt = Annotated[int, Field(ge=1, le=MOST)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Fraction = Annotated[float, Field(ge=0, le=1)]
PositiveFloat = Annotated[float, Field(gt=0, le=MOST)]


class Section(BaseModel):
    """A section of `params.yaml`: no unknown keys, no conversions between types, no changes after loading."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Demo(Section):
    """The embedded data set: its size and how hard it is."""

    seed: Seed = Field(description="songs, individuals, prevalence order and every recording follow from it")
    species: Annotated[int, Field(ge=8, le=200)] = Field(description="number of species")
    confusable_pairs: Annotated[int, Field(ge=0, le=100)] = Field(
        description="pairs of them with the same kind of song and band, that differ in rate, direction or length"
    )
    unlisted_species: Annotated[int, Field(ge=0, le=200)] = Field(
        description="number of further species that call and are none of those to be found"
    )
    train_recordings: Annotated[int, Field(ge=4, le=MOST)] = Field(description="number of training recordings")
    test_recordings: Annotated[int, Field(ge=2, le=MOST)] = Field(description="number of test recordings")
    seconds: Annotated[float, Field(ge=4, le=3600)] = Field(description="length of a recording, s")
    tp_per_species: Annotated[int, Field(ge=2, le=MOST)] = Field(description="at most so many TP boxes for a species")
    fp_per_species: PositiveInt = Field(description="FP boxes for a species")
    commonest: Fraction = Field(description="prevalence of the commonest species, fraction of recordings")
    common_species: PositiveInt = Field(description="number of species that are as common as the commonest")
    rarest: Annotated[float, Field(gt=0, le=1)] = Field(
        description="prevalence of the rarest species, fraction of recordings"
    )
    snr_mean: Annotated[float, Field(ge=-30, le=60)] = Field(
        description="mean signal-to-noise of a call in its band, dB"
    )
    snr_std: Annotated[float, Field(ge=0, le=30)] = Field(description="its standard deviation over calls, dB")

    @model_validator(mode="after")
    def _prevalence_falls(self) -> Self:
        if self.rarest > self.commonest:
            raise ValueError(f"rarest ({self.rarest}) must not be above commonest ({self.commonest})")
        return self

    @model_validator(mode="after")
    def _enough_species(self) -> Self:
        if 2 * self.confusable_pairs > self.species:
            raise ValueError(
                f"confusable_pairs ({self.confusable_pairs}) must not be above half of species ({self.species})"
            )
        if self.common_species > self.species:
            raise ValueError(f"common_species ({self.common_species}) must not be above species ({self.species})")
        return self


class Data(Section):
    """Which data set the experiment uses."""

    root: Annotated[str, Field(min_length=1)] = Field(description="folder with train/, test/ and the tables")
    bad_audio: Literal["stop", "skip"] = Field(
        description="what recordings that cannot be used do: stop the run, or be skipped with their rows"
    )

    @field_validator("root")
    @classmethod
    def _no_shell_would_change_it(cls, root: str) -> str:
        # It stands in the stages' commands, between double quotes.
        if not root.isprintable() or set(root) & set('"$`\\'):
            raise ValueError(f'found {_shown(root)}, expected a path without ", $, `, \\ and control characters')
        return root


class Round(Section):
    """An earlier round of training, whose models teach those of later ones."""

    id: str = Field(description="a short name of letters, digits and _")
    teacher: str = Field(description="id of the round that teaches it, which stands before it; none for nobody")

    @field_validator("id")
    @classmethod
    def _id_names_a_folder(cls, name: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9_]{1,50}", name) or name == "none":
            raise ValueError(f"found {_shown(name)}, expected at most 50 letters, digits and _, and not none")
        return name


class Split(Section):
    """How annotated recordings are divided into folds."""

    method: Literal["stratified", "notebook"] = Field(
        description="stratified keeps recordings whole and species even; notebook is the split of the first notebook, "
        "which leaks, for comparison"
    )
    group: Annotated[str, Field(min_length=1)] | None = Field(
        description="column of train_tp.csv and train_fp.csv, such as a site: its recordings stay in one fold; null "
        "for none"
    )

    @model_validator(mode="after")
    def _notebook_knows_no_groups(self) -> Self:
        if self.method == "notebook" and self.group is not None:
            raise ValueError(f"group ({self.group!r}) must be null where method is notebook, which divides rows")
        return self


class Spectrogram(Section):
    """The mel spectrogram that is cached for every recording."""

    sample_rate: Annotated[int, Field(ge=1000, le=10_000_000)] = Field(description="recordings are resampled to it, Hz")
    n_fft: Annotated[int, Field(ge=16, le=2**20)] = Field(
        description="samples in a frame's Hann window and Fourier transform"
    )
    hop_length: PositiveInt = Field(description="samples between two frames")
    n_mels: Annotated[int, Field(ge=8, le=2**16)] = Field(description="mel bands")
    f_min: Annotated[float, Field(ge=0)] = Field(description="lower edge of the lowest band, Hz")
    f_max: PositiveFloat = Field(description="upper edge of the highest band, Hz; at most half the sample rate")

    @model_validator(mode="after")
    def _band_is_possible(self) -> Self:
        if not self.f_min < self.f_max <= self.sample_rate / 2:
            raise ValueError(
                f"f_min ({self.f_min}) < f_max ({self.f_max}) <= sample_rate / 2 ({self.sample_rate / 2}) must hold"
            )
        if self.hop_length > self.n_fft:
            raise ValueError(f"hop_length ({self.hop_length}) must not be above n_fft ({self.n_fft})")
        return self


class Window(Section):
    """The stretch of a recording that the model sees."""

    seconds: PositiveFloat = Field(description="length, s")


class Image(Section):
    """What the network gets of a window."""

    frames: PositiveInt | None = Field(description="columns that its frames are resized to; null keeps them")
    mels: PositiveInt | None = Field(description="rows that its mel bands are resized to; null keeps them")
    frequency_channel: bool = Field(
        description="whether another channel holds the position in frequency, -1 to 1; with ImageNet's networks in "
        "place of one of three that are alike"
    )


class Labels(Section):
    """How annotations become a window's target and mask."""

    min_overlap: Fraction = Field(
        description="part of a box (at most of a window) that must lie in the window for the box to count; 0: any"
    )
    within_band: bool = Field(
        description="whether a box counts only if its frequencies overlap the spectrogram's, f_min to f_max"
    )
    unlabelled_weight: Fraction = Field(
        description="weight in the loss of species that nobody listened for; 1 takes them as absent, 0 ignores them"
    )


class Augment(Section):
    """Random changes of training images, after standardizing, so that their units do not depend on levels."""

    choices: list[Augmentation] = Field(description="those to draw from; [] for none")
    most: PositiveInt = Field(description="an image gets 0 to so many of them, each at most once")
    time_dropout_cuts: PositiveInt = Field(description="stretches of time_dropout that are silenced")
    time_dropout_width: Annotated[float, Field(gt=0, lt=1)] = Field(description="length of each, part of a window")
    time_masks: PositiveInt = Field(description="stretches of time_masks that are silenced")
    time_mask_frames: PositiveInt = Field(description="longest of them, frames of the spectrogram")
    frequency_masks: PositiveInt = Field(description="bands of frequency_masks that are silenced")
    frequency_mask_mels: PositiveInt = Field(description="widest of them, mel bands of the spectrogram")
    brightness: PositiveFloat = Field(description="most that is added or taken off, standard deviations of the image")
    contrast_low: PositiveFloat = Field(description="smallest factor of differences from the image's mean")
    contrast_high: PositiveFloat = Field(description="largest factor of differences from the image's mean")

    @model_validator(mode="after")
    def _choices_are_possible(self) -> Self:
        if len(set(self.choices)) < len(self.choices):
            raise ValueError(f"choices is {self.choices}; each may stand there once")
        if self.contrast_low > self.contrast_high:
            raise ValueError(
                f"contrast_low ({self.contrast_low}) must not be above contrast_high ({self.contrast_high})"
            )
        return self


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


class Train(Section):
    """The training loop."""

    pretrained: Annotated[str, Field(min_length=1)] = Field(
        description="weights that a backbone begins with: none, imagenet, or a file of Keras weights without a top, "
        "{backbone} in whose name stands for the backbone"
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
        description="of a window to be cut at some time and to go on, or to begin, with another one's frames"
    )
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = Field(
        description="targets are drawn towards 0.5 by this part"
    )
    dropout: Annotated[float, Field(ge=0, lt=1)] = Field(description="dropout before the head")
    checkpoint: Literal["last", "validation_lwlrap", "validation_precision"] = Field(
        description="the epoch whose weights are kept: the last, or the best by a metric of the validation"
    )
    every_epoch: bool = Field(description="whether each epoch's weights are kept too, in results/checkpoints")
    mixed_precision: bool = Field(description="whether a GPU computes in half precision; a CPU never does")
    xla: bool = Field(
        description="whether the training step is compiled by XLA; on a GPU it may then not repeat its last bits"
    )
    threads: PositiveInt = Field(description="CPU threads of one training or inference job; changes the last bits")

    @model_validator(mode="after")
    def _warmup_rises(self) -> Self:
        if self.warmup_learning_rate > self.learning_rate:
            raise ValueError(
                f"warmup_learning_rate ({self.warmup_learning_rate}) must not be above "
                f"learning_rate ({self.learning_rate})"
            )
        return self


class Infer(Section):
    """Scoring of whole recordings, window by window."""

    hop_seconds: PositiveFloat = Field(description="between the starts of two windows, s; at most a window's length")
    batch_size: PositiveInt = Field(description="windows in a forward pass")


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


class Params(Section):
    """All of `params.yaml`."""

    seed: Seed = Field(description="of folds, initial weights, crops and every other random draw")
    data: Data
    demo: Demo
    split: Split
    backbones: Annotated[list[BackboneName], Field(min_length=1)] = Field(description="networks of the ensemble")
    folds: Annotated[list[Annotated[int, Field(ge=0, le=MOST)]], Field(min_length=2)] = Field(
        description="0, 1, 2, ..."
    )
    teachers: Annotated[list[Round], Field(max_length=100)] = Field(
        description="earlier rounds of training, each {id, teacher}; a teacher stands before those whom it teaches"
    )
    teacher: str = Field(
        description="id of the round whose scores the models learn where nobody listened for a species; none for nobody"
    )
    teacher_weight: Fraction = Field(description="weight in the loss of such scores, in all rounds that have a teacher")
    spectrogram: Spectrogram
    window: Window
    image: Image
    labels: Labels
    augment: Augment
    head: Head
    train: Train
    infer: Infer
    ensemble: Ensemble

    @model_validator(mode="after")
    def _sections_agree(self) -> Self:
        if self.folds != list(range(len(self.folds))):
            raise ValueError(f"folds is {self.folds}; they must be numbered 0, 1, 2, ... without a gap")
        if len(set(self.backbones)) < len(self.backbones):
            raise ValueError(f"backbones is {self.backbones}; each may stand there once")
        if self.infer.hop_seconds > self.window.seconds:
            raise ValueError(
                f"infer.hop_seconds ({self.infer.hop_seconds}) must not be above "
                f"window.seconds ({self.window.seconds}), or parts of a recording are never looked at"
            )
        if self.window.seconds * self.spectrogram.sample_rate < self.spectrogram.n_fft:
            raise ValueError(
                f"window.seconds ({self.window.seconds}) must hold at least one frame of spectrogram.n_fft samples"
            )
        window_frames = round(self.window.seconds * self.spectrogram.sample_rate / self.spectrogram.hop_length)
        frames, mels = self.image.frames or window_frames, self.image.mels or self.spectrogram.n_mels
        for name in self.backbones:
            if min(frames, mels) < SMALLEST_IMAGE[name]:
                raise ValueError(
                    f"backbones: {name} needs images of at least {SMALLEST_IMAGE[name]} frames and mel bands, but "
                    f"window.seconds ({self.window.seconds}), spectrogram.n_mels ({self.spectrogram.n_mels}) and the "
                    f"section image give {frames} x {mels}"
                )
        if "time_masks" in self.augment.choices and self.augment.time_mask_frames >= window_frames:
            raise ValueError(
                f"augment.time_mask_frames ({self.augment.time_mask_frames}) must be below the frames of a window "
                f"({window_frames})"
            )
        if "frequency_masks" in self.augment.choices and self.augment.frequency_mask_mels >= self.spectrogram.n_mels:
            raise ValueError(
                f"augment.frequency_mask_mels ({self.augment.frequency_mask_mels}) must be below spectrogram.n_mels "
                f"({self.spectrogram.n_mels})"
            )
        if self.train.pretrained != "none":
            small = [name for name in self.backbones if name not in IMAGENET_BACKBONES]
            if small:
                raise ValueError(
                    f"train.pretrained ({self.train.pretrained}): there are no such weights for {', '.join(small)}; "
                    f"use none, or backbones out of {', '.join(IMAGENET_BACKBONES)}"
                )
            is_file = self.train.pretrained != "imagenet"
            if is_file and len(self.backbones) > 1 and "{backbone}" not in self.train.pretrained:
                raise ValueError(
                    f"train.pretrained ({self.train.pretrained}) is one file for {len(self.backbones)} backbones; "
                    "write {backbone} in its name where theirs stand"
                )
        return self

    @model_validator(mode="after")
    def _teachers_stand_before_those_whom_they_teach(self) -> Self:
        before = ["none"]
        for each in self.teachers:
            if each.id in before:
                raise ValueError(f"teachers: the id {each.id} stands there twice; each round needs one of its own")
            if each.teacher not in before:
                raise ValueError(
                    f"teachers: the teacher of {each.id} is {_shown(each.teacher)}, which is no round before it; "
                    f"expected {' or '.join(before)}"
                )
            before.append(each.id)
        if self.teacher not in before:
            raise ValueError(
                f"teacher is {_shown(self.teacher)}, which is no round in teachers; expected {' or '.join(before)}"
            )
        if self.teachers and self.train.checkpoint != "last":
            raise ValueError(
                f"train.checkpoint ({self.train.checkpoint}) must be last where there are teachers, which have seen "
                "the recordings that would choose the epoch"
            )
        if self.teachers and self.split.method == "notebook":
            raise ValueError(
                "split.method (notebook) must be stratified where there are teachers: in its folds models would teach "
                "what they were trained on"
            )
        return self

    @property
    def lineage(self) -> list[str]:
        """Ids of the rounds that the models learn from, the last one first: their teacher, its teacher and so on."""
        teacher_of = {each.id: each.teacher for each in self.teachers}
        found, name = [], self.teacher
        while name != "none":
            found.append(name)
            name = teacher_of[name]
        return found


def load_params(path: Path | str) -> Params:
    """Read and validate a parameter file.

    Raises:
        InputError: the file cannot be read, is no YAML, or has an unknown key, a wrong type or an impossible value;
            the message has one line for each of them.
    """
    path = Path(path)
    try:
        # YAML 1.2, as DVC reads it: 1e-5 is a number.
        text = path.read_text(encoding="utf-8")
        excess = _excess(text)
        content = None if excess else YAML(typ="safe", pure=True).load(text)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error
    except YAMLError as error:
        raise InputError(f"{path}: is not valid YAML: {error}") from error
    # A number, a date or a tag that Python's own constructors refuse comes with whatever they raise.
    except Exception as error:
        raise InputError(f"{path}: holds a value that cannot be read: {type(error).__name__}: {error}") from error
    if excess:
        raise InputError(f"{path}: {excess}; expected sections of keys and values, as in presets/")
    if not isinstance(content, dict):
        raise InputError(f"{path}: found {type(content).__name__}, expected sections such as 'data:' and 'train:'")
    try:
        return Params.model_validate(content)
    except ValidationError as error:
        raise InputError("\n".join(_explain(path, content, item) for item in error.errors())) from error


def json_schema() -> str:
    """The JSON schema of `params.yaml`, as the text of `workflow/schemas/params.schema.json`."""
    return json.dumps(Params.model_json_schema(), indent=2) + "\n"


def _excess(text: str) -> str:
    """What of a YAML text would fill the memory, aliases being written out; empty for nothing."""
    sizes: dict[str, int] = {}
    counts, anchors = [0], [""]
    for event in YAML(typ="safe", pure=True).parse(text):
        if isinstance(event, AliasEvent):
            counts[-1] += sizes.get(event.anchor, 1)
        elif isinstance(event, ScalarEvent):
            counts[-1] += 1
        elif isinstance(event, CollectionStartEvent):
            counts.append(1)
            anchors.append(event.anchor)
            if len(counts) > DEEPEST:
                return f"is nested more than {DEEPEST} levels deep"
        elif isinstance(event, CollectionEndEvent):
            size = counts.pop()
            counts[-1] += size
            sizes[anchors.pop()] = size
        if counts[-1] > MOST_VALUES:
            return f"holds more than {MOST_VALUES} values, its aliases being written out"
    return ""


class _Short(reprlib.Repr):
    """Shows a value of any depth and size in a line."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel, self.maxlist, self.maxdict, self.maxstring, self.maxother = 2, 20, 10, 200, 200

    def repr_int(self, x: int, level: int) -> str:
        # Python refuses to write out an integer of thousands of digits.
        return repr(x) if x.bit_length() < 200 else f"an integer of {x.bit_length()} bits"


_shown = _Short().repr


def _explain(path: Path, content: dict[str, Any], item: Any) -> str:
    """One line for one of pydantic's errors: file, key, value found, and what is allowed."""
    location = item["loc"]
    key = ".".join(str(part) for part in location)
    if item["type"] == "extra_forbidden":
        section: Any = Params
        for part in location[:-1]:
            # A number is an item's in a list of sections.
            section = get_args(section)[0] if isinstance(part, int) else section.model_fields[part].annotation
        known = ", ".join(section.model_fields)
        return f"{path}: {key}: unknown key with value {_shown(item['input'])}; known here: {known}"
    if item["type"] == "missing":
        return f"{path}: {key}: is missing; {_description(location)}"
    if item["type"] == "value_error":
        return f"{path}: {key + ': ' if key else ''}{item['ctx']['error']}"
    rule = item["msg"].removeprefix("Input should be ")
    return f"{path}: {key}: found {_shown(item['input'])}, expected {rule}; {_description(location)}"


def _description(location: tuple[str | int, ...]) -> str:
    section: Any = Params
    description = ""
    for part in location:
        if isinstance(part, int) and len(get_args(section)) == 1:
            section = get_args(section)[0]
            continue
        if not (isinstance(section, type) and issubclass(section, BaseModel)) or str(part) not in section.model_fields:
            break
        field = section.model_fields[str(part)]
        description, section = field.description or "", field.annotation
    return f"it is: {description}" if description else "a section of its own"
