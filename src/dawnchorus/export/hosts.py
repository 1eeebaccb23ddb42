"""Which programs take an exported file, and why others do not."""

from dawnchorus.errors import InputError
from dawnchorus.export.graph import samples_of
from dawnchorus.export.request import Target
from dawnchorus.models.bundle import Bundle

# The input that programs for BirdNET 2.4 give a model.
BIRDNET_SAMPLES, BIRDNET_RATE = 144_000, 48_000
TRIED, EXPECTED = "the Python package birdnet", "BirdNET-Analyzer, BirdNET-Go and BirdNET-Pi"
BIRDNETS_HOSTS = f"programs for BirdNET 2.4 ({TRIED}, {EXPECTED})"


def require_birdnets_input(bundle: Bundle) -> None:
    """Check that a model takes what programs for BirdNET 2.4 give it.

    Raises:
        InputError: it takes another number of samples, or another sample rate.
    """
    reason = _other_input(bundle)
    if reason:
        raise InputError(
            f"{bundle.folder}: {reason}; train with window.seconds: 3.0 and spectrogram.sample_rate: 48000, or export "
            "--to litert"
        )


def hosts(bundle: Bundle, target: Target, has_frozen: bool) -> list[str]:
    """Lines that say which programs take a file, and which do not.

    Args:
        bundle: the model.
        target: the kind of file.
        has_frozen: whether the file holds the frozen model of an embedding.
    """
    runtime = "ONNX Runtime" if target == "onnx" else "LiteRT"
    if target == "birdnet":
        return [
            f"taken by {TRIED}, and by any program with {runtime}",
            f"fits {EXPECTED} by their source; not tried",
        ]
    remedy = "" if has_frozen else ": use --to birdnet"
    reason = _other_input(bundle) or f"this file gives numbers from 0 to 1, but they expect log odds{remedy}"
    return [f"taken by any program with {runtime}", f"not taken by {BIRDNETS_HOSTS}: {reason}"]


def _other_input(bundle: Bundle) -> str:
    """Why programs for BirdNET 2.4 cannot give a model its input; empty if they can."""
    n_samples, rate = samples_of(bundle.info.settings), bundle.info.settings.spectrogram.sample_rate
    if (n_samples, rate) == (BIRDNET_SAMPLES, BIRDNET_RATE):
        return ""
    return (
        f"takes {n_samples} samples at {rate} Hz, but programs for BirdNET 2.4 give {BIRDNET_SAMPLES} at "
        f"{BIRDNET_RATE} Hz"
    )
