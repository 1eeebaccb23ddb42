"""The entry point that all command-line scripts of the workflow share.

Scripts import this module before the rest of the package: it then remembers their stage's inputs, modules included.
"""

import gc
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager

import threadpoolctl

from dawnchorus.errors import InputError
from dawnchorus.inputs import require_unchanged
from dawnchorus.workflow.stage_inputs import watch_stage

# Imports make many objects and no garbage: looking for it takes a seventh of their time. `run` looks again.
gc.disable()


@contextmanager
def _messages() -> Iterator[None]:
    """End the process with a message instead of a traceback where a user can fix the error."""
    try:
        yield
    except InputError as error:
        sys.exit(f"error: {error}")
    except BrokenExecutor:
        sys.exit(
            "error: a process of this job has ended, perhaps for lack of memory; lines above may say why. Run again "
            "with fewer --cores, or more memory"
        )
    except OSError as error:
        reason = error.strerror or error
        sys.exit(f"error: {error.filename or 'a file'}: {reason}; check disk space and permissions")


with _messages():
    watch_stage()


def run(main: Callable[[], None]) -> None:
    """Run a script's main function; an error that a user can fix ends it with a message instead of a traceback.

    It is also an error if an input of the stage changed meanwhile.
    """
    # What was imported stays until the end, so no collection has to look at it.
    gc.freeze()
    gc.enable()
    try:
        with _messages():
            # A job asks the scheduler for one core, or sets more itself; the BLAS of NumPy and SciPy would take all.
            threadpoolctl.threadpool_limits(1)
            main()
            require_unchanged()
    finally:
        # At exit, Python collects garbage among all objects; with TensorFlow loaded, this takes almost a second.
        gc.freeze()
