"""The section `labels`: how annotations become targets and masks."""

from pydantic import Field

from dawnchorus.config.section import Fraction, Section


class Labels(Section):
    """How annotations become a window's target and mask."""

    min_overlap: Fraction = Field(
        description="part of a box (at most of a window) that must lie in the window for the box to count; 0: any"
    )
    within_band: bool = Field(
        description="whether a box counts only if its frequencies overlap the spectrogram's, f_min to f_max"
    )
    weak_negative_weight: Fraction = Field(
        description="weight in the loss of species that nobody listened for; 1 takes them as absent, 0 ignores them"
    )
