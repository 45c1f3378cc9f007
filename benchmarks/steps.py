"""One training step of a linear softmax head, in each framework: the same maths, float32.

Each class makes its head with zero weights, and its `step` takes NumPy arrays and returns the
loss as a Python float: that is what a program that trains has to do in any of them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

__all__ = ["STEPS", "Batch", "Head", "OnnxRuntimeHead", "Settings", "make_artifacts"]


@dataclass(frozen=True)
class Batch:
    """Samples as the frameworks want them.

    Attributes:
        features: float32 [B, F].
        slots: int64 [B]; the class of each.
        one_hot: float32 [B, C].
    """

    features: np.ndarray
    slots: np.ndarray
    one_hot: np.ndarray


@dataclass(frozen=True)
class Settings:
    """What the heads have in common.

    Attributes:
        features: F.
        classes: C.
        batch: B.
        momentum: of SGD.
        threads: to use.
    """

    features: int
    classes: int
    batch: int
    momentum: float = 0.0
    threads: int = 1


class Head(Protocol):
    """A head in one framework."""

    def step(self, batch: Batch, rate: float) -> float:
        """Learn from one batch; returns the loss before the step."""
        ...

    def weights(self) -> np.ndarray:
        """The weights, [C, F]."""
        ...


class NumPyHead:
    """By hand: the fewest and cheapest calls that we know."""

    def __init__(self, settings: Settings) -> None:
        self._w = np.zeros((settings.classes, settings.features), np.float32)
        self._b = np.zeros(settings.classes, np.float32)
        self._vw, self._vb = np.zeros_like(self._w), np.zeros_like(self._b)
        self._momentum = settings.momentum

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
    """The signature `train` of a converted file, called as the runtime of Sartor calls it."""

    def __init__(self, settings: Settings) -> None:
        from sartor.contract.names import MASK, RUN
        from sartor.litert import Engine

        self._folder = tempfile.TemporaryDirectory()
        path = Path(self._folder.name, "head.tflite")
        manifest = _converted(settings, path)
        self._engine = Engine(path, manifest, threads=settings.threads)
        state = self._engine.run("save", {RUN: np.ones(1, np.float32)})
        state[MASK] = np.ones_like(state[MASK])
        self._engine.restore(state)
        self._weights = np.ones(settings.batch, np.float32)

    def step(self, batch: Batch, rate: float) -> float:
        return float(self._train(self._inputs(batch, rate))["loss"][0])

    def weights(self) -> np.ndarray:
        return self._engine.variables()["head/weights"]

    def _inputs(self, batch: Batch, rate: float) -> dict[str, np.ndarray]:
        return {
            "features": batch.features,
            "labels": batch.one_hot,
            "weights": self._weights,
            "learning_rate": np.full(1, rate, np.float32),
        }

    def _train(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return self._engine.run("train", inputs)


class LiteRTHead(SartorHead):
    """The same signature of the same file by LiteRT's own SignatureRunner, no Sartor about."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        from ai_edge_litert.interpreter import Interpreter

        from sartor.contract.names import MASK

        path = str(Path(self._folder.name, "head.tflite"))
        interpreter = Interpreter(model_path=path, num_threads=settings.threads)
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
    """ONNX Runtime Training's own API. It has no momentum.

    Args:
        settings: of the head.
        folder: with what `make_artifacts` made; else they are made here.
    """

    def __init__(self, settings: Settings, folder: str | None = None) -> None:
        if settings.momentum:
            raise ImportError("its SGD has no momentum")
        import onnxruntime
        from onnxruntime.training.api import CheckpointState, Module, Optimizer

        if folder is None:
            self._folder = tempfile.TemporaryDirectory()
            folder = self._folder.name
            make_artifacts(settings, folder)
        file = f"{folder}/{{}}".format
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = settings.threads
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
        loss = float(self._module(batch.features, batch.slots))
        self._optimizer.step()
        self._module.lazy_reset_grad()
        return loss

    def weights(self) -> np.ndarray:
        """See `Head`."""
        return np.asarray(self._state.parameters["weights"].data)


class TorchHead:
    """PyTorch, eager."""

    def __init__(self, settings: Settings) -> None:
        import torch

        torch.set_num_threads(settings.threads)
        self._torch = torch
        self._layer = torch.nn.Linear(settings.features, settings.classes)
        torch.nn.init.zeros_(self._layer.weight)
        torch.nn.init.zeros_(self._layer.bias)
        self._loss = torch.nn.CrossEntropyLoss()
        self._optimizer = torch.optim.SGD(
            self._layer.parameters(), lr=0.0, momentum=settings.momentum
        )

    def step(self, batch: Batch, rate: float) -> float:
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._optimizer.zero_grad()
        features = self._torch.from_numpy(batch.features)
        loss = self._loss(self._layer(features), self._torch.from_numpy(batch.slots))
        loss.backward()
        self._optimizer.step()
        return float(loss.item())

    def weights(self) -> np.ndarray:
        return np.asarray(self._layer.weight.detach().numpy())


class KerasHead:
    """Keras on TensorFlow: `train_on_batch`, compiled to a graph."""

    def __init__(self, settings: Settings) -> None:
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(settings.threads)
        tf.config.threading.set_inter_op_parallelism_threads(settings.threads)
        keras = tf.keras
        self._layer = keras.layers.Dense(settings.classes, kernel_initializer="zeros")
        self._model = keras.Sequential([keras.Input((settings.features,)), self._layer])
        self._optimizer = keras.optimizers.SGD(0.0, momentum=settings.momentum)
        self._loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        self._model.compile(self._optimizer, self._loss)
        self._rate = float("nan")

    def step(self, batch: Batch, rate: float) -> float:
        self._set(rate)
        return float(self._model.train_on_batch(batch.features, batch.slots))

    def weights(self) -> np.ndarray:
        return np.asarray(np.asarray(self._layer.kernel).T)

    def _set(self, rate: float) -> None:
        if rate != self._rate:
            self._optimizer.learning_rate.assign(rate)
            self._rate = rate


class TensorFlowHead(KerasHead):
    """The same with a step written by hand: GradientTape in a `tf.function`."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        import tensorflow as tf

        self._optimizer.build(self._model.trainable_variables)

        def step(features: Any, slots: Any) -> Any:
            with tf.GradientTape() as tape:
                loss = self._loss(slots, self._layer(features))
            variables = self._model.trainable_variables
            self._optimizer.apply_gradients(
                zip(tape.gradient(loss, variables), variables, strict=True)
            )
            return loss

        self._step = tf.function(step)
        self._constant = tf.constant

    def step(self, batch: Batch, rate: float) -> float:
        self._set(rate)
        loss = self._step(self._constant(batch.features), self._constant(batch.slots))
        return float(loss.numpy())


STEPS: dict[str, Callable[[Settings], Head]] = {
    "NumPy, by hand": NumPyHead,
    "Sartor": SartorHead,
    "Sartor's file, LiteRT alone": LiteRTHead,
    "ONNX Runtime Training": OnnxRuntimeHead,
    "PyTorch": TorchHead,
    "TensorFlow, tf.function": TensorFlowHead,
    "Keras, train_on_batch": KerasHead,
}
"""Name → head, in the order of the tables."""


def _converted(settings: Settings, path: Path) -> Any:
    """Convert MobileNetV2, whose features are 1280, into a file; returns the manifest."""
    import sartor

    from .harness import MOBILENET, shared

    model = sartor.convert(
        shared("models", MOBILENET),
        classes=settings.classes,
        batch=settings.batch,
        optimizer=sartor.SGD(momentum=settings.momentum),
    )
    model.save(path)
    return model.manifest


def make_artifacts(settings: Settings, folder: str) -> None:
    """The head as ONNX, and what ONNX Runtime Training makes of it."""
    from onnx import TensorProto, helper, numpy_helper
    from onnxruntime.training import artifacts

    size, classes = settings.features, settings.classes
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
