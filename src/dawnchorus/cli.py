"""The entry point that all command-line scripts of the workflow share."""

import gc
import sys
from collections.abc import Callable

from dawnchorus.errors import InputError


def run(main: Callable[[], None]) -> None:
    """Run a script's main function; an error that a user can fix ends it with a message instead of a traceback."""
    try:
        main()
    except InputError as error:
        sys.exit(f"error: {error}")
    except OSError as error:
        reason = error.strerror or error
        sys.exit(f"error: {error.filename or 'a file'}: {reason}; check disk space and permissions")
    finally:
        # At exit, Python collects garbage among all objects; with TensorFlow loaded, this takes almost a second.
        gc.freeze()
