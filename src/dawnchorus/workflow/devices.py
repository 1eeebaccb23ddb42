"""The processor that a training or inference job runs on."""

import gc
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import filelock
import threadpoolctl

from dawnchorus.errors import InputError

# Of the many objects that this import makes none is garbage, and to look for it takes a fifth of the time.
gc.disable()
import keras  # noqa: E402

gc.enable()
if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

SECONDS_BETWEEN_TRIES = 0.5
# A lease lasts as long as its lock's file is open, so it is kept until the process ends.
_leases: list[filelock.FileLock] = []


def use_device(threads: int, mixed_precision: bool = False, xla: bool = False) -> str:
    """Lease a GPU where there are any, and let TensorFlow and BLAS compute in so many threads, repeatably.

    Must be called before the first operation.

    Args:
        threads: CPU threads.
        mixed_precision: whether to compute in half precision where there is a GPU.
        xla: whether the model is to be compiled; Keras does not where TensorFlow is bound to repeat every bit.

    Returns:
        "CPU", or the GPU's product name.
    """
    threadpoolctl.threadpool_limits(threads)
    # A TensorFlow without CUDA computes on the CPU whatever there is.
    uses_gpus = keras.backend.backend() != "tensorflow" or tf.test.is_built_with_cuda()
    gpu = lease_gpu(list_gpus()) if uses_gpus else None
    if gpu is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpu
        if mixed_precision:
            keras.mixed_precision.set_global_policy("mixed_float16")
    if keras.backend.backend() == "tensorflow":
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        if not xla:
            tf.config.experimental.enable_op_determinism()
    return "CPU" if gpu is None else product_name(gpu)


def product_name(gpu: str) -> str:
    """What a GPU is called, for example "NVIDIA H200"; its identifier where nvidia-smi knows no name, as of a part."""
    command = ["nvidia-smi", f"--id={gpu}", "--query-gpu=name", "--format=csv,noheader"]
    done = subprocess.run(command, capture_output=True, text=True)
    return gpu if done.returncode else done.stdout.strip()


def list_gpus() -> list[str]:
    """The GPUs that this process may use, by their UUID: those of CUDA_VISIBLE_DEVICES, else all.

    Raises:
        InputError: nvidia-smi is there and fails.
    """
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    chosen = None if visible is None else [name.strip() for name in visible.split(",")]
    # CUDA's way to hide all.
    if chosen in ([""], ["-1"]) or shutil.which("nvidia-smi") is None:
        return []
    command = ["nvidia-smi", "--query-gpu=index,uuid", "--format=csv,noheader"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise InputError(
            f"nvidia-smi cannot list the GPUs: {(done.stdout + done.stderr).strip()}; mend the driver, or set "
            "CUDA_VISIBLE_DEVICES to -1 to compute on the CPU"
        )
    uuids = dict(line.split(", ") for line in done.stdout.splitlines())
    return list(uuids.values()) if chosen is None else [uuids.get(name, name) for name in chosen]


def lease_gpu(gpus: list[str], folder: Path | None = None) -> str | None:
    """Wait until one of some GPUs is free and hold it until this process ends, however it ends.

    Args:
        gpus: names of GPUs.
        folder: of the lock files; by default one that all projects of this user on this machine share.

    Returns:
        The name of the leased one; None if there are none.
    """
    if not gpus:
        return None
    folder = folder or Path(tempfile.gettempdir()) / f"dawnchorus-gpus-{os.getuid()}"
    folder.mkdir(parents=True, exist_ok=True)
    waits = False
    while True:
        for gpu in gpus:
            lease = filelock.FileLock(folder / f"{gpu.replace('/', '_')}.lock", timeout=0)
            try:
                lease.acquire()
            except filelock.Timeout:
                continue
            _leases.append(lease)
            return gpu
        if not waits:
            print(f"all {len(gpus)} GPUs are leased to other jobs; waiting for one", file=sys.stderr, flush=True)
            waits = True
        time.sleep(SECONDS_BETWEEN_TRIES)
