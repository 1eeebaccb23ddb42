"""Read what backbones declare, without importing Keras, and check the parameters against it and the environment."""

import ast
import importlib.util
from dataclasses import dataclass
from pathlib import Path

from dawnchorus.config.params import Params
from dawnchorus.config.train import pretrained_source
from dawnchorus.errors import InputError
from dawnchorus.models import backbones

FOLDER = Path(backbones.__file__).parent


@dataclass(frozen=True)
class Declaration:
    """What a backbone requires and supports.

    Attributes:
        smallest_image: minimum number of frames, and of mel bands, of an image.
        can_be_pretrained: whether there are pretrained weights for it.
    """

    smallest_image: int
    can_be_pretrained: bool


def backbone_names() -> list[str]:
    """The names of all backbones, which are the names of the modules in `models/backbones/`."""
    return sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")


def declaration(name: str) -> Declaration:
    """Read the declarations of a backbone's module; its code is parsed, not run.

    Raises:
        InputError: there is no such module, or it lacks `SMALLEST_IMAGE` or `build`.
    """
    path = FOLDER / f"{name}.py"
    if name not in backbone_names():
        raise InputError(
            f"backbones: there is no backbone {name!r}; expected one of {', '.join(backbone_names())}, or the name "
            f"of a module that you add to {FOLDER}"
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
            f"{path}: has no SMALLEST_IMAGE; set it to the minimum number of frames and mel bands that the network "
            "accepts, as a literal number: SMALLEST_IMAGE = 24"
        )
    if "build" not in functions:
        raise InputError(f"{path}: has no function build(frames, n_mels, frequency_channel)")
    return Declaration(smallest.value, "NETWORK" in values)


def require_backend(params: Params) -> None:
    """Check that Keras's backend is installed.

    Raises:
        InputError: it is not.
    """
    backend = params.train.backend
    if importlib.util.find_spec(backend) is None:
        raise InputError(
            f"train.backend: {backend} is not installed; install it into .venv, or set train.backend to tensorflow"
        )


def require_backbones(params: Params) -> None:
    """Check that the parameters meet the requirements of every backbone.

    Raises:
        InputError: there is no such backbone, images are too small for it, or it has no pretrained weights.
    """
    frames, mels = params.image_shape
    for name in dict.fromkeys([*params.backbones, *params.student]):
        found = declaration(name)
        if min(frames, mels) < found.smallest_image:
            raise InputError(
                f"backbones: {name} needs images of at least {found.smallest_image} frames and mel bands, but "
                f"window.seconds ({params.window.seconds}), spectrogram.n_mels ({params.spectrogram.n_mels}) and the "
                f"section image give {frames} x {mels}"
            )
        source = pretrained_source(params.train.pretrained, name) if name in params.backbones else "none"
        if source != "none" and not found.can_be_pretrained:
            raise InputError(
                f"train.pretrained: found {source} for {name}, which has no pretrained weights; set it for "
                f"{', '.join(_with_weights())} only, for example {{{_with_weights()[0]}: {source}}}"
            )
    if isinstance(params.train.pretrained, dict):
        for name in set(params.train.pretrained) - set(backbone_names()):
            raise InputError(
                f"train.pretrained: there is no backbone {name!r}; expected {' or '.join(_with_weights())}"
            )


def _with_weights() -> list[str]:
    """The names of the backbones with pretrained weights."""
    return [name for name in backbone_names() if declaration(name).can_be_pretrained]
