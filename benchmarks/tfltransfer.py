"""The five files of the 2019 converter (`tfltransfer`), rebuilt with the present TensorFlow.

The weights live in the app: `train_head` returns their gradients, `optimizer` their next values.
The graphs are those of its `SoftmaxClassifierHead` and its `SGD`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sartor.flatbuffer import read, write
from sartor.passes.cut import cut

__all__ = ["save_files"]

_RATE = 0.001


def save_files(
    folder: Path, personalizable: Path, *, features: int, classes: int, batch_size: int
) -> None:
    """Write `bottleneck`, `initialize`, `inference`, `train_head` and `optimizer`.

    Args:
        folder: folder of the files; it is created.
        personalizable: a file of Sartor, whose base and features `bottleneck` has.
        features: number of values of a bottleneck.
        classes: number of classes.
        batch_size: number of samples of a step.
    """
    import tensorflow as tf

    folder.mkdir(parents=True)
    (folder / "bottleneck.tflite").write_bytes(_bottleneck(personalizable))
    one, batch = (1, features), (batch_size, features)
    weights, bias = (features, classes), (classes,)
    labels = (batch_size, classes)

    def initialize(zero: Any) -> Any:
        return tf.fill(weights, zero), tf.fill(bias, zero)

    def inference(bottleneck: Any, matrix: Any, offset: Any) -> Any:
        return tf.nn.softmax(tf.matmul(bottleneck, matrix) + offset)

    def train_head(bottlenecks: Any, targets: Any, matrix: Any, offset: Any) -> Any:
        output = inference(bottlenecks, matrix, offset)
        loss = tf.reduce_mean(-tf.reduce_sum(targets * tf.math.log(output), 1))
        error = output - targets
        gradient = tf.matmul(tf.transpose(bottlenecks), error) / batch_size
        return loss, gradient, tf.reduce_mean(error, 0)

    def optimizer(matrix: Any, offset: Any, gradient: Any, slope: Any) -> Any:
        return matrix - _RATE * gradient, offset - _RATE * slope

    graphs: dict[str, tuple[Callable[..., Any], Sequence[Sequence[int]]]] = {
        "initialize": (initialize, [()]),
        "inference": (inference, [one, weights, bias]),
        "train_head": (train_head, [batch, labels, weights, bias]),
        "optimizer": (optimizer, [weights, bias, weights, bias]),
    }
    for name, (function, shapes) in graphs.items():
        specs = [tf.TensorSpec(shape, tf.float32) for shape in shapes]
        concrete = tf.function(function, input_signature=specs).get_concrete_function()
        converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete])
        converter.unfold_batchmatmul = True  # FULLY_CONNECTED, as in 2019
        (folder / f"{name}.tflite").write_bytes(converter.convert())


def _bottleneck(personalizable: Path) -> bytes:
    """Return the base of a personalizable file, from the image to the features."""
    model = read(personalizable.read_bytes())
    model.signatures = [each for each in model.signatures if each.key == "infer"]
    model.files = {}
    cut(model, ["features"])
    return bytes(write(model))
