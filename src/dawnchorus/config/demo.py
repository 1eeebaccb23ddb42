"""The section `demo`: the embedded data set."""

from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from dawnchorus.config.section import MOST, Fraction, PositiveInt, Section, Seed, lies_in_inputs, shown


class Demo(Section):
    """The embedded data set: its size and how hard it is."""

    seed: Seed = Field(description="seed of the songs, the individuals, the order of prevalence and every recording")
    clips: Annotated[str, Field(min_length=1)] | None = Field(
        description="folder in inputs/ with a folder of sound files for each species; null: invented songs"
    )
    species: Annotated[int, Field(ge=8, le=200)] = Field(description="number of species")
    confusable_pairs: Annotated[int, Field(ge=0, le=100)] = Field(
        description="pairs of species with the same kind of song and band; only rate, direction or length differ"
    )
    unlisted_species: Annotated[int, Field(ge=0, le=200)] = Field(
        description="number of additional species that call but are not to be detected"
    )
    train_recordings: Annotated[int, Field(ge=4, le=MOST)] = Field(description="number of training recordings")
    test_recordings: Annotated[int, Field(ge=2, le=MOST)] = Field(description="number of test recordings")
    seconds: Annotated[float, Field(ge=4, le=3600)] = Field(description="length of a recording, s")
    tp_per_species: Annotated[int, Field(ge=2, le=MOST)] = Field(description="maximum number of TP boxes per species")
    fp_per_species: PositiveInt = Field(description="number of FP boxes per species")
    commonest: Fraction = Field(description="highest prevalence of a species, as a fraction of recordings")
    common_species: PositiveInt = Field(description="number of species with the highest prevalence")
    rarest: Annotated[float, Field(gt=0, le=1)] = Field(
        description="lowest prevalence of a species, as a fraction of recordings"
    )
    snr_mean: Annotated[float, Field(ge=-30, le=60)] = Field(
        description="mean signal-to-noise ratio of a call in its band, dB"
    )
    snr_std: Annotated[float, Field(ge=0, le=30)] = Field(description="standard deviation of that ratio over calls, dB")

    @field_validator("clips")
    @classmethod
    def _clips_are_inputs(cls, clips: str | None) -> str | None:
        if clips is not None and not lies_in_inputs(clips):
            raise ValueError(
                f"found {shown(clips)}, expected null or a folder in the project's folder inputs/, such as "
                "inputs/clips; move the clips there, so that changes to them are detected"
            )
        return clips

    @model_validator(mode="after")
    def _clips_have_no_twins(self) -> Self:
        if self.clips is not None and self.confusable_pairs:
            raise ValueError(
                f"confusable_pairs ({self.confusable_pairs}) must be 0 with clips ({self.clips}): only invented songs "
                "have pairs"
            )
        return self

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
