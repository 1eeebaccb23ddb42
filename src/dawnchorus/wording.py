"""Words and numbers in messages."""


def counted(number: int, one: str, several: str = "") -> str:
    """A number with its noun, in the singular or plural; without `several`, the plural has an s."""
    return f"{number} {one if number == 1 else several or f'{one}s'}"


def score_text(score: float) -> str:
    """A score with three digits, or as many more as it takes not to round one below 1 to 1."""
    texts = (f"{score:.{digits}g}" for digits in range(3, 17))
    return next((text for text in texts if score >= 1 or float(text) < 1), f"{score!r}")
