"""The device, CPU or GPU, on which a training or inference job runs."""

import os

import keras
import threadpoolctl

from dawnchorus.workflow.gpus import BUS_ORDER, lease_gpu, list_gpus, product_name

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf
else:
    import jax


def use_device(threads: int, mixed_precision: bool = False, xla: bool = False, tf32: bool = False) -> str:
    """Lease a GPU if there is one, and set the number of CPU threads of TensorFlow and BLAS.

    Call this before the first operation. With TensorFlow, results repeat bit for bit unless `xla` is set.

    Args:
        threads: number of CPU threads.
        mixed_precision: whether to compute in half precision on a GPU.
        xla: whether to allow compilation by XLA. Keras does not compile while TensorFlow's op determinism is on.
        tf32: whether a GPU may round to TF32, with a mantissa of ten bits: faster, but its scores are not a CPU's.

    Returns:
        "CPU", or the GPU's product name.
    """
    threadpoolctl.threadpool_limits(threads)
    # A TensorFlow built without CUDA always computes on the CPU.
    uses_gpus = keras.backend.backend() != "tensorflow" or tf.test.is_built_with_cuda()
    gpu = lease_gpu(list_gpus()) if uses_gpus else None
    # CUDA numbers the fastest GPU first by default. nvidia-smi, whose numbers are used here, follows the bus order.
    os.environ.setdefault("CUDA_DEVICE_ORDER", BUS_ORDER)
    if gpu is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpu
        if mixed_precision:
            keras.mixed_precision.set_global_policy("mixed_float16")
    if keras.backend.backend() == "tensorflow":
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        tf.config.experimental.enable_tensor_float_32_execution(tf32)
        if not xla:
            tf.config.experimental.enable_op_determinism()
    else:
        # JAX's own choice is TF32.
        jax.config.update("jax_default_matmul_precision", None if tf32 else "highest")
    return "CPU" if gpu is None else product_name(gpu)
