"""From folds and spectrograms to the ensemble's submission and metrics.

Required inputs: data/folds.csv, data/species.csv, data/spectrograms/{train,test}/, data/audio.csv,
    data/recordings/test.csv and the tables in <data.root>.
Outputs: data/pretrained/{backbone}/, results/teachers/{round}/{backbone}/{fold}/, results/targets/{round}/ (and the
    empty one of round none), results/models/{backbone}/{fold}.weights.h5,
    results/curves/{backbone}/{fold}.csv, results/epoch_weights/{backbone}/{fold}/,
    results/predictions/{backbone}/{fold}/, results/submissions/, results/submission.csv, results/metrics.json,
    results/average_precision.csv.
"""

import shutil

# Where there is no GPU the jobs share the cores, and a limit on GPUs must not hold them back.
GPUS_OF_JOB = 1 if shutil.which("nvidia-smi") else 0


wildcard_constraints:
    round=r"\w+",
    backbone=r"\w+",
    fold=r"\d+",


rule fetch_weights:
    input:
        dvc_inputs("fetch_weights@{backbone}"),
    output:
        directory("data/pretrained/{backbone}"),
    log:
        "logs/fetch_weights/{backbone}.log",
    shell:
        "PYTHONPATH=src python -m dawnchorus.workflow.run_stage fetch_weights@{wildcards.backbone}" " &> {log:q}"


rule no_teacher:
    input:
        dvc_inputs("no_teacher"),
    output:
        directory("results/targets/none"),
    log:
        "logs/no_teacher.log",
    shell:
        "PYTHONPATH=src python -m dawnchorus.workflow.run_stage no_teacher" " &> {log:q}"


rule teach:
    input:
        dvc_inputs("teach@{round}-{backbone}-{fold}"),
    output:
        directory("results/teachers/{round}/{backbone}/{fold}"),
    log:
        "logs/teach/{round}-{backbone}-{fold}.log",
    threads: config["train"]["threads"]
    resources:
        gpu=GPUS_OF_JOB,
    params:
        stage=lambda wildcards: stage_address("teach@{round}-{backbone}-{fold}", wildcards),
    shell:
        "PYTHONPATH=src python -m dawnchorus.workflow.run_stage {params.stage} &> {log:q}"


rule gather_targets:
    input:
        dvc_inputs("gather_targets@{round}"),
    output:
        directory("results/targets/{round}"),
    log:
        "logs/gather_targets/{round}.log",
    wildcard_constraints:
        round=r"(?!none$)\w+",
    params:
        stage=lambda wildcards: stage_address("gather_targets@{round}", wildcards),
    shell:
        "PYTHONPATH=src python -m dawnchorus.workflow.run_stage {params.stage} &> {log:q}"


rule train:
    input:
        dvc_inputs("train@{backbone}-{fold}"),
    output:
        weights="results/models/{backbone}/{fold}.weights.h5",
        curve="results/curves/{backbone}/{fold}.csv",
        checkpoints=directory("results/epoch_weights/{backbone}/{fold}"),
    log:
        "logs/train/{backbone}-{fold}.log",
    threads: config["train"]["threads"]
    resources:
        gpu=GPUS_OF_JOB,
    shell:
        "PYTHONPATH=src python -m dawnchorus.workflow.run_stage train@{wildcards.backbone}-{wildcards.fold}"
        " &> {log:q}"


rule predict:
    input:
        dvc_inputs("predict@{backbone}-{fold}"),
    output:
        directory("results/predictions/{backbone}/{fold}"),
    log:
        "logs/predict/{backbone}-{fold}.log",
    threads: config["train"]["threads"]
    resources:
        gpu=GPUS_OF_JOB,
    shell:
        "PYTHONPATH=src python -m dawnchorus.workflow.run_stage predict@{wildcards.backbone}-{wildcards.fold}"
        " &> {log:q}"


rule ensemble:
    input:
        dvc_inputs("ensemble"),
    output:
        submissions=directory("results/submissions"),
        submission="results/submission.csv",
        metrics="results/metrics.json",
        average_precision="results/average_precision.csv",
    log:
        "logs/ensemble.log",
    shell:
        "PYTHONPATH=src python -m dawnchorus.workflow.run_stage ensemble" " &> {log:q}"
