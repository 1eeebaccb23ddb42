"""The lines of `params.yaml` that would use a folder of recordings and labels."""

from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedSeq

from dawnchorus.config.data import SITE
from dawnchorus.data.annotations import LABELS
from dawnchorus.data.groups import merged_spellings

# Most birds and frogs call below, Hz.
USUAL_F_MAX = 12_000.0
ROUND_HZ = 500.0
# Up to so many labels a species, a frozen model is the best start (docs/accuracy.md).
FEW_LABELS = 50
WITH_BIRDNET = (
    "With few labels, BirdNET's embeddings are the best start, where its licence allows your use "
    "(docs/embeddings.md). For them, run make env BIRDNET=1, and also set",
    "backbones: []",
    "embeddings: [birdnet]",
    "ensemble:",
    "  prior: estimated",
)


def count_labels(annotations: pd.DataFrame, usable: pd.DataFrame) -> pd.DataFrame:
    """Count the labels of each species.

    Args:
        annotations: those of the data set.
        usable: the usable training recordings, as in `data/recordings.csv`.

    Returns:
        A row for each species: its labels in usable recordings, in a column for each kind that there is, and the
        numbers of recordings and sites with a present one.
    """
    every = sorted(set(annotations.species))
    annotations = annotations[annotations.recording_id.isin(usable.index)]
    present = annotations[annotations.label == "present"].join(usable.site, on="recording_id")
    kinds = pd.crosstab(annotations.species, annotations.label)
    counts = kinds.reindex(index=every, columns=[name for name in LABELS if name in kinds.columns], fill_value=0)
    counts["recordings"] = present.groupby("species").recording_id.nunique()
    counts["sites"] = present.groupby("species").site.nunique()
    return counts.rename_axis("species").fillna(0).astype(int)


def at_one_site(counts: pd.DataFrame, n_folds: int) -> list[str]:
    """The species of a table from `count_labels` that are in recordings enough for the folds, but of one site."""
    return list(counts.index[(counts.recordings >= n_folds) & (counts.sites < 2)])


def data_section(
    root: Path,
    labels: Path | None,
    name: str,
    site_pattern: str | None,
    table: pd.DataFrame,
    columns: Mapping[str, str],
) -> dict[str, Any]:
    """The parameters `data` of a folder whose recordings are in a table as in `data/recordings.csv`."""
    data: dict[str, Any] = {"root": str(root.resolve())}
    if labels is not None:
        data["labels"] = str(labels.resolve())
    data["format"] = name
    if columns:
        data["columns"] = dict(columns)
    if site_pattern is not None:
        data["site_pattern"] = site_pattern
    if not table.usable.all():
        data["bad_audio"] = "skip"
    return data


def propose(
    data: dict[str, Any],
    table: pd.DataFrame,
    annotations: pd.DataFrame,
    counts: pd.DataFrame,
    window_seconds: float,
    n_folds: int,
) -> list[str]:
    """Propose parameters.

    Args:
        data: the parameters `data`.
        table: the recordings, as in `data/recordings.csv`.
        annotations: their labels.
        counts: table from `count_labels`.
        window_seconds: length of a window, s.
        n_folds: number of folds.

    Returns:
        Lines of text: a heading, lines for `params.yaml`, and others for few labels.
    """
    folds = CommentedSeq(range(n_folds))
    folds.fa.set_flow_style()
    sections: dict[str, Any] = {"data": data, "folds": folds}
    # Folds of sites leave a species that is at one site without validation, and so without a threshold.
    is_spread = len(at_one_site(counts, n_folds)) <= (counts.recordings >= n_folds).sum() / 2
    if data["format"] != "rfcx" and is_spread and _n_known_sites(table, annotations) >= n_folds:
        sections["split"] = {"group": SITE}
    if table.usable.any():
        rate = int(table.sample_rate[table.usable].mode().iloc[0])
        highest = np.ceil(annotations.f_max[annotations.label == "present"].max() / ROUND_HZ) * ROUND_HZ
        sections["spectrogram"] = {"sample_rate": rate, "f_max": float(min(rate / 2, np.fmax(USUAL_F_MAX, highest)))}
    lines = ["Lines for params.yaml", *_as_yaml(sections | {"window": {"seconds": window_seconds}})]
    has_few = "present" in counts.columns and counts.present.median() <= FEW_LABELS
    return [*lines, "", *WITH_BIRDNET] if has_few else lines


def _n_known_sites(table: pd.DataFrame, annotations: pd.DataFrame) -> int:
    """The number of sites with annotated recordings; 0 where some training recording has no site."""
    trained = table[table.split == "train"]
    annotated = trained.site[trained.usable & trained.index.isin(annotations.recording_id)]
    return len(set(merged_spellings(annotated).values())) if (trained.site != "").all() else 0


def _as_yaml(sections: dict[str, Any]) -> list[str]:
    yaml, text = YAML(), StringIO()
    # A long path stays in its line.
    yaml.width = 10_000
    yaml.dump(sections, text)
    return text.getvalue().splitlines()
