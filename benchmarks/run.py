"""Measure speed and memory, compared with the usual way and with the machine's limits; print and save a table."""

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import caching
import cold_demo
import detection
import embedding
import growth
import memory
import model_steps
import nothing_to_do
import training_input
from rows import Row
from ruamel.yaml import YAML

from dawnchorus.config.loading import load_params
from dawnchorus.config.params import Params
from dawnchorus.config.presets import preset_content
from dawnchorus.demo.dataset import write_dataset
from dawnchorus.reporting.provenance import processor

ROOT = Path(__file__).parent.parent
PARTS = ("cache", "input", "models", "no-op", "demo", "growth", "memory", "detection", "embedding")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks/latest.json")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="parts to measure (default: all)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dawnchorus-bench-") as folder:
        rows = measure(Path(folder), arguments.only)
    print(as_text(rows))
    machine = {"cores": len(os.sched_getaffinity(0)), "processor": processor(), "python": platform.python_version()}
    arguments.output.write_text(json.dumps({"machine": machine, "rows": [row.as_dict() for row in rows]}, indent=2))


def measure(folder: Path, parts: list[str]) -> list[Row]:
    params_file = competition_sizes(folder)
    params = load_params(params_file)
    recordings: list[Path] = []
    if {"cache", "input", "models"} & set(parts):
        print("synthesizing recordings", file=sys.stderr)
        recordings = made_recordings(folder / "data", params)
    measures: dict[str, Callable[[Path], list[Row]]] = {
        "cache": lambda work: caching.measure(recordings, params, work, params_file),
        "input": lambda work: training_input.measure(recordings, params, work),
        "models": lambda work: model_steps.measure(
            recordings, {"small_cnn": load_params(ROOT / "params.yaml"), "efficientnet": params}, work
        ),
        "no-op": lambda _: nothing_to_do.measure(),
        "demo": cold_demo.measure,
        "growth": growth.measure,
        "memory": lambda work: memory.measure(work, params_file),
        "detection": detection.measure,
        "embedding": embedding.measure,
    }
    rows = []
    for part in parts:
        print(f"measuring {part}", file=sys.stderr, flush=True)
        began = time.monotonic()
        (folder / part).mkdir()
        rows += measures[part](folder / part)
        print(f"took {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return rows


def competition_sizes(folder: Path) -> Path:
    """Write parameters with the notebook's sizes and a few one-minute recordings; return their path."""
    content = preset_content(ROOT / "presets", "notebook")
    content["demo"].update(species=8, train_recordings=8, test_recordings=2, seconds=60.0)
    path = folder / "params.yaml"
    YAML().dump(content, path)
    return path


def made_recordings(folder: Path, params: Params) -> list[Path]:
    folder.mkdir()
    write_dataset(params.demo, folder, workers=len(os.sched_getaffinity(0)))
    return sorted((folder / "train").glob("*.flac"))


def as_text(rows: list[Row]) -> str:
    """The rows as a Markdown table."""
    lines = ["| row | unit | ours | peer | limit | x peer | of limit |", "|---|---|---|---|---|---|---|"]
    for row in rows:
        figures = (row.ours, row.peer, row.limit, row.ratio_to_peer, row.ratio_to_limit)
        lines.append(
            f"| {row.name} | {row.unit} | " + " | ".join("" if f is None else f"{f:.3g}" for f in figures) + " |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
