"""The processor that a training or inference job runs on."""

import keras
import threadpoolctl


def use_threads(threads: int) -> None:
    """Let TensorFlow and BLAS compute with so many threads, in operations that repeat their results bit for bit.

    Must be called before the first operation.
    """
    threadpoolctl.threadpool_limits(threads)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        tf.config.experimental.enable_op_determinism()
