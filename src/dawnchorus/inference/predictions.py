"""The files of one model's predictions: window scores, clip scores and box scores."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from dawnchorus.data.score_tables import write_scores
from dawnchorus.inference.box_scores import score_boxes
from dawnchorus.inference.box_tables import write_boxes
from dawnchorus.inference.window_tables import Windows, write_windows

# A network of the last round as a LiteRT file, beside its predictions.
LITE_NETWORK = "network.tflite"


def write_predictions(
    folder: Path,
    test: Windows,
    oof: Windows,
    boxes: pd.DataFrame,
    window_seconds: float,
    min_overlap: float,
    species: Sequence[str],
) -> None:
    """Write the scores by a model of the last round.

    Args:
        folder: gets `test.parquet`, `oof.parquet`, `test.csv`, `oof.csv` and `boxes.csv`.
        test: window scores of the test recordings.
        oof: window scores of the annotated recordings that the model was not trained on.
        boxes: labelled boxes in these recordings, as from `annotations.labelled_boxes`.
        window_seconds: length of a window, s.
        min_overlap: see `score_boxes`.
        species: the codes of the species.
    """
    for name, windows in {"test": test, "oof": oof}.items():
        write_windows(folder / f"{name}.parquet", windows, species)
        write_scores(folder / f"{name}.csv", windows.recording_ids, windows.clip_scores(), species)
    write_boxes(folder / "boxes.csv", boxes, score_boxes(oof, boxes, window_seconds, min_overlap))
