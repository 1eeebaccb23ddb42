"""What all sections of `params.yaml` share: types with limits, and how a section is validated."""

import reprlib
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

# More than any use has, and few enough that no product of two overflows.
MOST = 10**9


PositiveInt = Annotated[int, Field(ge=1, le=MOST)]


Seed = Annotated[int, Field(ge=0, lt=2**32)]


Fraction = Annotated[float, Field(ge=0, le=1)]


PositiveFloat = Annotated[float, Field(gt=0, le=MOST)]


class Section(BaseModel):
    """A section of `params.yaml`: no unknown keys, no conversions between types, no changes after loading."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


def lies_in_inputs(path: str) -> bool:
    """Whether a path leads into the project's folder `inputs/`, on which the stages that read such files depend."""
    first, *rest = PurePosixPath(path).parts or ("",)
    return first == "inputs" and bool(rest) and ".." not in rest


class _Short(reprlib.Repr):
    """Shows a value of any depth and size in a line."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel, self.maxlist, self.maxdict, self.maxstring, self.maxother = 2, 20, 10, 200, 200

    def repr_int(self, x: int, level: int) -> str:
        # Python refuses to write out an integer of thousands of digits.
        return repr(x) if x.bit_length() < 200 else f"an integer of {x.bit_length()} bits"


shown = _Short().repr
