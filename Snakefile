"""Dawnchorus: folds -> spectrograms -> train backbone x fold -> predict per fold -> average the ensemble.

Snakemake decides when and where a stage runs; dvc.yaml says what it is and whether it is out of date.
"""

from snakemake.utils import min_version

min_version("9.19")


# First, for its errors about params.yaml are clearer than Snakemake's.
include: "workflow/rules/dvc.smk"


configfile: "params.yaml"


include: "workflow/rules/stages.smk"


rule all:
    input:
        [out for stage in PLAN.stages.values() for out in stage.outputs],


onerror:
    print(failures(log), file=sys.stderr)
