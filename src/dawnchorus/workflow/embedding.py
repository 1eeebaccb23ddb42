"""Embedding of the recordings in a table, for the stages `embed` and `embed_unlabelled`."""

from functools import partial
from pathlib import Path

import pandas as pd

from dawnchorus.config.params import Params
from dawnchorus.features.embedding_cache import Task, embed_recordings
from dawnchorus.features.frames import FrameGrid, to_frames
from dawnchorus.inference.windows import tile
from dawnchorus.workflow.cores import cores
from dawnchorus.workflow.gpus import jobs_can_use_gpus


def embed_table(
    table: pd.DataFrame, params: Params, embedding: str, folder: Path, unfinished: Path, what: str, skip_bad: bool
) -> list[str]:
    """Write the embeddings of recordings, whose names are the table's index, into a folder.

    Args:
        table: file and digest of each recording.
        params: parameters of the experiment.
        embedding: name of the embedding.
        folder: an empty folder.
        unfinished: as in `embed_recordings`.
        what: shown as progress.
        skip_bad: whether a recording that cannot be decoded is left out.

    Returns:
        Why recordings were left out, a text for each.

    Raises:
        InputError: as in `embed_recordings`.
    """
    grid = FrameGrid(params.spectrogram.sample_rate, params.spectrogram.hop_length)
    length = to_frames(params.window.seconds, grid)
    hop = min(length, to_frames(params.predict.hop_seconds, grid))
    task = Task(
        params.features[embedding], grid, length, partial(tile, length=length, hop=hop),
        params.data.channel, skip_bad,
    )  # fmt: skip
    root = Path(params.data.root)
    # On a GPU, each process would need memory for the model.
    workers = 1 if jobs_can_use_gpus("tensorflow") else max(1, min(cores(), len(table)))
    return embed_recordings(
        {str(name): root / file for name, file in table.file.items()}, dict(table.digest), folder, unfinished, task,
        workers, _use_device, what,
    )  # fmt: skip


def _use_device() -> None:
    # Keras takes seconds to import, and only the processes of the pool need it.
    from dawnchorus.workflow.devices import use_device

    use_device(threads=1)
