"""The items of a review, `items.csv`: windows of recordings, each with the species that a reviewer is asked about."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Literal, get_args

import pandas as pd

from dawnchorus.data.tables import read_table, refuse_rows, to_numbers, to_numbers_or_nan
from dawnchorus.files import replacing

Purpose = Literal["measure", "improve", "confirm"]
MEASURE, IMPROVE, CONFIRM = PURPOSES = get_args(Purpose)


@dataclass(frozen=True)
class Item:
    """A stretch of a recording, and a species that may call in it.

    Attributes:
        item: its number, from 1.
        recording_id: of the recording.
        file: path of the audio file, relative to the folder of the project, or absolute.
        channel: number of the channel that was scored, or `mean` for the mean of all.
        split: `train` or `test` if the recording is one of the data set; empty otherwise, and in a sample of only some
            recordings.
        site: of the recording; may be empty.
        clock_time: when the stretch starts, ISO 8601; empty if that is unknown.
        start_s: start in the recording, s.
        end_s: end in the recording, s.
        f_min: lowest frequency of the call, Hz; None if it is unknown.
        f_max: highest frequency of the call, Hz; None if it is unknown.
        species: code of the species.
        score: of the species in this stretch, 0 to 1.
        probability: of the species in this stretch; None if it is unknown.
        threshold: of the species; None if it has none.
        purpose: `measure`, `improve` or `confirm`.
        stratum: which part of the windows it was drawn from; empty where it was not drawn at random.
        inclusion_probability: how likely it was drawn; None where it was not drawn at random.
    """

    item: int
    recording_id: str
    file: str
    channel: str
    split: str
    site: str
    clock_time: str
    start_s: float
    end_s: float
    f_min: float | None
    f_max: float | None
    species: str
    score: float
    probability: float | None
    threshold: float | None
    purpose: str
    stratum: str
    inclusion_probability: float | None


COLUMNS = [field.name for field in fields(Item)]
NUMBERS = ["start_s", "end_s", "score"]
OPTIONAL_NUMBERS = ["f_min", "f_max", "probability", "threshold", "inclusion_probability"]


def write_items(path: Path, items: Iterable[Item]) -> None:
    """Write the items of a review as a CSV file with the columns `COLUMNS`."""
    with replacing(path) as temporary:
        pd.DataFrame([asdict(item) for item in items], columns=COLUMNS).to_csv(
            temporary, index=False, float_format="%.10g"
        )


def read_items(path: Path) -> list[Item]:
    """Read a file from `write_items`, sorted by number.

    Raises:
        InputError: the table is missing or damaged, or a cell has an invalid value.
    """
    table = read_table(path, COLUMNS, named_by="`dawnchorus review start` makes it", numbers=())[COLUMNS].copy()
    numbers = to_numbers(path, table, "item")
    refuse_rows(path, table, "item", (numbers % 1 != 0) | (numbers < 1), "a whole number from 1")
    refuse_rows(path, table, "item", numbers.duplicated(), "each item once")
    for column in ("recording_id", "file", "species"):
        refuse_rows(path, table, column, table[column] == "", "a name")
    refuse_rows(path, table, "channel", ~table.channel.str.fullmatch(r"mean|[1-9]\d*"), "mean, or a number from 1")
    refuse_rows(path, table, "split", ~table.split.isin(["train", "test", ""]), "train, test or nothing")
    refuse_rows(path, table, "purpose", ~table.purpose.isin(PURPOSES), " or ".join(PURPOSES))
    for column in NUMBERS:
        table[column] = to_numbers(path, table, column)
    refuse_rows(path, table, "end_s", (table.end_s <= table.start_s) | (table.start_s < 0), "a time after start_s")
    for column in OPTIONAL_NUMBERS:
        table[column] = to_numbers_or_nan(path, table, column)
    for column in ("score", "probability", "inclusion_probability"):
        is_wrong = ~table[column].between(0, 1) & table[column].notna()
        refuse_rows(path, table, column, is_wrong, "a number from 0 to 1")
    table["item"] = numbers.astype(int)
    found = table.sort_values("item")
    # A missing number is None, not NaN.
    columns = {name: found[name].astype(object).where(found[name].notna(), None).tolist() for name in COLUMNS}
    return [Item(*cells) for cells in zip(*columns.values(), strict=True)]
