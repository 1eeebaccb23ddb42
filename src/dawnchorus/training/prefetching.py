"""Making batches while the step before them runs."""

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

# Batches that wait for the training step, as many as hide the time of one.
AHEAD = 2


@contextmanager
def prefetched(batches: Iterator[Batch]) -> Iterator[Any]:
    """Give the same batches in the same order to Keras's `fit`, each made before the training step needs it.

    Under TensorFlow they come as a `tf.data.Dataset`, on other backends as a generator, whose thread ends with the
    `with` block.
    """
    if keras.backend.backend() == "tensorflow":
        yield _as_dataset(batches)
    else:
        with closing(in_background(batches)) as ahead:
            yield ahead


def in_background(items: Iterator[Item], ahead: int = AHEAD) -> Generator[Item, None, None]:
    """Yield the same items in the same order; a thread makes up to `ahead` of them in advance.

    An exception that `items` raises is raised where its item would have come. The thread ends with the items, with
    their exception, or when the generator is closed.
    """
    end: Any = object()
    with ThreadPoolExecutor(1, thread_name_prefix="batches") as thread:
        waiting = deque(thread.submit(next, items, end) for _ in range(ahead))
        while (item := waiting.popleft().result()) is not end:
            waiting.append(thread.submit(next, items, end))
            yield item


def _as_dataset(batches: Iterator[Batch]) -> Any:
    """The batches as a dataset of TensorFlow's.

    Keras itself would let TensorFlow tune the number of prefetched batches; the thread that does so often delays the
    end of `fit`, by up to a minute.
    """
    # Imported here because other backends do without it.
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
