"""From params.yaml and a folder of recordings to folds and spectrograms.

Required inputs: params.yaml; <data.root> with train/, test/, train_tp.csv, train_fp.csv and sample_submission.csv,
    which the embedded data set's own rule makes.
Outputs: results/params_checked.txt, data/demo/dataset/, data/audio.csv, data/recordings/{train,test}.csv,
    data/folds.csv, data/fold_report.csv, data/species.csv, data/spectrograms/{train,test}/.
"""


rule check_params:
    input:
        dvc_inputs("check_params"),
    output:
        "results/params_checked.txt",
    log:
        "logs/check_params.log",
    shell:
        "PYTHONPATH=src python -m dawnchorus.workflow.run_stage check_params" " &> {log:q}"


rule synthesize:
    input:
        dvc_inputs("data/demo/dvc.yaml:synthesize"),
    output:
        directory("data/demo/dataset"),
    log:
        "logs/synthesize.log",
    threads: workflow.cores
    shell:
        "PYTHONPATH=src python -m dawnchorus.workflow.run_stage data/demo/dvc.yaml:synthesize" " &> {log:q}"


rule check_data:
    input:
        dvc_inputs("check_data"),
    output:
        audio="data/audio.csv",
        test="data/recordings/test.csv",
        train="data/recordings/train.csv",
    log:
        "logs/check_data.log",
    threads: workflow.cores
    shell:
        "PYTHONPATH=src python -m dawnchorus.workflow.run_stage check_data" " &> {log:q}"


rule split_folds:
    input:
        dvc_inputs("split_folds"),
    output:
        folds="data/folds.csv",
        report="data/fold_report.csv",
        species="data/species.csv",
    log:
        "logs/split_folds.log",
    shell:
        "PYTHONPATH=src python -m dawnchorus.workflow.run_stage split_folds" " &> {log:q}"


rule cache_spectrograms:
    input:
        dvc_inputs("cache_spectrograms@{split}"),
    output:
        directory("data/spectrograms/{split}"),
    log:
        "logs/cache_spectrograms/{split}.log",
    wildcard_constraints:
        split="train|test",
    threads: workflow.cores
    shell:
        "PYTHONPATH=src python -m dawnchorus.workflow.run_stage cache_spectrograms@{wildcards.split}"
        " &> {log:q}"
