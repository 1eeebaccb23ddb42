"""The time that each engine needs if everything is up to date."""

import subprocess
from pathlib import Path

from rows import Row, in_turn

ROOT = Path(__file__).parent.parent


def measure() -> list[Row]:
    """Measure a row for each engine. The limit is the time of its `--version`."""
    commands = {
        "snakemake": ["snakemake", "--cores", "2"],
        "snakemake --version": ["snakemake", "--version"],
        "dvc repro": ["dvc", "repro"],
        "dvc --version": ["dvc", "--version"],
    }
    done = subprocess.run([*commands["snakemake"], "--dry-run"], cwd=ROOT, capture_output=True, text=True, check=True)
    if "Nothing to be done" not in done.stdout + done.stderr:
        raise SystemExit("the workspace is not up to date: run `make demo` first")

    def run(name: str) -> None:
        subprocess.run(commands[name], cwd=ROOT, capture_output=True, check=True)

    seconds = in_turn({name: lambda name=name: run(name) for name in commands}, times=3)  # type: ignore[misc]
    return [
        Row(f"no-op: {name}", "s", seconds[name], None, seconds[version], faster_is_more=False)
        for name, version in (("snakemake", "snakemake --version"), ("dvc repro", "dvc --version"))
    ]
