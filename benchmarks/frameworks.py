"""One training step of a linear softmax head in each framework, in float32.

Each class creates a head with zero weights. Its `step` takes NumPy arrays and returns the loss as
a Python float.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .head import Batch, Head, HeadConfig
from .onnx_head import OnnxRuntimeHead, make_artifacts
from .tensorflow_heads import KerasHead, TensorFlowHead

__all__ = ["FRAMEWORKS", "Batch", "Head", "HeadConfig", "OnnxRuntimeHead", "make_artifacts"]


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
