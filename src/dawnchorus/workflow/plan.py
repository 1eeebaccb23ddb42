"""The plan of a Snakemake run, made from DVC's stages: the rules, and which stages run.

A stage runs if `dvc status` calls it stale, or if it descends from a stage that runs. check_params is an exception: its
output is constant, so once the output exists, a stale check_params does not make its descendants run. A stage with
`frozen: true` does not depend on anything, as under `dvc repro`.

The process that a user starts queries DVC and writes the plan. Jobs, including those on other machines, only read the
plan, so DVC is imported inside the functions that query it.
"""

import json
import os
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dawnchorus.config.loading import load_params
from dawnchorus.errors import InputError
from dawnchorus.features.embedding_checks import require_embeddings
from dawnchorus.models.declarations import require_backbones, require_backend
from dawnchorus.reporting.loggers import require_logger
from dawnchorus.workflow.dvc_output import without_bars
from dawnchorus.workflow.explanations import explain
from dawnchorus.workflow.locks import FOLDER, refuse_writers, unlisted
from dawnchorus.workflow.losses import refuse_loss
from dawnchorus.workflow.output_times import LONG_AGO, set_back
from dawnchorus.workflow.reasons import planned_reason

if TYPE_CHECKING:
    from dvc.repo import Repo
    from dvc.stage import PipelineStage

PLAN_FILE = FOLDER / "plan.json"
# The stage whose output is constant.
CHECK = "check_params"


@dataclass(frozen=True)
class Rule:
    """A Snakemake rule for all stages of one entry in a dvc.yaml.

    Attributes:
        name: name of the entry, for example "train".
        outputs: paths, with a wildcard in braces for each axis of the entry's matrix.
        wildcards: the values of each wildcard, by its name and in the matrix's order.
        frozen: whether DVC only takes note of the outputs as they are, so that Snakemake must not remove them.
    """

    name: str
    outputs: list[str]
    wildcards: dict[str, list[str]]
    frozen: bool = False

    @property
    def log(self) -> str:
        """Path of the log, with the wildcards."""
        items = "-".join(f"{{{name}}}" for name in self.wildcards)
        return f"logs/{self.name}/{items}.log" if items else f"logs/{self.name}.log"

    @property
    def constraints(self) -> dict[str, str]:
        """Regular expression of each wildcard."""
        return {name: "|".join(map(re.escape, values)) for name, values in self.wildcards.items()}


@dataclass(frozen=True)
class PlannedStage:
    """A stage in the plan.

    Attributes:
        outputs: paths of its outputs.
        parents: addresses of the stages that create its inputs.
        runs: whether the stage runs.
        reason: why it runs, for people; empty if it does not run.
    """

    outputs: list[str]
    parents: list[str]
    runs: bool
    reason: str = ""


@dataclass(frozen=True)
class Plan:
    """The plan of one Snakemake run.

    Attributes:
        run: unique id of the run.
        rules: rules in the order of the dvc.yaml files.
        stages: stages by address, for example "train@round0-small_cnn-0".
    """

    run: str
    rules: list[Rule]
    stages: dict[str, PlannedStage]

    @cached_property
    def _by_output(self) -> dict[str, str]:
        return {out: address for address, stage in self.stages.items() for out in stage.outputs}

    def address(self, rule: Rule, wildcards: Mapping[str, str]) -> str:
        """The address of the stage that a rule runs for the given wildcards."""
        return self._by_output[rule.outputs[0].format(**wildcards)]

    def origin(self, address: str) -> tuple[Rule, dict[str, str]]:
        """The rule and the wildcards of a stage."""
        name = address.rpartition(":")[2].partition("@")[0]
        rule = next(rule for rule in self.rules if rule.name == name)
        return rule, wildcards_of(rule.outputs[0], self.stages[address].outputs[0]) or {}

    def write(self) -> None:
        """Write the plan, and a stamp for each stage whose modification time tells Snakemake whether the stage runs."""
        PLAN_FILE.write_text(json.dumps(asdict(self), indent=1))
        # The time of the file system, whose clock may be another machine's.
        set_back([out for stage in self.stages.values() for out in stage.outputs], PLAN_FILE.stat().st_mtime)
        for address, stage in self.stages.items():
            if stage.runs:
                stamp(address).write_text(self.run)
            else:
                stamp(address).touch()
                os.utime(stamp(address), (LONG_AGO, LONG_AGO))


def read_plan() -> Plan:
    """Read the plan of the latest run."""
    content = json.loads(PLAN_FILE.read_text())
    rules = [Rule(**rule) for rule in content["rules"]]
    return Plan(content["run"], rules, {address: PlannedStage(**stage) for address, stage in content["stages"].items()})


def stamp(address: str) -> Path:
    """The file whose modification time tells Snakemake whether a stage runs."""
    return FOLDER / (re.sub(r"[^\w@.-]", "_", address) + ".stamp")


def make_plan() -> Plan:
    """Make the plan from DVC's stages and their status.

    Raises:
        InputError: parameters, a dvc.yaml, a dvc.lock or a dependency cannot be read; another process writes outputs;
            a stage has no permission to write its outputs; or the run would lose outputs that DVC cannot restore.
    """
    from dvc.exceptions import DvcException
    from dvc.repo import Repo, lock_repo

    try:
        params = load_params("params.yaml")
        require_backbones(params)
        require_embeddings(params)
        require_logger(params)
        require_backend(params)
        with Repo() as repo:
            refuse_writers(Path(repo.root_dir), repo.config["core"].get("hardlink_lock", False))
            # DVC forgets the stages that it has read whenever it takes or releases this lock.
            with lock_repo(repo):
                return _plan_of(repo)
    except DvcException as error:
        raise InputError(explain(error)) from error
    except (OSError, UnicodeError) as error:
        raise InputError(
            f"DVC cannot read a file that a stage depends on: {error}; look for a broken link in data.root, or a file "
            "name that is not UTF-8"
        ) from error


def _plan_of(repo: "Repo") -> Plan:
    import networkx
    from dvc.repo.reproduce import get_active_graph

    with unlisted(), without_bars():
        stale = repo.status()
    # Without the dependencies of frozen stages.
    graph, root = get_active_graph(repo.index.graph), repo.root_dir
    wanted = {stage for stage in graph if stage.path == os.path.join(root, "dvc.yaml")}
    wanted |= {parent for stage in wanted for parent in networkx.descendants(graph, stage)}
    # A file tracked with `dvc add` is a stage without a command.
    stages = {stage for stage in wanted if stage.cmd}
    runs = {stage for stage in stages if stage.addressing in stale}
    for stage in list(runs):
        if stage.name != CHECK or not all(out.exists for out in stage.outs):
            runs |= networkx.ancestors(graph, stage) & stages
    refuse_loss(runs, stale)
    for stage in sorted(runs, key=lambda stage: stage.addressing):
        _require_writable(stage, root)
    planned = {}
    for stage in sorted(stages, key=lambda stage: stage.addressing):
        parents = [parent for parent in graph.successors(stage) if parent in stages]
        # check_params changes nothing, so it is no reason.
        before = {each.addressing: _outputs(each, root) for each in parents if each in runs and each.name != CHECK}
        planned[stage.addressing] = PlannedStage(
            outputs=_outputs(stage, root),
            parents=[parent.addressing for parent in parents],
            runs=stage in runs,
            reason=planned_reason(stage, stale.get(stage.addressing, []), before) if stage in runs else "",
        )
    return Plan(uuid.uuid4().hex, rules_of([stage for stage in repo.index.stages if stage in stages], root), planned)


def _outputs(stage: "PipelineStage", root: str) -> list[str]:
    return [os.path.relpath(out.fs_path, root) for out in stage.outs]


def _require_writable(stage: "PipelineStage", root: str) -> None:
    """Refuse a stage without permission to write its outputs; Snakemake itself would print a traceback."""
    for out in stage.outs:
        folder = next(parent for parent in Path(out.fs_path).parents if parent.exists())
        if not os.access(folder, os.W_OK | os.X_OK):
            raise InputError(
                f"{os.path.relpath(folder, root)}: Permission denied, and {stage.addressing} writes there: "
                "give this user write permission"
            )


def rules_of(stages: Iterable["PipelineStage"], root: str) -> list[Rule]:
    """Make one rule for each entry of a dvc.yaml that has stages.

    Args:
        stages: DVC's stages, in the order of their files.
        root: the project's folder.

    Raises:
        InputError: an entry's outputs do not contain the axes of its matrix.
    """
    entries: dict[tuple[str, str], list[PipelineStage]] = {}
    for stage in stages:
        entries.setdefault((stage.path, stage.name.partition("@")[0]), []).append(stage)
    # One file object per dvc.yaml: each stage has its own, and each would parse and validate the whole file.
    files = {path: group[0].dvcfile for (path, _), group in entries.items()}
    rules = []
    for (path, name), group in entries.items():
        file = files[path]
        definition = file.contents["stages"][name]
        folder = os.path.join(os.path.dirname(path), definition.get("wdir", "."))
        patterns = [
            os.path.relpath(os.path.join(folder, pattern), root)
            for pattern in output_patterns(definition, file.resolver.context.resolve_str)
        ]
        found = [wildcards_of(patterns[0], _outputs(stage, root)[0]) for stage in group]
        for stage, wildcards in zip(group, found, strict=True):
            if wildcards is None or [pattern.format(**wildcards) for pattern in patterns] != _outputs(stage, root):
                raise InputError(
                    f"{os.path.relpath(path, root)}: {stage.name} has the outputs {_outputs(stage, root)}, but "
                    f"{patterns} gives others: name each axis of the matrix in every output, by a single field"
                )
        values = {
            axis: list(dict.fromkeys(wildcards[axis] for wildcards in found if wildcards))
            for axis in definition.get("matrix", {})
        }
        rules.append(Rule(name, patterns, values, frozen=group[0].frozen))
    return rules


def output_patterns(definition: Mapping[str, Any], resolve: Any) -> list[str]:
    """The outputs of an entry of a dvc.yaml, in DVC's order, with `{axis}` for each reference to a matrix axis.

    Args:
        definition: the entry.
        resolve: function that replaces parameters in a text, for example `${rounds[-1].id}`.
    """
    declared = [out for kind in ("outs", "metrics", "plots") for out in definition.get(kind, [])]
    # An output with flags is a mapping with a single key.
    templates = [out if isinstance(out, str) else next(iter(out)) for out in declared]
    return [str(resolve(re.sub(r"\$\{item\.(\w+)[^}]*\}", r"{\1}", template))) for template in templates]


def wildcards_of(pattern: str, path: str) -> dict[str, str] | None:
    """The wildcard values with which a pattern matches a path; None if it does not match."""
    found = re.fullmatch(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(pattern)), path)
    return found.groupdict() if found else None


def stale_makers(output: Path) -> list[str]:
    """The addresses of the stale stages on which an output depends, including its own stage.

    Args:
        output: path of a stage's output.

    Raises:
        InputError: DVC cannot determine the status, or a run would lose outputs that DVC cannot restore.
    """
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo() as repo:
            (out,) = repo.find_outs_by_path(str(output.absolute()))
            with unlisted():
                stale = repo.status(targets=[out.stage.addressing], with_deps=True)
            refuse_loss([stage for stage in repo.index.stages if stage.addressing in stale], stale)
            return sorted(stale)
    except (DvcException, OSError, UnicodeError) as error:
        raise InputError(f"DVC cannot tell whether {output} is up to date: {explain(error)}") from error
