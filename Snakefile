"""Dawnchorus: ingest -> folds -> spectrograms -> train and predict (rounds x backbone x fold) -> ensemble.

Snakemake decides when and where a stage runs. DVC defines the stages in dvc.yaml and decides which are stale.
"""

from snakemake.utils import min_version

min_version("9.19")


# Included first because its errors about params.yaml are clearer than Snakemake's.
include: "workflow/rules/dvc.smk"


configfile: "params.yaml"


include: "workflow/rules/stages.smk"


rule all:
    input:
        [out for stage in PLAN.stages.values() for out in stage.outputs],


onerror:
    print(failures(log), file=sys.stderr)
