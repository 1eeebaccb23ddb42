"""Leases of GPUs, with pretended devices and real processes."""

import os
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from bundles import make_bundle
from tiny import ROOT

from dawnchorus.config.params import Params
from dawnchorus.errors import InputError
from dawnchorus.workflow import detection_task
from dawnchorus.workflow.cores import cores
from dawnchorus.workflow.detect_options import Options
from dawnchorus.workflow.gpus import jobs_can_use_gpus, list_gpus, uses_cuda

# Takes a lease, says which, and keeps it until its input ends.
JOB = """
import sys
from pathlib import Path
from dawnchorus.workflow.gpus import lease_gpu, list_gpus
print(lease_gpu(list_gpus(), Path(sys.argv[1])), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def three_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose nvidia-smi lists three devices."""
    nvidia_smi = tmp_path / "bin/nvidia-smi"
    nvidia_smi.parent.mkdir()
    nvidia_smi.write_text("#!/bin/sh\nprintf '0, GPU-a\\n1, GPU-b\\n2, GPU-c\\n'\n")
    nvidia_smi.chmod(0o755)
    monkeypatch.setenv("PATH", f"{nvidia_smi.parent}:{os.environ['PATH']}")
    for name in ("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER"):
        monkeypatch.delenv(name, raising=False)


def start(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", JOB, str(folder)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
    )  # fmt: skip


def leased(job: subprocess.Popen[str]) -> str:
    assert job.stdout is not None
    return job.stdout.readline().strip()


@pytest.mark.usefixtures("three_gpus")
def test_jobs_get_a_gpu_each_and_a_fourth_waits_for_the_first_that_dies(tmp_path: Path) -> None:
    jobs = [start(tmp_path / "leases") for _ in range(3)]
    gpus = [leased(job) for job in jobs]
    assert sorted(gpus) == ["GPU-a", "GPU-b", "GPU-c"]
    fourth = start(tmp_path / "leases")
    assert fourth.stderr is not None
    assert any("all 3 GPUs are leased to other jobs; waiting for one" in line for line in fourth.stderr)
    # A lease ends with its process, however that ends.
    jobs[1].send_signal(signal.SIGKILL)
    jobs[1].wait()
    assert leased(fourth) == gpus[1]
    for job in (jobs[0], jobs[2], fourth):
        job.communicate()
        assert job.returncode == 0


@pytest.mark.usefixtures("three_gpus")
def test_the_users_choice_of_gpus_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list_gpus() == ["GPU-a", "GPU-b", "GPU-c"]
    for choice, gpus in [("1", ["GPU-b"]), ("0, GPU-c", ["GPU-a", "GPU-c"]), ("", []), ("-1", [])]:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", choice)
        assert list_gpus() == gpus


@pytest.mark.usefixtures("three_gpus")
def test_numbers_that_count_in_another_order_than_nvidia_smi_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    monkeypatch.setenv("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
    assert list_gpus() == ["GPU-b"]
    monkeypatch.setenv("CUDA_DEVICE_ORDER", "FASTEST_FIRST")
    with pytest.raises(InputError, match=r"CUDA_VISIBLE_DEVICES=1 numbers GPUs by CUDA_DEVICE_ORDER=FASTEST_FIRST"):
        list_gpus()
    # Names mean the same in any order.
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-c")
    assert list_gpus() == ["GPU-c"]


@pytest.mark.usefixtures("three_gpus")
@pytest.mark.parametrize("cuda", [True, False])
def test_jobs_ask_for_a_gpu_only_where_tensorflow_can_use_one(
    cuda: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform = tmp_path / "packages/tensorflow/python/platform"
    platform.mkdir(parents=True)
    (tmp_path / "packages/tensorflow/__init__.py").write_text("raise ImportError('it takes seconds')")
    (platform / "build_info.py").write_text(f"build_info = collections.OrderedDict([('is_cuda_build', {cuda})])")
    monkeypatch.syspath_prepend(tmp_path / "packages")
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    assert jobs_can_use_gpus("tensorflow") == cuda
    # Of other backends nothing is known beforehand.
    assert jobs_can_use_gpus("jax")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert not jobs_can_use_gpus("jax")


@pytest.mark.usefixtures("three_gpus")
def test_detect_has_a_process_for_each_gpu(tiny: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []
    monkeypatch.setattr(
        detection_task, "score_all", lambda recordings, work, journal, workers, load: started.append(workers)
    )
    task = detection_task.Task.of(make_bundle(tmp_path / "model", tiny), tmp_path / "out", Options())
    recordings = {str(number): tmp_path / f"{number}.wav" for number in range(9)}
    # TensorFlow may have no CUDA here; JAX has it wherever there is a GPU.
    for backend in ("jax", "tensorflow"):
        monkeypatch.setenv("KERAS_BACKEND", backend)
        task.score(recordings, 8)
    assert started == [3, 3 if uses_cuda("tensorflow") else 8]


def test_as_many_cores_compute_as_snakemake_gives_and_as_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)))
    monkeypatch.delenv("DAWNCHORUS_CORES", raising=False)
    assert cores() == 64
    for given, used in (("2", 2), ("100", 64)):
        monkeypatch.setenv("DAWNCHORUS_CORES", given)
        assert cores() == used


def test_a_broken_driver_is_named_and_no_gpu_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert list_gpus() == []
    (tmp_path / "nvidia-smi").write_text("#!/bin/sh\necho 'NVIDIA-SMI has failed'\nexit 9\n")
    (tmp_path / "nvidia-smi").chmod(0o755)
    with pytest.raises(InputError, match="NVIDIA-SMI has failed; repair the driver"):
        list_gpus()


def test_computation_and_device_are_as_asked() -> None:
    """Keras refuses to compile, with no more than a warning, where TensorFlow is bound to repeat every bit."""
    program = """
from dawnchorus.workflow.devices import use_device
import keras
import tensorflow as tf
for xla, tf32 in ((True, True), (False, False)):
    use_device(1, xla=xla, tf32=tf32)
    print(tf.config.experimental.tensor_float_32_execution_enabled())
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(loss="mse", jit_compile=True)
    print(model.jit_compile)
import os
from dawnchorus.workflow.gpus import uses_cuda
print(os.environ["CUDA_DEVICE_ORDER"], uses_cuda("tensorflow") == tf.test.is_built_with_cuda())
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")}, capture_output=True, text=True,
    )  # fmt: skip
    # What TensorFlow says of itself is what its files say without it, and GPUs have nvidia-smi's numbers.
    assert done.stdout.split() == ["True", "True", "False", "False", "PCI_BUS_ID", "True"], done.stderr


@pytest.mark.skipif(find_spec("jax") is None, reason="jax is not installed")
def test_jax_rounds_to_tf32_only_as_asked() -> None:
    program = """
import jax
from dawnchorus.workflow.devices import use_device
for tf32 in (False, True):
    use_device(1, tf32=tf32)
    print(jax.config.jax_default_matmul_precision)
"""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "DAWNCHORUS_BACKEND": "jax"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert done.stdout.split() == ["highest", "None"], done.stderr
