"""What all sections of `params.yaml` share: types with limits, and the rules for validation."""

import reprlib
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

# Above any realistic value, and small enough that the product of two does not overflow.
MOST = 10**9


PositiveInt = Annotated[int, Field(ge=1, le=MOST)]


Seed = Annotated[int, Field(ge=0, lt=2**32)]


Fraction = Annotated[float, Field(ge=0, le=1)]


PositiveFloat = Annotated[float, Field(gt=0, le=MOST)]


class Section(BaseModel):
    """A section of `params.yaml`: no unknown keys, no conversions between types, no changes after loading."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


def lies_in_inputs(path: str) -> bool:
    """Whether a path lies in the project's folder `inputs/`, a dependency of the stages that read such files."""
    first, *rest = PurePosixPath(path).parts or ("",)
    return first == "inputs" and bool(rest) and ".." not in rest


class _Short(reprlib.Repr):
    """Formats a value of any depth and size as one line."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel, self.maxlist, self.maxdict, self.maxstring, self.maxother = 2, 20, 10, 200, 200

    def repr_int(self, x: int, level: int) -> str:
        # Python refuses to print an integer with thousands of digits.
        return repr(x) if x.bit_length() < 200 else f"an integer of {x.bit_length()} bits"


shown = _Short().repr
