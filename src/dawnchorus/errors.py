"""The one exception for everything that a user can put right."""


class InputError(Exception):
    """A file, a table or a parameter is not usable; the message says where, what was found and what to do."""
