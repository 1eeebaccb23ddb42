"""Words in messages."""


def counted(number: int, one: str, several: str = "") -> str:
    """A number with its noun, in the singular or plural; without `several`, the plural has an s."""
    return f"{number} {one if number == 1 else several or f'{one}s'}"
