"""The section `labels`: how annotations become targets and masks."""

from pydantic import Field

from dawnchorus.config.section import Fraction, Section


class Labels(Section):
    """How annotations become a window's target and mask."""

    min_overlap: Fraction = Field(
        description="fraction of a box (or of the window, if shorter) that must lie in the window for the box to "
        "count; 0: any overlap"
    )
    within_band: bool = Field(
        description="whether to count a box only if its frequencies overlap the spectrogram's, f_min to f_max"
    )
    weak_negative_weight: Fraction = Field(
        description="loss weight of unannotated species as weak negatives: 1 treats them as absent, 0 ignores them"
    )
