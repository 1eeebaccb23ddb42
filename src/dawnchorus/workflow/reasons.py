"""The reasons why DVC calls stages stale, in words."""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dawnchorus.workflow.locks import overlap

if TYPE_CHECKING:
    from dvc.stage import PipelineStage

PACKAGE = "src/dawnchorus/"
# Changes that a reason names; the others are counted.
MOST_NAMED = 2
NEVER_RUN = "never run"
OF_INPUT = {"modified": "changed", "new": "is new", "deleted": "is missing"}
WITHOUT_RESULTS = "its results are missing"


def reason_of(stage: "PipelineStage") -> str:
    """Why DVC runs a stage now; empty if the stage is up to date."""
    if is_new(stage):
        return NEVER_RUN
    deps = [] if stage.frozen else stage.deps
    inputs: list[str | Mapping[str, Any]] = [{"changed deps": {k: v for dep in deps for k, v in dep.status().items()}}]
    if stage.changed_stage():
        inputs.append("changed command")
    # Outputs may be large. As in DVC, they are compared only if no input has changed.
    return reason(inputs) or reason(stage.status().get(stage.addressing, []))


def planned_reason(
    stage: "PipelineStage", status: Sequence[str | Mapping[str, Any]], before: Mapping[str, Sequence[str]]
) -> str:
    """Why a stage will run.

    Args:
        stage: the stage.
        status: as in `reason`; empty if only stages before it are stale.
        before: outputs of the stages that will run before it, by address.
    """
    if is_new(stage):
        return NEVER_RUN
    return reason(status, [out for outs in before.values() for out in outs]) or after(before)


def is_new(stage: "PipelineStage") -> bool:
    """Whether dvc.lock has no run of a stage."""
    return not any(dep.hash_info for dep in stage.deps)


def reason(status: Sequence[str | Mapping[str, Any]], made: Collection[str] = ()) -> str:
    """The reason in DVC's status of a stage, for example "train.epochs changed".

    Args:
        status: as in `dvc status --json`, such as `[{"changed deps": {"data/folds.csv": "modified"}}]`.
        made: paths that other stages make before. That they are missing is no reason.
    """
    inputs: list[str] = []
    outputs: list[str] = []
    for entry in status:
        if isinstance(entry, str):
            inputs.append("its command changed" if entry == "changed command" else entry)
            continue
        for path, state in entry.get("changed deps", {}).items():
            # Parameters have a state each.
            states = _parameters(path, state) if isinstance(state, dict) else {path.removeprefix(PACKAGE): state}
            is_made = state == "deleted" and any(overlap(path, each) for each in made)
            inputs += [] if is_made else [f"{name} {OF_INPUT.get(each, each)}" for name, each in states.items()]
        # A run whose outputs are here, but not in the cache, is refused.
        outputs += [
            f"{path} differs from dvc.lock" if state == "modified" else WITHOUT_RESULTS
            for path, state in entry.get("changed outs", {}).items()
        ]
    # Outputs of a stage whose inputs have changed tell nothing more.
    return _listed(list(dict.fromkeys(inputs or outputs)))


def _parameters(path: str, states: Mapping[str, str]) -> dict[str, str]:
    # "ensemble changed" could mean a stage.
    return {name if "." in name else f"{name} in {path}": state for name, state in states.items()}


def after(addresses: Collection[str]) -> str:
    """The reason of a stage that runs only because stages before it do, for example "after train"."""
    names = dict.fromkeys(address.rpartition(":")[2].partition("@")[0] for address in sorted(addresses))
    return f"after {_listed(list(names))}"


def _listed(parts: list[str]) -> str:
    shown = ", ".join(parts[:MOST_NAMED])
    return f"{shown} and {len(parts) - MOST_NAMED} more" if len(parts) > MOST_NAMED else shown
