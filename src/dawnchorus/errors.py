"""The exception for all problems that a user can fix."""


class InputError(Exception):
    """A file, table or parameter is unusable; the message names the place, what was found and what to do."""
