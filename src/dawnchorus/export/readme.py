"""The text beside an exported file."""

from pathlib import Path

from dawnchorus.export.comparison import Exported
from dawnchorus.export.graph import samples_of
from dawnchorus.export.hosts import hosts
from dawnchorus.export.parts import Part
from dawnchorus.export.request import Request
from dawnchorus.models.bundle import Bundle


def readme(bundle: Bundle, part: Part, request: Request, output: Path, result: Exported) -> str:
    """Write, in Markdown, what a program has to know about an exported file."""
    settings, n_species = bundle.info.settings, len(bundle.info.species)
    what = "probabilities" if request.is_calibrated else "scores"
    unit = f"log odds of {what}, to which the host applies a sigmoid" if request.target == "birdnet" else what
    lines = [
        f"# {output.name}",
        "",
        f"{'An ONNX' if request.target == 'onnx' else 'A LiteRT'} file with the "
        f"{'members' if part.heads else 'networks'} {', '.join(part.names)}, exported by Dawnchorus.",
        "",
        f"- Input: `samples`, float32 from -1 to 1, shape [batch, {samples_of(settings)}]: "
        f"{settings.window.seconds:g} s at {settings.spectrogram.sample_rate} Hz, mono. Fill up a shorter sound with "
        "zeros.",
        f"- Output: `predictions`, shape [batch, {n_species}]: {unit}, in the order of `{output.stem}_Labels.txt`.",
        *_thresholds(part, request, output),
        *(f"- Licence: {line}." for line in result.licences),
        *(f"- Programs: {line}." for line in hosts(bundle, request.target, bool(part.heads))),
        f"- Weights: {'float32' if request.quantization == 'none' else request.quantization}, "
        f"{result.n_bytes / 1e6:.2f} MB.",
        f"- Speed where it was exported: {result.times_real_time:.0f} times real time on one thread.",
        f"- Compared with the model on silence, an impulse, noise and sweeps: {result.sounds.text}.",
    ]
    if result.recordings is not None:
        lines.append(f"- Compared with the model on recordings: {result.recordings.text}.")
    card = (bundle.folder / "README.md").read_text(encoding="utf-8")
    return "\n".join([*lines, "", "The card of the model, with its limits and licence:", "", card])


def _thresholds(part: Part, request: Request, output: Path) -> list[str]:
    """Lines on thresholds and probabilities."""
    if part.thresholds is None:
        return ["- Thresholds: none. Those of the model are for the mean of all its members, whose scores differ."]
    what = "probabilities" if request.is_calibrated else "scores"
    lines = [f"- Thresholds: `{output.stem}_thresholds.csv`, as {what} from 0 to 1, and what can be promised of them."]
    if request.is_calibrated:
        lines.append(
            "- A probability is that of the species in a window of recordings like those that the model was calibrated "
            "on. A species whose probability is unknown has 0, and no threshold."
        )
    return lines
