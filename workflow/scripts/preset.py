"""Write the parameter file of a preset: the defaults with the preset's overrides."""

import argparse
from pathlib import Path

from dawnchorus.cli import run
from dawnchorus.config.presets import switch_to_preset


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--presets", type=Path, required=True, help="folder with default.yaml and the overrides")
    parser.add_argument("--params", type=Path, required=True, help="the parameter file to write")
    parser.add_argument("--name", required=True, help="of the preset")
    arguments = parser.parse_args()
    switch = switch_to_preset(arguments.params, arguments.presets, arguments.name)
    for line in switch.changes:
        print(line)
    if switch.backup is not None:
        print(f"{arguments.params} had settings or comments of your own; {switch.backup} keeps them.")
    print(f"{arguments.params} is now the preset {arguments.name}: {len(switch.changes)} values changed.")


if __name__ == "__main__":
    run(main)
