"""One training step of a linear softmax head in each framework, in float32.

Each class creates a head with zero weights. Its `step` takes NumPy arrays and returns the loss as
a Python float.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

__all__ = ["FRAMEWORKS", "Batch", "Head", "HeadConfig", "OnnxRuntimeHead", "make_artifacts"]


@dataclass(frozen=True)
class Batch:
    """Samples as the frameworks take them.

    Attributes:
        features: float32 [B, F].
        labels: int64 [B]; class indices.
        one_hot: float32 [B, C]; the same labels.
    """

    features: np.ndarray
    labels: np.ndarray
    one_hot: np.ndarray


@dataclass(frozen=True)
class HeadConfig:
    """The options of a head.

    Attributes:
        features: number of features F.
        classes: number of classes C.
        batch_size: rows of a batch, B.
        momentum: momentum of SGD.
        threads: number of threads.
    """

    features: int
    classes: int
    batch_size: int
    momentum: float = 0.0
    threads: int = 1


class Head(Protocol):
    """A head in one framework."""

    def step(self, batch: Batch, rate: float) -> float:
        """Train on one batch; return the loss before the step."""
        ...

    def weights(self) -> np.ndarray:
        """Return the weights, float32 [C, F]."""
        ...


class NumPyHead:
    """NumPy with the fewest and cheapest calls."""

    def __init__(self, config: HeadConfig) -> None:
        self._w = np.zeros((config.classes, config.features), np.float32)
        self._b = np.zeros(config.classes, np.float32)
        self._vw, self._vb = np.zeros_like(self._w), np.zeros_like(self._b)
        self._momentum = config.momentum

    def step(self, batch: Batch, rate: float) -> float:
        x, y = batch.features, batch.one_hot
        z = x @ self._w.T + self._b
        z -= z.max(1, keepdims=True)
        e = np.exp(z)
        p = e / e.sum(1, keepdims=True)
        loss = -float((y * np.log(p)).sum()) / len(x)
        g = (p - y) / len(x)
        dw, db = g.T @ x, g.sum(0)
        if self._momentum:
            self._vw *= self._momentum
            self._vw += dw
            self._vb *= self._momentum
            self._vb += db
            dw, db = self._vw, self._vb
        self._w -= rate * dw
        self._b -= rate * db
        return loss

    def weights(self) -> np.ndarray:
        return self._w


class SartorHead:
    """The signature `train` of a converted file, called by Sartor's device library."""

    def __init__(self, config: HeadConfig) -> None:
        from sartor.contract.names import MASK, RUN
        from sartor.litert import Engine

        self._folder = tempfile.TemporaryDirectory()
        path = Path(self._folder.name, "head.tflite")
        manifest = _converted(config, path)
        self._engine = Engine(path, manifest, threads=config.threads)
        state = self._engine.run("save", {RUN: np.ones(1, np.float32)})
        state[MASK] = np.ones_like(state[MASK])
        self._engine.restore(state)
        self._weights = np.ones(config.batch_size, np.float32)

    def step(self, batch: Batch, rate: float) -> float:
        return float(self._train(self._inputs(batch, rate))["loss"][0])

    def weights(self) -> np.ndarray:
        return self._engine.variables()["head/weights"]

    def _inputs(self, batch: Batch, rate: float) -> dict[str, np.ndarray]:
        return {
            "features": batch.features,
            "labels": batch.one_hot,
            "sample_weights": self._weights,
            "learning_rate": np.full(1, rate, np.float32),
        }

    def _train(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return self._engine.run("train", inputs)


class LiteRTHead(SartorHead):
    """The same signature of the same file, called by LiteRT's SignatureRunner."""

    def __init__(self, config: HeadConfig) -> None:
        super().__init__(config)
        from ai_edge_litert.interpreter import Interpreter

        from sartor.contract.names import MASK

        path = str(Path(self._folder.name, "head.tflite"))
        interpreter = Interpreter(model_path=path, num_threads=config.threads)
        self._run: dict[str, Callable[..., dict[str, np.ndarray]]] = {
            key: interpreter.get_signature_runner(key) for key in ("train", "save", "restore")
        }
        state = self._run["save"](run=np.ones(1, np.float32))
        state[MASK] = np.ones_like(state[MASK])
        self._run["restore"](**state)

    def weights(self) -> np.ndarray:
        return self._run["save"](run=np.ones(1, np.float32))["head/weights"]

    def _train(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return self._run["train"](**inputs)


class OnnxRuntimeHead:
    """ONNX Runtime Training. It has no momentum.

    Args:
        config: options of the head.
        folder: folder that `make_artifacts` has filled. Default: a temporary one is filled.
    """

    def __init__(self, config: HeadConfig, folder: str | None = None) -> None:
        if config.momentum:
            raise ImportError("its SGD has no momentum")
        import onnxruntime
        from onnxruntime.training.api import CheckpointState, Module, Optimizer

        if folder is None:
            self._folder = tempfile.TemporaryDirectory()
            folder = self._folder.name
            make_artifacts(config, folder)
        file = f"{folder}/{{}}".format
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = config.threads
        self._state = CheckpointState.load_checkpoint(file("checkpoint"))
        self._module = Module(
            file("training_model.onnx"), self._state, file("eval_model.onnx"), "cpu", options
        )
        self._optimizer = Optimizer(file("optimizer_model.onnx"), self._module)
        self._module.train()
        self._rate = float("nan")

    def step(self, batch: Batch, rate: float) -> float:
        """See `Head`."""
        if rate != self._rate:
            self._optimizer.set_learning_rate(rate)
            self._rate = rate
        loss = float(self._module(batch.features, batch.labels))
        self._optimizer.step()
        self._module.lazy_reset_grad()
        return loss

    def weights(self) -> np.ndarray:
        """See `Head`."""
        return np.asarray(self._state.parameters["weights"].data)


class TorchHead:
    """PyTorch, eager."""

    def __init__(self, config: HeadConfig) -> None:
        import torch

        torch.set_num_threads(config.threads)
        self._torch = torch
        self._layer = torch.nn.Linear(config.features, config.classes)
        torch.nn.init.zeros_(self._layer.weight)
        torch.nn.init.zeros_(self._layer.bias)
        self._loss = torch.nn.CrossEntropyLoss()
        self._optimizer = torch.optim.SGD(
            self._layer.parameters(), lr=0.0, momentum=config.momentum
        )

    def step(self, batch: Batch, rate: float) -> float:
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._optimizer.zero_grad()
        features = self._torch.from_numpy(batch.features)
        loss = self._loss(self._layer(features), self._torch.from_numpy(batch.labels))
        loss.backward()
        self._optimizer.step()
        return float(loss.item())

    def weights(self) -> np.ndarray:
        return np.asarray(self._layer.weight.detach().numpy())


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
        self._set(rate)
        return float(self._model.train_on_batch(batch.features, batch.labels))

    def weights(self) -> np.ndarray:
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
        self._set(rate)
        loss = self._step(self._constant(batch.features), self._constant(batch.labels))
        return float(loss.numpy())


FRAMEWORKS: dict[str, Callable[[HeadConfig], Head]] = {
    "NumPy": NumPyHead,
    "Sartor": SartorHead,
    "Sartor's file in LiteRT": LiteRTHead,
    "ONNX Runtime Training": OnnxRuntimeHead,
    "PyTorch": TorchHead,
    "TensorFlow, tf.function": TensorFlowHead,
    "Keras, train_on_batch": KerasHead,
}
"""Name → class, in the order of the tables."""


def _converted(config: HeadConfig, path: Path) -> Any:
    """Convert MobileNetV2, which has 1280 features; return the manifest."""
    import sartor

    from .harness import MOBILENET, shared

    model = sartor.convert(
        shared("models", MOBILENET),
        classes=config.classes,
        batch_size=config.batch_size,
        optimizer=sartor.SGD(momentum=config.momentum),
    )
    model.save(path)
    return model.manifest


def make_artifacts(config: HeadConfig, folder: str) -> None:
    """Write the head as ONNX, with the artifacts that ONNX Runtime Training needs."""
    from onnx import TensorProto, helper, numpy_helper
    from onnxruntime.training import artifacts

    size, classes = config.features, config.classes
    graph = helper.make_graph(
        [helper.make_node("Gemm", ["features", "weights", "bias"], ["logits"], transB=1)],
        "head",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["batch", size])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", classes])],
        [
            numpy_helper.from_array(np.zeros((classes, size), np.float32), "weights"),
            numpy_helper.from_array(np.zeros(classes, np.float32), "bias"),
        ],
    )
    artifacts.generate_artifacts(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8),
        requires_grad=["weights", "bias"],
        loss=artifacts.LossType.CrossEntropyLoss,
        optimizer=artifacts.OptimType.SGD,
        artifact_directory=folder,
    )
