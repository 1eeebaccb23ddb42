"""Refusal of runs that would remove outputs of which DVC's cache has no copy."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from dawnchorus.errors import InputError

if TYPE_CHECKING:
    from dvc.output import Output
    from dvc.stage import PipelineStage


def refuse_loss(stages: Iterable["PipelineStage"], stale: Mapping[str, list[Any]]) -> None:
    """Refuse a run that would remove intact outputs which nothing can restore, or that needs lost outputs.

    A stage is stale, too, where DVC's cache has no copy of its outputs: a `dvc gc` in another project has emptied a
    shared cache, or the last run was `dvc repro --no-commit`. DVC then removes the outputs and computes them again.

    Args:
        stages: the stages that would run.
        stale: DVC's status: lists of changes, by the address of each stale stage.

    Raises:
        InputError: the run would remove such outputs, or an output of a frozen stage is missing.
    """
    uncached: list[Output] = []
    for stage in sorted(stages, key=lambda stage: stage.addressing):
        if stage.frozen:
            # DVC keeps its outputs and copies them into the cache.
            _require_outputs(stage)
        else:
            changes = _changed_outputs(stale.get(stage.addressing, []))
            uncached += [out for out in stage.outs if changes.get(str(out)) == "not in cache" and _is_intact(out)]
    if uncached:
        raise InputError(
            f"DVC's cache has no copy of intact outputs, for example {uncached[0]} ({len(uncached)} in total), and a "
            "run would remove them: run `make verify` first, which copies them into the cache"
        )


def _changed_outputs(changes: list[Any]) -> dict[str, str]:
    """What DVC says of each changed output, such as "deleted" or "not in cache"."""
    return {
        path: what
        for change in changes
        if isinstance(change, dict)
        for path, what in change.get("changed outs", {}).items()
    }


def _is_intact(out: "Output") -> bool:
    """Whether an output in the workspace is that of dvc.lock."""
    return not out.workspace_status()


def _require_outputs(stage: "PipelineStage") -> None:
    missing = [str(out) for out in stage.outs if not out.exists]
    if missing:
        raise InputError(
            f"{missing[0]} is missing, and {stage.addressing}, which makes it, is frozen: `dvc checkout {missing[0]}` "
            f"restores it from DVC's cache; remove `frozen: true` in {stage.relpath} to compute it again"
        )
