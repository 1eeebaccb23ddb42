"""The processor that a training or inference job runs on."""

import gc
import os

import threadpoolctl

from dawnchorus.workflow.gpus import BUS_ORDER, lease_gpu, list_gpus, product_name

# Of the many objects that this import makes none is garbage, and to look for it takes a fifth of the time.
gc.disable()
import keras  # noqa: E402

gc.enable()
if keras.backend.backend() == "tensorflow":
    import tensorflow as tf


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
    # CUDA's default is the fastest first; nvidia-smi, and with it CUDA_VISIBLE_DEVICES here, counts by the bus.
    os.environ.setdefault("CUDA_DEVICE_ORDER", BUS_ORDER)
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
