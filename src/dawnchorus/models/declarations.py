"""What backbones declare of themselves, read without importing Keras, and whether it fits the parameters."""

import ast
from dataclasses import dataclass
from pathlib import Path

from dawnchorus.config.params import Params
from dawnchorus.config.train import pretrained_source
from dawnchorus.errors import InputError
from dawnchorus.models import backbones

FOLDER = Path(backbones.__file__).parent


@dataclass(frozen=True)
class Declaration:
    """What a backbone needs.

    Attributes:
        smallest_image: fewest frames and mel bands of an image.
        can_be_pretrained: whether there are weights that it can start from.
    """

    smallest_image: int
    can_be_pretrained: bool


def backbone_names() -> list[str]:
    """The names of all backbones: those of the modules in `models/backbones/`."""
    return sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")


def declaration(name: str) -> Declaration:
    """Read what a backbone's module declares; its code is parsed, not run.

    Raises:
        InputError: there is no such module, or it lacks `SMALLEST_IMAGE` or `build`.
    """
    path = FOLDER / f"{name}.py"
    if name not in backbone_names():
        raise InputError(
            f"backbones: there is no {name!r}; expected one of {', '.join(backbone_names())}, or a module of your own "
            f"in {FOLDER}"
        )
    try:
        body = ast.parse(path.read_text(encoding="utf-8")).body
    except SyntaxError as error:
        raise InputError(f"{path}: line {error.lineno}: is not valid Python: {error.msg}") from error
    functions = {node.name for node in body if isinstance(node, ast.FunctionDef)}
    values = {
        target.id: node.value
        for node in body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    smallest = values.get("SMALLEST_IMAGE")
    if not isinstance(smallest, ast.Constant) or type(smallest.value) is not int:
        raise InputError(
            f"{path}: has no SMALLEST_IMAGE; write the fewest frames and mel bands that the network takes, as a plain "
            "number: SMALLEST_IMAGE = 24"
        )
    if "build" not in functions:
        raise InputError(f"{path}: has no function build(frames, n_mels, frequency_channel)")
    return Declaration(smallest.value, "NETWORK" in values)


def require_backbones(params: Params) -> None:
    """Check that the parameters give every backbone what it needs.

    Raises:
        InputError: there is no such backbone, images are too small for it, or it has no pretrained weights.
    """
    frames, mels = params.image_shape
    for name in params.backbones:
        found = declaration(name)
        if min(frames, mels) < found.smallest_image:
            raise InputError(
                f"backbones: {name} needs images of at least {found.smallest_image} frames and mel bands, but "
                f"window.seconds ({params.window.seconds}), spectrogram.n_mels ({params.spectrogram.n_mels}) and the "
                f"section image give {frames} x {mels}"
            )
        source = pretrained_source(params.train.pretrained, name)
        if source != "none" and not found.can_be_pretrained:
            raise InputError(
                f"train.pretrained: found {source} for {name}, which has no pretrained weights; give them to "
                f"{', '.join(_with_weights())} alone, for example {{{_with_weights()[0]}: {source}}}"
            )
    if isinstance(params.train.pretrained, dict):
        for name in set(params.train.pretrained) - set(backbone_names()):
            raise InputError(
                f"train.pretrained: there is no backbone {name!r}; expected {' or '.join(_with_weights())}"
            )


def _with_weights() -> list[str]:
    """The backbones that have pretrained weights."""
    return [name for name in backbone_names() if declaration(name).can_be_pretrained]
