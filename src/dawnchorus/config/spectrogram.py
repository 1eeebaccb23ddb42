"""The section `spectrogram`: the mel spectrogram of a recording."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from dawnchorus.config.section import PositiveFloat, PositiveInt, Section


class Spectrogram(Section):
    """The mel spectrogram that is cached for every recording."""

    sample_rate: Annotated[int, Field(ge=1000, le=10_000_000)] = Field(
        description="rate that recordings are resampled to, Hz"
    )
    n_fft: Annotated[int, Field(ge=16, le=2**20)] = Field(
        description="samples per frame, the length of the Hann window and of the Fourier transform"
    )
    hop_length: PositiveInt = Field(description="samples between the starts of two frames")
    n_mels: Annotated[int, Field(ge=8, le=2**16)] = Field(description="number of mel bands")
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
