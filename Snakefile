"""Dawnchorus: ingest -> folds -> spectrograms -> train and predict (rounds x backbone x fold) -> ensemble.

Snakemake decides when and where a stage runs. DVC defines the stages in dvc.yaml and decides which are stale.
`snakemake detect` is no stage: it finds detections in any recordings with a finished model.
"""

from snakemake.utils import min_version

min_version("9.19")


include: "workflow/rules/common.smk"


# Snakemake does not know the targets yet. Jobs on other nodes are those of `detect` if they have a --config.
if "detect" in sys.argv if workflow.is_main_process else workflow.config_settings.overwrite_config:

    include: "workflow/rules/detect.smk"

else:

    # Included first because its errors about params.yaml are clearer than Snakemake's.
    include: "workflow/rules/dvc.smk"

    configfile: "params.yaml"

    include: "workflow/rules/stages.smk"

    rule all:
        input:
            [out for stage in PLAN.stages.values() for out in stage.outputs],
