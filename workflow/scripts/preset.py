"""Write a preset to a parameter file: the defaults with the preset's overrides."""

import argparse
from pathlib import Path

from dawnchorus.cli import run
from dawnchorus.config.presets import switch_to_preset


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--presets", type=Path, required=True, help="folder with default.yaml and the overrides")
    parser.add_argument("--params", type=Path, required=True, help="the parameter file to write")
    parser.add_argument("--name", required=True, help="name of the preset")
    arguments = parser.parse_args()
    switch = switch_to_preset(arguments.params, arguments.presets, arguments.name)
    for line in switch.changes:
        print(line)
    if switch.backup is not None:
        print(f"{arguments.params} had your own settings or comments, now saved in {switch.backup}.")
    print(f"{arguments.params} now has the preset {arguments.name}; number of changed values: {len(switch.changes)}.")


if __name__ == "__main__":
    run(main)
