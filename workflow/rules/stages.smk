"""A rule for each entry of dvc.yaml and of data/demo/dvc.yaml, with its name and outputs; a job runs one of its stages.

Required inputs: what the stages depend on.
Outputs: what the stages declare.
"""

from functools import cache

from dawnchorus.workflow.gpus import jobs_can_use_gpus


@cache
def gpus_of_job():
    """A GPU where jobs can use one: elsewhere they share the cores, and a limit on GPUs must not hold them back."""
    try:
        return int(jobs_can_use_gpus())
    except InputError as error:
        raise WorkflowError(str(error)) from error


# Cores, and whether a job computes on a GPU where there is one. A stage that is not listed takes one core.
RESOURCES = {
    "synthesize": (workflow.cores, False),
    "ingest": (workflow.cores, False),
    "cache_spectrograms": (workflow.cores, False),
    "cache_unlabelled": (workflow.cores, False),
    "train": (config["train"]["threads"], True),
    "predict": (config["train"]["threads"], True),
}


for stages in PLAN.rules:
    cores, on_gpu = RESOURCES.get(stages.name, (1, False))

    rule:
        name:
            stages.name
        input:
            inputs_of(stages),
        output:
            [out if Path(out).suffix else directory(out) for out in stages.outputs],
        log:
            stages.log,
        wildcard_constraints:
            **stages.constraints,
        threads: cores
        resources:
            gpu=lambda wildcards, on_gpu=on_gpu: gpus_of_job() if on_gpu else 0,
        params:
            stage=address_of(stages),
            run=PLAN.run,
        shell:
            "DAWNCHORUS_RUN={params.run} DAWNCHORUS_CORES={threads} PYTHONPATH=src"
            " python -m dawnchorus.workflow.run_stage {params.stage} &> {log:q}"
