"""The GPUs of this machine: listing them, leasing one to a job, and whether jobs can use them.

This module does not import Keras or TensorFlow, because their import takes seconds.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import filelock

from dawnchorus.errors import InputError

SECONDS_BETWEEN_TRIES = 0.5
# The order in which nvidia-smi numbers GPUs.
BUS_ORDER = "PCI_BUS_ID"
# A lease lasts while its lock file is open. This list keeps leases until the process ends.
_leases: list[filelock.FileLock] = []


def jobs_can_use_gpus(backend: str) -> bool:
    """Whether a training job on this machine would compute on a GPU.

    Args:
        backend: the parameter `train.backend`.

    Raises:
        InputError: nvidia-smi is installed but fails.
    """
    return uses_cuda(backend) and bool(list_gpus())


def uses_cuda(backend: str) -> bool:
    """Whether a Keras backend can compute on NVIDIA GPUs. A TensorFlow built without CUDA cannot.

    The information of `tf.sysconfig.get_build_info()` is read from its file, without importing TensorFlow.
    """
    if backend != "tensorflow":
        return True
    tensorflow = importlib.util.find_spec("tensorflow")
    if tensorflow is None or tensorflow.origin is None:
        return False
    build = Path(tensorflow.origin).parent / "python/platform/build_info.py"
    return re.search(r"'is_cuda_build', True", build.read_text()) is not None


def product_name(gpu: str) -> str:
    """A GPU's product name, such as "NVIDIA H200", or its id if nvidia-smi has no name for it, as for a MIG device."""
    command = ["nvidia-smi", f"--id={gpu}", "--query-gpu=name", "--format=csv,noheader"]
    done = subprocess.run(command, capture_output=True, text=True)
    return gpu if done.returncode else done.stdout.strip()


def list_gpus() -> list[str]:
    """The UUIDs of the GPUs that this process may use: those in CUDA_VISIBLE_DEVICES, or all if it is not set.

    Raises:
        InputError: nvidia-smi is installed but fails, or the environment numbers GPUs in another order than nvidia-smi.
    """
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    chosen = None if visible is None else [name.strip() for name in visible.split(",")]
    # These values hide all GPUs from CUDA.
    if chosen in ([""], ["-1"]) or shutil.which("nvidia-smi") is None:
        return []
    command = ["nvidia-smi", "--query-gpu=index,uuid", "--format=csv,noheader"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise InputError(
            f"nvidia-smi cannot list the GPUs: {(done.stdout + done.stderr).strip()}; repair the driver, or set "
            "CUDA_VISIBLE_DEVICES to -1 to compute on the CPU"
        )
    uuids = dict(line.split(", ") for line in done.stdout.splitlines())
    if os.environ.get("CUDA_DEVICE_ORDER", BUS_ORDER) != BUS_ORDER and set(chosen or []) & set(uuids):
        raise InputError(
            f"CUDA_VISIBLE_DEVICES={visible} numbers GPUs by CUDA_DEVICE_ORDER={os.environ['CUDA_DEVICE_ORDER']}, but "
            f"nvidia-smi numbers them by {BUS_ORDER}: give the UUIDs that `nvidia-smi -L` lists instead, or set "
            f"CUDA_DEVICE_ORDER to {BUS_ORDER}"
        )
    return list(uuids.values()) if chosen is None else [uuids.get(name, name) for name in chosen]


def lease_gpu(gpus: list[str], folder: Path | None = None) -> str | None:
    """Wait for a free GPU and lease it until this process ends, even if the process is killed.

    Args:
        gpus: ids of GPUs.
        folder: folder of the lock files; by default, all projects of this user on this machine share one.

    Returns:
        The id of the leased GPU; None if `gpus` is empty.
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
