"""Reading of a data set in the format that `data.format` names."""

from pathlib import Path

from dawnchorus.config.data import Data
from dawnchorus.data.dataset import Dataset
from dawnchorus.data.formats import raven, rfcx


def read_dataset(root: Path, settings: Data, group: str | None) -> Dataset:
    """Read a data set.

    Args:
        root: its folder.
        settings: the section `data` of the parameters.
        group: the parameter `split.group`.

    Raises:
        InputError: the data set is not as its format demands; the message names the file and the row.
    """
    if settings.format == "raven":
        return raven.read(root, group, settings.species_column)
    return rfcx.read(root, group)
