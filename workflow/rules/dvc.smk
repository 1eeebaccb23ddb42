"""The plan of this run, made from DVC's stages, and the inputs of the rules that follow from it.

Required inputs: dvc.yaml, params.yaml, and everything that the stages depend on.
Outputs: .snakemake/dvc/plan.json, and a stamp for each stage in the same folder.

The stamp of a stage that runs is new; the stamp of any other stage is older than all outputs. All other inputs are
`ancient()` unless a stage that runs creates them. Therefore modification times alone trigger nothing. They are
meaningless after a `dvc repro`, a pull or a checkout.
"""

import gc

from dawnchorus.workflow.locks import hold_folder
from dawnchorus.workflow.plan import make_plan, read_plan, stamp

# DVC and Snakemake make many objects that live until the process ends, and little garbage.
gc.disable()
if workflow.is_main_process:
    if workflow.config_settings.configfiles or workflow.config_settings.overwrite_config:
        raise WorkflowError(
            "--config and --configfile change no parameter, because stages read params.yaml: edit params.yaml, or run "
            "an experiment with `dvc exp run -S`, for example `dvc exp run -S seed=2`"
        )
    try:
        # Held until this process ends, even if it is killed. The profile disables Snakemake's own lock, because a
        # killed run leaves it behind.
        RUN_LOCK = hold_folder()
        make_plan().write()
    except InputError as error:
        raise WorkflowError(str(error)) from error
PLAN = read_plan()


def address_of(rule):
    """Return a function from a job's wildcards to the address of its stage."""
    return lambda wildcards: PLAN.address(rule, wildcards)


def inputs_of(rule):
    """Return a function from a job's wildcards to its inputs."""

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


# Exclude these objects from garbage collection, which otherwise scans them repeatedly, mostly at exit. Both together save
# a fifth of the time that Snakemake needs if nothing is to be done.
gc.freeze()
gc.enable()
