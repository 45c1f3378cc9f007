"""Heads in Keras and TensorFlow."""

from __future__ import annotations

from typing import Any

import numpy as np

from .head import Batch, HeadConfig

__all__ = ["KerasHead", "TensorFlowHead"]


class KerasHead:
    """Keras on TensorFlow: `train_on_batch`, compiled to a graph."""

    def __init__(self, config: HeadConfig) -> None:
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(config.threads)
        tf.config.threading.set_inter_op_parallelism_threads(config.threads)
        keras = tf.keras
        self._layer = keras.layers.Dense(config.classes, kernel_initializer="zeros")
        self._model = keras.Sequential([keras.Input((config.features,)), self._layer])
        self._optimizer = keras.optimizers.SGD(0.0, momentum=config.momentum)
        self._loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        self._model.compile(self._optimizer, self._loss)
        self._rate = float("nan")

    def step(self, batch: Batch, rate: float) -> float:
        """See `Head`."""
        self._set(rate)
        return float(self._model.train_on_batch(batch.features, batch.labels))

    def weights(self) -> np.ndarray:
        """See `Head`."""
        return np.asarray(np.asarray(self._layer.kernel).T)

    def _set(self, rate: float) -> None:
        if rate != self._rate:
            self._optimizer.learning_rate.assign(rate)
            self._rate = rate


class TensorFlowHead(KerasHead):
    """A step with `tf.GradientTape` in a `tf.function`."""

    def __init__(self, config: HeadConfig) -> None:
        super().__init__(config)
        import tensorflow as tf

        self._optimizer.build(self._model.trainable_variables)

        def step(features: Any, labels: Any) -> Any:
            with tf.GradientTape() as tape:
                loss = self._loss(labels, self._layer(features))
            variables = self._model.trainable_variables
            self._optimizer.apply_gradients(
                zip(tape.gradient(loss, variables), variables, strict=True)
            )
            return loss

        self._step = tf.function(step)
        self._constant = tf.constant

    def step(self, batch: Batch, rate: float) -> float:
        """See `Head`."""
        self._set(rate)
        loss = self._step(self._constant(batch.features), self._constant(batch.labels))
        return float(loss.numpy())
