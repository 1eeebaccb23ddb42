"""Preparing batches while earlier training steps run."""

from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from itertools import chain
from typing import Any, TypeVar

import keras
from numpy.typing import NDArray

Item = TypeVar("Item")
Batch = tuple[dict[str, NDArray], NDArray]

# Batches prepared in advance: enough to hide the time that one batch takes.
AHEAD = 2


@contextmanager
def prefetched(batches: Iterator[Batch]) -> Iterator[Any]:
    """Prefetch batches for Keras's `fit`, without changing them or their order.

    With the TensorFlow backend the result is a `tf.data.Dataset`; with other backends it is a generator, whose thread
    ends with the `with` block.
    """
    if keras.backend.backend() == "tensorflow":
        yield _as_dataset(batches)
    else:
        with closing(in_background(batches)) as ahead:
            yield ahead


def in_background(items: Iterator[Item], ahead: int = AHEAD) -> Generator[Item, None, None]:
    """Yield the items in order, while a thread prepares up to `ahead` of them in advance.

    An exception from `items` is raised at the position of the failed item. The thread ends after the last item, after
    an exception, or when the generator is closed.
    """
    end: Any = object()
    with ThreadPoolExecutor(1, thread_name_prefix="batches") as thread:
        waiting = deque(thread.submit(next, items, end) for _ in range(ahead))
        while (item := waiting.popleft().result()) is not end:
            waiting.append(thread.submit(next, items, end))
            yield item


def _as_dataset(batches: Iterator[Batch]) -> Any:
    """Wrap the batches in a `tf.data.Dataset`.

    Autotuning is off. By default Keras lets TensorFlow tune the number of prefetched batches, and the tuning thread
    often delays the end of `fit`, by up to a minute.
    """
    # Imported here because other backends run without TensorFlow.
    import tensorflow as tf

    first = next(batches)
    signature = tf.nest.map_structure(lambda array: tf.TensorSpec((None, *array.shape[1:]), array.dtype), first)
    options = tf.data.Options()
    options.autotune.enabled = False
    return (
        tf.data.Dataset.from_generator(lambda: chain([first], batches), output_signature=signature)
        .prefetch(AHEAD)
        .with_options(options)
    )
