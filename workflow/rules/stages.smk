"""One rule for each entry of dvc.yaml and data/demo/dvc.yaml, with its name and outputs. A job runs one DVC stage.

Required inputs: the dependencies of the stages.
Outputs: the outputs of the stages.
"""

# Cores of a job, and whether it uses a GPU if there is one. A stage that is not listed uses one core and no GPU.
RESOURCES = {
    "synthesize": (workflow.cores, False),
    "ingest": (workflow.cores, False),
    "cache_spectrograms": (workflow.cores, False),
    "cache_unlabelled": (workflow.cores, False),
    "embed": (workflow.cores, True),
    "embed_unlabelled": (workflow.cores, True),
    "train": (config["train"]["threads"], True),
    "predict": (config["train"]["threads"], True),
    "train_head": (config["train"]["threads"], False),
    "predict_head": (config["train"]["threads"], False),
}


def output_of(rule, path):
    """Return an output with Snakemake's flags: a path without a suffix is a folder, and a frozen one is kept."""
    flagged = path if Path(path).suffix else directory(path)
    return update(flagged) if rule.frozen else flagged


for stages in PLAN.rules:
    cores, on_gpu = RESOURCES.get(stages.name, (1, False))

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
            gpu=lambda wildcards, on_gpu=on_gpu: (
                gpus_of_job(config["train"]["backend"]) if on_gpu else 0
            ),
        params:
            stage=address_of(stages),
            run=PLAN.run,
        shell:
            "DAWNCHORUS_RUN={params.run} DAWNCHORUS_CORES={threads} PYTHONPATH=src"
            " python -m dawnchorus.workflow.run_stage {params.stage} &> {log:q}"
