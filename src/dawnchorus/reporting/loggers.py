"""Loggers of trainings: TensorBoard, MLflow and Weights & Biases, offline unless their own settings name a server.

What they are told cannot change a result, so no stage depends on `train.logger`.
"""

import hashlib
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from filelock import FileLock

from dawnchorus.config.params import Params
from dawnchorus.dotted import flatten
from dawnchorus.errors import InputError

NONE, TENSORBOARD, MLFLOW, WANDB = "none", "tensorboard", "mlflow", "wandb"
PROJECT = "dawnchorus"
# MLflow's limit.
MOST_AT_ONCE = 100


class Run(Protocol):
    """What is logged of one job."""

    def log(self, values: Mapping[str, float], step: int) -> None:
        """Log figures of an epoch, counted from 1, or final figures as step 0."""


class _Silent:
    """A run of which nothing is logged."""

    def log(self, values: Mapping[str, float], step: int) -> None:
        pass


class _TensorBoard:
    def __init__(self, folder: Path, params: Mapping[str, Any]) -> None:
        from tensorboard.plugins.hparams.summary_v2 import hparams_pb
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        # The curves of an earlier run of the same job would be drawn over these.
        if folder.exists():
            shutil.rmtree(folder)
        self._writer = EventFileWriter(str(folder))
        known = {key: value if isinstance(value, bool | int | float) else str(value) for key, value in params.items()}
        self._add(hparams_pb(known, trial_id=folder.name), 0)

    def _add(self, summary: Any, step: int) -> None:
        from tensorboard.compat.proto.event_pb2 import Event

        self._writer.add_event(Event(step=step, wall_time=time.time(), summary=summary))
        # People look at the curves while they grow.
        self._writer.flush()

    def log(self, values: Mapping[str, float], step: int) -> None:
        from tensorboard.compat.proto.summary_pb2 import Summary

        self._add(Summary(value=[Summary.Value(tag=key, simple_value=each) for key, each in values.items()]), step)

    def close(self, failed: bool) -> None:
        self._writer.close()


class _MlFlow:
    def __init__(self, folder: Path, group: str, name: str, params: Mapping[str, Any]) -> None:
        # MLflow would tell its makers how it is used.
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        from mlflow import MlflowClient
        from mlflow.entities import Param

        folder.mkdir(parents=True, exist_ok=True)
        # MLflow without a database, mlflow-skinny, writes a folder only on request.
        os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
        self._client = MlflowClient(os.environ.get("MLFLOW_TRACKING_URI") or folder.absolute().as_uri())
        # Several jobs start at once.
        with FileLock(folder / ".lock"):
            found = self._client.get_experiment_by_name(PROJECT)
            experiment = self._client.create_experiment(PROJECT) if found is None else found.experiment_id
        self._run = self._client.create_run(experiment, run_name=name, tags={"parameters": group}).info.run_id
        listed = [Param(key, str(value)) for key, value in params.items()]
        for start in range(0, len(listed), MOST_AT_ONCE):
            self._client.log_batch(self._run, params=listed[start : start + MOST_AT_ONCE])

    def log(self, values: Mapping[str, float], step: int) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        self._client.log_batch(self._run, metrics=[Metric(key, each, now, step) for key, each in values.items()])

    def close(self, failed: bool) -> None:
        self._client.set_terminated(self._run, "FAILED" if failed else "FINISHED")


class _WeightsAndBiases:
    def __init__(self, folder: Path, group: str, name: str, params: Mapping[str, Any]) -> None:
        # Reports of crashes would go to its makers.
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
        import wandb

        mode: Any = os.environ.get("WANDB_MODE") or "offline"
        folder.mkdir(parents=True, exist_ok=True)
        self._run = wandb.init(
            project=PROJECT, group=group, name=name, dir=str(folder), config=dict(params),
            mode=mode,
            settings=wandb.Settings(silent=True, console="off", disable_git=True, save_code=False),
        )  # fmt: skip

    def log(self, values: Mapping[str, float], step: int) -> None:
        self._run.log(dict(values), step=step)

    def close(self, failed: bool) -> None:
        self._run.finish(exit_code=int(failed))


def require_logger(params: Params) -> None:
    """Check that the library of `train.logger` is installed.

    Raises:
        InputError: it is not; the message has the command that installs it.
    """
    logger = params.train.logger
    if logger != NONE and find_spec(logger) is None:
        raise InputError(
            f"train.logger: {logger} is not installed; install it with `uv sync --locked --inexact --extra {logger}`, "
            "or set train.logger to none"
        )


@contextmanager
def logged_run(params: Params, folder: Path, name: str) -> Iterator[Run]:
    """Log a job with the logger that `train.logger` names.

    An interrupted job logs all its epochs anew when it is resumed.

    Args:
        params: parameters of the experiment, which are logged too.
        folder: folder of all logs; each logger has a folder of its own there.
        name: name of the job, for example "train@first-small_cnn-0".
    """
    logger = params.train.logger
    content = params.model_dump(mode="json")
    del content["train"]["logger"]
    group = hashlib.sha256(repr(content).encode()).hexdigest()[:8]
    values = flatten(content)
    own = folder / logger
    if logger == TENSORBOARD:
        run: Any = _TensorBoard(own / group / name, values)
    elif logger == MLFLOW:
        run = _MlFlow(own, group, name, values)
    elif logger == WANDB:
        run = _WeightsAndBiases(own, group, name, values)
    else:
        yield _Silent()
        return
    try:
        yield run
    except BaseException:
        run.close(failed=True)
        raise
    run.close(failed=False)
