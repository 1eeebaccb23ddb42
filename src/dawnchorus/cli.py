"""What all command-line scripts of the workflow share."""

import gc
import sys
from collections.abc import Callable

from dawnchorus.errors import InputError


def run(main: Callable[[], None]) -> None:
    """Run a script's main function; what a user can put right ends it with a message instead of a traceback."""
    try:
        main()
    except InputError as error:
        sys.exit(f"error: {error}")
    except OSError as error:
        reason = error.strerror or error
        sys.exit(f"error: {error.filename or 'a file'}: {reason}; check the disk's space and the permissions")
    finally:
        # Before it ends, Python looks for garbage among all objects, which with TensorFlow's takes almost a second.
        gc.freeze()
