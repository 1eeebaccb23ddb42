"""A failed run ends with the reason of each failed job."""

from pathlib import Path

from dawnchorus.workflow.failures import failures

ERROR = """Error in rule {rule}:
    message: None
    jobid: {job}
    input: x
    log: {logs} (check log file(s) for error details)
    shell:
        python x
"""


def test_the_last_message_of_each_failed_job_is_named_once(tmp_path: Path) -> None:
    train, predict, slurm, retried = (tmp_path / name for name in ("train.log", "predict.log", "7.log", "retried.log"))
    train.write_text("one\nerror: old\nerror: no space left\n  on /data\n")
    predict.write_text("\n".join("abcdefgh"))
    slurm.write_text("noise\nslurmstepd-n1: error: exceeded memory limit\nmore noise\n")
    retried.write_text("error: transient\n")
    (tmp_path / "snakemake.log").write_text(
        ERROR.format(rule="train", job=3, logs=train)
        + ERROR.format(rule="predict", job=5, logs=retried)
        + "Trying to restart job 5.\n"
        + ERROR.format(rule="predict", job=4, logs=f"{predict}, {slurm}")
        + ERROR.format(rule="train", job=3, logs=train)
        + ERROR.format(rule="ensemble", job=9, logs=tmp_path / "missing.log")
    )
    assert failures([str(tmp_path / "snakemake.log")]) == (
        f"\nerror: no space left\n  on /data\nThe whole log: {train}\n"
        f"\nd\ne\nf\ng\nh\nThe whole log: {predict}\n"
        f"\nslurmstepd-n1: error: exceeded memory limit\nThe whole log: {slurm}\n"
        f"\n\nThe whole log: {tmp_path / 'missing.log'}"
    )
