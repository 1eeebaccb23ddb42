"""One rule for each entry of dvc.yaml and data/demo/dvc.yaml, with its name and outputs. A job runs one DVC stage.

Required inputs: the dependencies of the stages.
Outputs: the outputs of the stages.
"""

BACKEND = config["train"]["backend"]
# Cores of a job, and the library that computes on a GPU if there is one. A stage that is not listed uses one core and no
# GPU.
RESOURCES = {
    "synthesize": (workflow.cores, None),
    "ingest": (workflow.cores, None),
    "cache_spectrograms": (workflow.cores, None),
    "cache_unlabelled": (workflow.cores, None),
    "embed": (workflow.cores, "tensorflow"),
    "embed_unlabelled": (workflow.cores, "tensorflow"),
    "train": (config["train"]["threads"], BACKEND),
    "predict": (config["train"]["threads"], BACKEND),
    "train_student": (config["train"]["threads"], BACKEND),
    "calibrate_student": (config["train"]["threads"], BACKEND),
    "train_head": (config["train"]["threads"], None),
    "predict_head": (config["train"]["threads"], None),
}


def output_of(rule, path):
    """Return an output with Snakemake's flags: a path without a suffix is a folder, and a frozen one is kept."""
    flagged = path if Path(path).suffix else directory(path)
    return update(flagged) if rule.frozen else flagged


for stages in PLAN.rules:
    cores, backend = RESOURCES.get(stages.name, (1, None))

    rule:
        name:
            stages.name
        input:
            inputs_of(stages),
        output:
            [output_of(stages, out) for out in stages.outputs],
        log:
            stages.log,
        wildcard_constraints:
            **stages.constraints,
        threads: cores
        resources:
            gpu=lambda wildcards, backend=backend: (gpus_of_job(backend) if backend else 0),
        params:
            stage=address_of(stages),
            run=PLAN.run,
        shell:
            "DAWNCHORUS_RUN={params.run} DAWNCHORUS_CORES={threads} PYTHONPATH=src"
            " python -m dawnchorus.workflow.run_stage {params.stage} &> {log:q}"
