"""The inputs of the stage that runs this process: what dvc.yaml declares, without importing DVC, which takes a second.

`tests/workflow/test_dag.py` compares the result with DVC's own for every stage.
"""

import itertools
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from dawnchorus.errors import InputError
from dawnchorus.inputs import watch_inputs
from dawnchorus.workflow.prune import prune

# DVC sets this variable for the commands of stages.
STAGE_VARIABLE = "DVC_STAGE"
PARAMS = Path("params.yaml")
RESULTS = Path("results")
# A stage of hours, which may not be stale at all once leftovers are gone.
LONG_STAGE = "train"


@dataclass(frozen=True)
class Inputs:
    """The inputs of a stage.

    Attributes:
        paths: files and folders, relative to the working directory.
        parameters: keys such as "train.epochs" by parameter file; no keys for all of a file.
    """

    paths: list[Path]
    parameters: dict[Path, list[str]]


def watch_stage() -> None:
    """If DVC runs this process, let `inputs.require_unchanged` compare the stage's inputs with their present state.

    Leftovers of other experiments are removed before that.

    Raises:
        InputError: dvc.yaml or params.yaml cannot be read, they no longer have this stage, or leftovers were removed
            and the stage may therefore be up to date.
    """
    address = os.environ.get(STAGE_VARIABLE)
    if address is None:
        return
    if remove_leftovers(address) and address.startswith(f"{LONG_STAGE}@"):
        raise InputError("without these results, which are not part of the experiment, it may be up to date; run again")
    inputs = stage_inputs(address)
    lines = Path(".dvcignore").read_text().splitlines() if Path(".dvcignore").exists() else []
    watch_inputs(inputs.paths, inputs.parameters, [line for line in lines if line and not line.startswith("#")])


def remove_leftovers(address: str) -> list[Path]:
    """Remove results of models that params.yaml does not name, if a stage depends on a folder that may have some.

    check_params removes them after a change of params.yaml. It does not run where `git checkout` or `dvc exp apply`
    bring back dvc.lock together with params.yaml.

    Args:
        address: as in `stage_inputs`.

    Returns:
        What was removed from `results/predictions`.

    Raises:
        InputError: as in `stage_inputs`.
    """
    predictions = RESULTS / "predictions"
    if not any(predictions in path.parents for path in stage_inputs(address).paths):
        return []
    values = _read(PARAMS, pure=True)
    removed = prune(
        RESULTS,
        [each["id"] for each in values["rounds"]],
        [*values["backbones"], *values["embeddings"]],
        values["folds"],
        values["student"],
    )
    leftovers = [path for path in removed if predictions in path.parents]
    if leftovers:
        shown = ", ".join(map(str, leftovers))
        print(f"removed results of models that {PARAMS} does not name: {shown}", file=sys.stderr, flush=True)
    return leftovers


def stage_inputs(address: str) -> Inputs:
    """The inputs of a stage, as dvc.yaml and params.yaml declare them now.

    Args:
        address: "train@round0-small_cnn-0", or with the path of a dvc.yaml in a subfolder before it and a colon.

    Raises:
        InputError: a file cannot be read, or there is no such stage.
    """
    file, _, name = address.rpartition(":")
    path = Path(file or "dvc.yaml")
    entry, _, items = name.partition("@")
    # YAML 1.2 for values that become part of paths, as in DVC. The C parser reads dvc.yaml in a tenth of the time.
    values = _read(PARAMS, pure=True)
    definition = _read(path, pure=False)["stages"].get(entry, {})
    try:
        item = _item(definition.get("matrix", {}), items, values)
        fields = {**values, "item": item}
        paths = [Path(resolve(dep, fields)) for dep in definition["deps"] if item is not None]
        tracked = [
            resolve(each, fields) if isinstance(each, str) else each
            for each in definition.get("params", [])
            if item is not None
        ]
    # A key of params.yaml is missing, or the entry of dvc.yaml is.
    except (KeyError, IndexError, TypeError):
        item = None
    if item is None:
        raise InputError(f"{path}: the stage {name} is no longer declared; run again")
    parameters: dict[Path, list[str]] = {}
    for each in tracked:
        by_file = {str(PARAMS): [each]} if isinstance(each, str) else each
        for source, keys in by_file.items():
            parameters.setdefault(Path(source), []).extend(keys or [])
    return Inputs(paths, parameters)


def resolve(text: str, values: Mapping[str, Any]) -> Any:
    """Replace each `${key.key[number]}` in a text by its value; a text that is one such field becomes the value."""
    whole = re.fullmatch(r"\$\{([^}]+)\}", text)
    if whole:
        return _select(whole[1], values)
    return re.sub(r"\$\{([^}]+)\}", lambda field: str(_select(field[1], values)), text)


def _select(key: str, values: Any) -> Any:
    for part in re.findall(r"[^.\[\]]+", key):
        values = values[int(part)] if isinstance(values, list) else values[part]
    return values


def _item(matrix: Mapping[str, Any], items: str, values: Mapping[str, Any]) -> dict[str, Any] | None:
    """The values of a matrix's axes in the stage that DVC names by `items`; None if there is no such stage."""
    axes = {axis: resolve(choices, values) if isinstance(choices, str) else choices for axis, choices in matrix.items()}
    for combination in itertools.product(*(enumerate(choices) for choices in axes.values())):
        item = dict(zip(axes, (value for _, value in combination), strict=True))
        labels = [
            f"{axis}{number}" if isinstance(value, dict | list) else str(value)
            for axis, (number, value) in zip(axes, combination, strict=True)
        ]
        if "-".join(labels) == items:
            return item
    return None


def _read(path: Path, pure: bool) -> dict[str, Any]:
    try:
        return YAML(typ="safe", pure=pure).load(path)
    except (OSError, ValueError, YAMLError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error
