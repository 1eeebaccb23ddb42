"""What loggers write without a network, read back by each library itself."""

import struct
import time
from pathlib import Path
from typing import Any

import pytest
from tiny import changed

from dawnchorus.config.params import Params
from dawnchorus.errors import InputError
from dawnchorus.reporting import loggers
from dawnchorus.reporting.loggers import logged_run, require_logger

CURVE = [{"loss": 0.5}, {"loss": 0.25, "validation_lwlrap": 0.75}, {"loss": 0.125, "validation_lwlrap": 0.875}]
FINAL = {"test.lwlrap": 0.5, "test.macro_recall_at_0.5": 0.25}


@pytest.fixture
def local(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without settings of the machine that name a server."""
    for name in ("MLFLOW_TRACKING_URI", "WANDB_MODE", "WANDB_DIR"):
        monkeypatch.delenv(name, raising=False)


def write(params: Params, logger: str, folder: Path) -> None:
    params = changed(params, {"train": {"logger": logger}})
    with logged_run(params, folder, "train@first-small_cnn-0") as run:
        for epoch, row in enumerate(CURVE, start=1):
            run.log(row, epoch)
    with logged_run(params, folder, "ensemble") as run:
        run.log(FINAL, 0)


@pytest.mark.usefixtures("local")
def test_tensorboard_reads_curves_parameters_and_figures(params: Params, tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    # A job that runs again replaces its curves.
    write(params, "tensorboard", tmp_path)
    write(params, "tensorboard", tmp_path)
    (run,) = (tmp_path / "tensorboard").glob("*/train@first-small_cnn-0")
    found = accumulator.EventAccumulator(str(run)).Reload()
    assert [(event.step, event.value) for event in found.Scalars("loss")] == [(1, 0.5), (2, 0.25), (3, 0.125)]
    assert [(event.step, event.value) for event in found.Scalars("validation_lwlrap")] == [(2, 0.75), (3, 0.875)]
    (plugin,) = found.PluginTagToContent("hparams").values()
    assert b"train.epochs" in plugin
    final = accumulator.EventAccumulator(str(run.parent / "ensemble")).Reload()
    assert [(event.step, event.value) for event in final.Scalars("test.lwlrap")] == [(0, 0.5)]


@pytest.mark.usefixtures("local")
def test_mlflow_reads_curves_parameters_and_figures(params: Params, tmp_path: Path) -> None:
    mlflow = pytest.importorskip("mlflow")
    write(params, "mlflow", tmp_path)
    client = mlflow.MlflowClient((tmp_path / "mlflow").as_uri())
    experiment = client.get_experiment_by_name("dawnchorus").experiment_id
    runs = {run.info.run_name: run for run in client.search_runs([experiment])}
    assert set(runs) == {"train@first-small_cnn-0", "ensemble"}
    training = runs["train@first-small_cnn-0"]
    history = client.get_metric_history(training.info.run_id, "loss")
    assert [(each.step, each.value) for each in history] == [(1, 0.5), (2, 0.25), (3, 0.125)]
    assert training.data.params["train.epochs"] == str(params.train.epochs)
    assert training.info.status == "FINISHED"
    assert runs["ensemble"].data.metrics == FINAL
    with pytest.raises(KeyError), logged_run(changed(params, {"train": {"logger": "mlflow"}}), tmp_path, "failing"):
        raise KeyError
    assert [run.info.status for run in client.search_runs([experiment], "attributes.run_name = 'failing'")] == [
        "FAILED"
    ]
    assert training.data.tags["parameters"] == runs["ensemble"].data.tags["parameters"]


def records(path: Path) -> list[Any]:
    """The records of a file of Weights & Biases: a log of LevelDB's format, with its own messages."""
    from wandb.proto import wandb_internal_pb2

    record: Any = vars(wandb_internal_pb2)["Record"]
    content, position, parts = path.read_bytes(), 7, b""
    found: list[Any] = []
    while position + 7 <= len(content):
        left = 32768 - position % 32768
        if left < 7:
            position += left
            continue
        _, length, kind = struct.unpack("<IHB", content[position : position + 7])
        parts += content[position + 7 : position + 7 + length]
        position += 7 + length
        # Whole, or the last part.
        if kind in (1, 4):
            found.append(record.FromString(parts))
            parts = b""
    return found


def finished(path: Path) -> list[Any]:
    """The records of a run whose last one another process is still writing."""
    deadline = time.monotonic() + 60
    while "exit" not in [each.WhichOneof("record_type") for each in records(path)]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return records(path)


@pytest.mark.usefixtures("local")
def test_wandb_keeps_curves_parameters_and_figures_offline(params: Params, tmp_path: Path) -> None:
    pytest.importorskip("wandb")
    write(params, "wandb", tmp_path)
    files = sorted((tmp_path / "wandb").glob("**/offline-run-*/*.wandb"))
    assert len(files) == 2
    by_name = {}
    for path in files:
        of_run = finished(path)
        (run,) = (each.run for each in of_run if each.WhichOneof("record_type") == "run")
        rows = [
            {".".join(item.nested_key) or item.key: float(item.value_json) for item in each.history.item}
            for each in of_run
            if each.WhichOneof("record_type") == "history"
        ]
        by_name[run.display_name] = rows, {item.key: item.value_json for item in run.config.update}, run.run_group
    rows, settings, group = by_name["train@first-small_cnn-0"]
    assert [{key: value for key, value in row.items() if key in CURVE[2]} for row in rows] == CURVE
    assert [row["_step"] for row in rows] == [1, 2, 3]
    assert settings["train.epochs"] == str(params.train.epochs)
    ((final,), _, other) = by_name["ensemble"]
    assert final.items() >= FINAL.items()
    assert group == other


def test_without_a_logger_nothing_is_written(params: Params, tmp_path: Path) -> None:
    write(params, "none", tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_missing_library_is_refused_with_the_command_that_installs_it(
    params: Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_logger(params)
    monkeypatch.setattr(loggers, "find_spec", lambda _: None)
    require_logger(params)
    for logger in ("tensorboard", "mlflow", "wandb"):
        with pytest.raises(
            InputError, match=rf"^train.logger: {logger} is not installed; install it with `uv sync .*{logger}`"
        ):
            require_logger(changed(params, {"train": {"logger": logger}}))
