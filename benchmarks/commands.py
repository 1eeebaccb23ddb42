"""Commands that benchmarks run."""

import subprocess
from collections.abc import Sequence
from typing import Any

from dawnchorus.errors import InputError


def call(command: Sequence[str], **options: Any) -> None:
    """Run a command that tells by itself why it fails.

    Args:
        command: the program and its arguments.
        options: of `subprocess.run`.

    Raises:
        InputError: the command failed.
    """
    status = subprocess.run(command, **options).returncode
    if status:
        raise InputError(f"`{' '.join(command)}` failed (exit status {status}); the reason is above")
