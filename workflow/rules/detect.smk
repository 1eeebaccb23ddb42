"""The rules of `snakemake detect --config recordings=... model=... output=...`, which DVC knows nothing of.

Required inputs: the model and the recordings that --config names.
Outputs: the folder that --config names: scores of shards of the recordings, then the tables of all.
"""

import csv
import sys
from functools import cache

from dawnchorus.workflow.detect_options import read_config
from dawnchorus.workflow.gpus import jobs_can_use_gpus
from dawnchorus.workflow.sharding import Shards, prepare

try:
    REQUEST = read_config(config)
    if workflow.is_main_process:
        # The lock is held until this process ends, even if it is killed.
        PLAN, LOCK = prepare(REQUEST)
        print(PLAN, file=sys.stderr)
except InputError as error:
    raise WorkflowError(str(error)) from error
except OSError as error:
    remedy = "check disk space and permissions"
    raise WorkflowError(f"{error.filename}: {error.strerror}; {remedy}") from error

OUTPUT = REQUEST.output.absolute()
SHARDS = Shards(OUTPUT)
MERGE_LOG = OUTPUT / "logs/detect.log"


@cache
def gpus_of_shard():
    """The GPUs of a job: 1 if jobs can use one, else 0, so that a limit on GPUs does not restrict CPU jobs."""
    try:
        return int(jobs_can_use_gpus("tensorflow"))
    except InputError as error:
        raise WorkflowError(str(error)) from error


# It has no output, so that it always runs: other thresholds and formats change no shard.
rule detect:
    input:
        [str(SHARDS.problems(name)) for name in SHARDS.names()],
    log:
        str(MERGE_LOG),
    params:
        output=str(OUTPUT),
    shell:
        "PYTHONPATH=src python workflow/scripts/merge_shards.py --output {params.output:q} &> {log:q}"


rule score:
    output:
        f"{SHARDS.folder}/{{shard}}.problems.csv",
    log:
        f"{OUTPUT}/logs/{{shard}}.log",
    wildcard_constraints:
        shard=r"\d+",
    threads: workflow.cores
    resources:
        gpu=lambda wildcards: gpus_of_shard(),
    params:
        output=str(OUTPUT),
    shell:
        "DAWNCHORUS_CORES={threads} PYTHONPATH=src python workflow/scripts/score_shard.py"
        " --output {params.output:q} --shard {wildcards.shard} &> {log:q}"


onsuccess:
    print(MERGE_LOG.read_text(encoding="utf-8"), end="")
    with (OUTPUT / "unreadable.csv").open(encoding="utf-8", newline="") as file:
        unread = len(list(csv.reader(file))) - 1
    if unread:
        raise WorkflowError(f"{unread} recordings could not be read")
