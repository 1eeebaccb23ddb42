"""Errors of scripts that a user can mend end them with a message."""

import os
import subprocess
import sys

from tiny import ROOT


def test_a_killed_process_of_a_job_is_told_in_words() -> None:
    code = """
import os
from concurrent.futures import ProcessPoolExecutor
from dawnchorus.cli import run

def main():
    with ProcessPoolExecutor(1) as pool:
        pool.submit(os.abort).result()

if __name__ == "__main__":
    run(main)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=os.environ | {"PYTHONPATH": "src"}, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "error: a process of this job has ended, perhaps for lack of memory" in done.stderr
    assert "Traceback" not in done.stderr
