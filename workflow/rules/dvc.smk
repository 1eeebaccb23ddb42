"""What DVC knows of the stages: the plan of this run, and with it the inputs of the rules.

Required inputs: dvc.yaml, params.yaml, and whatever the stages depend on.
Outputs: .snakemake/dvc/plan.json, and a stamp beside it for each stage.

The stamp of a stage that runs is new, and any other is older than all outputs. All other inputs are `ancient()` unless a
stage that runs makes them. So modification times, which mean nothing after a run through DVC, a pull or a checkout, trigger
nothing by themselves.
"""

import gc
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

sys.path.insert(0, str(Path(workflow.basedir) / "src"))

from dawnchorus.errors import InputError
from dawnchorus.workflow.failures import failures
from dawnchorus.workflow.locks import hold_folder
from dawnchorus.workflow.plan import make_plan, read_plan, stamp

if workflow.is_main_process:
    try:
        # Held until this process ends, however it ends; Snakemake's own lock, which a killed run leaves, is off in the
        # profile.
        RUN_LOCK = hold_folder()
        make_plan().write()
    except InputError as error:
        raise WorkflowError(str(error)) from error
PLAN = read_plan()


def address_of(rule):
    """A function of a job's wildcards: the address of its stage."""
    return lambda wildcards: PLAN.address(rule, wildcards)


def inputs_of(rule):
    """A function of a job's wildcards: its inputs."""

    def inputs(wildcards):
        address = PLAN.address(rule, wildcards)
        stage = PLAN.stages[address]
        made = [
            out if stage.runs and PLAN.stages[parent].runs else ancient(out)
            for parent in stage.parents
            for out in PLAN.stages[parent].outputs
        ]
        return [str(stamp(address)), *made]

    return inputs


# The modules of Snakemake and DVC stay until the end: without this, Python's searches for garbage, that at the end
# above all, go through them again, for a seventh of the time in which Snakemake finds that there is nothing to do.
gc.freeze()
