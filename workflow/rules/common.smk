"""What the rules of all targets share: the package, the Python of jobs, and whether jobs use a GPU."""

import sys
from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError

sys.path.insert(0, str(Path(workflow.basedir) / "src"))

from dawnchorus.errors import InputError
from dawnchorus.workflow.gpus import jobs_can_use_gpus
from dawnchorus.workflow.interpreter import use_this_python

try:
    # Jobs inherit PATH.
    use_this_python()
except InputError as error:
    raise WorkflowError(str(error)) from error


@cache
def gpus_of_job(backend):
    """The GPUs of a job: 1 if jobs can use one, else 0, so that a limit on GPUs does not restrict CPU jobs."""
    try:
        return int(jobs_can_use_gpus(backend))
    except InputError as error:
        raise WorkflowError(str(error)) from error
