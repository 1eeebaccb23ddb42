"""The rules of `snakemake detect --config recordings=... model=... output=...`, which DVC knows nothing of.

Required inputs: the model and the recordings that --config names.
Outputs: the folder that --config names: scores of shards of the recordings, then the tables of all.
"""

import csv

from dawnchorus.workflow.detect_options import read_config
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


# It has no output, so that it always runs: other thresholds and formats change no shard.
rule detect:
    input:
        [str(SHARDS.problems(name)) for name in SHARDS.names()],
    log:
        str(MERGE_LOG),
    params:
        output=lambda wildcards: OUTPUT,
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
        gpu=lambda wildcards: gpus_of_job("tensorflow"),
    params:
        output=lambda wildcards: OUTPUT,
    shell:
        "DAWNCHORUS_CORES={threads} PYTHONPATH=src python workflow/scripts/score_shard.py"
        " --output {params.output:q} --shard {wildcards.shard} &> {log:q}"


onsuccess:
    # Through Snakemake's logger, so that it comes after the rows on the terminal.
    logger.info(MERGE_LOG.read_text(encoding="utf-8").rstrip("\n"), extra={"for_people": True})
    with (OUTPUT / "unreadable.csv").open(encoding="utf-8", newline="") as file:
        unread = len(list(csv.reader(file))) - 1
    if unread:
        raise WorkflowError(f"{unread} recordings could not be read")
