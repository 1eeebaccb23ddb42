"""Dawnchorus: ingest -> folds -> spectrograms -> train and predict (rounds x backbone x fold) -> ensemble.

Snakemake decides when and where a stage runs. DVC defines the stages in dvc.yaml and decides which are stale.
`snakemake detect` is no stage: it finds detections in any recordings with a finished model.
"""

import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

min_version("9.19")

sys.path.insert(0, str(Path(workflow.basedir) / "src"))

from dawnchorus.errors import InputError
from dawnchorus.workflow.failures import failures
from dawnchorus.workflow.interpreter import use_this_python

try:
    # Jobs inherit PATH.
    use_this_python()
except InputError as error:
    raise WorkflowError(str(error)) from error

# The targets are unknown yet. A job on another node has no target in its arguments; other jobs have no --config.
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


onerror:
    print(failures(log), file=sys.stderr)
