"""Time of exported LiteRT files for a window of 3 s at 48 kHz on one thread, next to BirdNET 2.4.

All take turns in one process on one core, and the shortest time of each counts, because other programs only add to it.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import birdnet_speed
import numpy as np
from rows import on_one_core

from dawnchorus.export.litert import load_litert

TURNS = 30
# Of each in a turn.
RUNS = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", type=Path, nargs="+", help="LiteRT files")
    samples = np.random.default_rng(0).normal(0, 0.05, birdnet_speed.SECONDS * birdnet_speed.RATE).astype(np.float32)
    with on_one_core():
        birdnet = birdnet_speed.load_birdnet()
        sides: dict[str, Callable[[], object]] = {"BirdNET 2.4": partial(birdnet_speed.score_window, birdnet, samples)}
        for path in parser.parse_args().files:
            sides[str(path)] = partial(load_litert(path), samples)
        best = dict.fromkeys(sides, np.inf)
        for _ in range(TURNS):
            for name, side in sides.items():
                # The first run of a turn finds other weights in the cache.
                side()
                for _ in range(RUNS):
                    began = time.perf_counter()
                    side()
                    best[name] = min(best[name], time.perf_counter() - began)
    for name, seconds in best.items():
        print(f"{name}: {seconds * 1000:.2f} ms, {best['BirdNET 2.4'] / seconds:.1f} times as fast as BirdNET")


if __name__ == "__main__":
    main()
