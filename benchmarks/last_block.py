"""One training step of the last block of MobileNetV2 and a head, in Sartor and other frameworks."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Protocol

import numpy as np

from .compare import Result, compare
from .harness import Goal, Report, main, millis, ratio
from .onnx_block import OnnxRuntimeBlock

_BATCH, _CLASSES, _SIZE, _CHANNELS = 20, 4, 7, 160
_RATE, _CHECKED = 1e-3, 5
_ROUNDS, _TURN = 12, 0.3
_LAYERS = ((960, 1), (960, 3), (320, 1), (1280, 1))
"""Output channels and window of each convolution; the one with a window of 3 is depthwise."""


class Network(Protocol):
    """The block and the head in one framework."""

    def step(self, x: np.ndarray, labels: np.ndarray) -> float:
        """Train all weights on one batch by SGD; return the loss before the step."""
        ...


def weights() -> list[tuple[np.ndarray, np.ndarray]]:
    """Return weights and bias of each layer: [out, height, width, in], depthwise [1, …, out]."""
    random = np.random.default_rng(0)
    layers, channels = [], _CHANNELS
    for outputs, window in _LAYERS:
        shape = (1, 3, 3, outputs) if window == 3 else (outputs, 1, 1, channels)
        scale = np.sqrt(2 / (9 if window == 3 else channels))
        layers.append((random.standard_normal(shape) * scale, np.zeros(outputs)))
        channels = outputs
    layers.append((random.standard_normal((_CLASSES, channels)) * 0.01, np.zeros(_CLASSES)))
    return [(w.astype(np.float32), b.astype(np.float32)) for w, b in layers]


class Sartor:
    """A head given as a graph: the signature `train` of a converted file.

    Args:
        threads: number of threads.
        file: file that `convert` has written. Default: a new one.
    """

    def __init__(self, threads: int, file: Path | None = None) -> None:
        from sartor.litert import Engine
        from sartor.litert.files import open_model

        if file is None:
            self._folder = tempfile.TemporaryDirectory()
            file = self.convert(Path(self._folder.name, "model.tflite"))
        self._engine = Engine(file, open_model(file), threads=threads)

    @staticmethod
    def convert(path: Path) -> Path:
        """Convert the block and the head, and write the file."""
        import sartor
        from sartor.flatbuffer import write
        from sartor.graph import Graph, Model
        from sartor.ops import emit, relu

        def file(graph: Graph, output: Any) -> bytes:
            graph.outputs, model = [output], Model()
            model.graphs.append(graph)
            return write(model)

        base, head = Graph("base"), Graph("head")
        shape = (1, _SIZE, _SIZE, _CHANNELS)
        content = file(base, relu(base.input("image", shape)))
        x, same = head.input("x", shape), {"strideH": 1, "strideW": 1}
        for index, (w, b) in enumerate(weights()[:-1]):
            code = "DEPTHWISE_CONV_2D" if w.shape[0] == 1 else "CONV_2D"
            x = emit(
                code, x, w, b, name=None, **same, fusedActivationFunction=0 if index == 2 else 3
            )
        x = emit("MEAN", x, np.array([1, 2], np.int32))
        model = sartor.convert(
            content, classes=[f"{i}" for i in range(_CLASSES)], features="relu",
            head=sartor.heads.TFLite(file(head, emit("FULLY_CONNECTED", x, *weights()[-1]))),
            optimizer=sartor.SGD(), batch_size=_BATCH,
        )  # fmt: skip
        return model.save(path)

    def step(self, x: np.ndarray, labels: np.ndarray) -> float:
        """See `Network`."""
        from sartor.contract.names import FEATURES, LABELS, LEARNING_RATE, LOSS, SAMPLE_WEIGHTS

        inputs = {
            FEATURES: x, LABELS: np.eye(_CLASSES, dtype=np.float32)[labels],
            SAMPLE_WEIGHTS: np.ones(_BATCH, np.float32),
            LEARNING_RATE: np.full(1, _RATE, np.float32),
        }  # fmt: skip
        return float(self._engine.run("train", inputs)[LOSS][0])


class PyTorch:
    """PyTorch in the memory format channels-last."""

    def __init__(self, threads: int) -> None:
        import torch

        torch.set_num_threads(threads)
        self._torch = torch
        layers: list[Any] = []
        for index, (w, b) in enumerate(weights()[:-1]):
            is_depthwise = w.shape[0] == 1
            kernel = w.transpose(3, 0, 1, 2) if is_depthwise else w.transpose(0, 3, 1, 2)
            outputs = len(kernel)
            conv = torch.nn.Conv2d(
                outputs if is_depthwise else w.shape[3], outputs, w.shape[1],
                padding=w.shape[1] // 2, groups=outputs if is_depthwise else 1,
            )  # fmt: skip
            conv.weight.data, conv.bias.data = torch.tensor(kernel.copy()), torch.tensor(b)
            layers += [conv] if index == 2 else [conv, torch.nn.ReLU6()]
        dense = torch.nn.Linear(1280, _CLASSES)
        dense.weight.data, dense.bias.data = map(torch.tensor, weights()[-1])
        layers += [torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), dense]
        self._model = torch.nn.Sequential(*layers).to(memory_format=torch.channels_last)
        self._optimizer = torch.optim.SGD(self._model.parameters(), _RATE)

    def step(self, x: np.ndarray, labels: np.ndarray) -> float:
        """See `Network`."""
        torch = self._torch
        images = torch.from_numpy(x).permute(0, 3, 1, 2)  # channels-last without a copy
        loss = torch.nn.functional.cross_entropy(self._model(images), torch.from_numpy(labels))
        self._optimizer.zero_grad()
        loss.backward()
        self._optimizer.step()
        return float(loss)


class TensorFlow:
    """TensorFlow: a step with `tf.GradientTape` in a `tf.function`."""

    def __init__(self, threads: int) -> None:
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
        values = [
            (w.transpose(1, 2, 3, 0) if w.ndim == 4 else w.T, b) for w, b in weights()
        ]  # fmt: skip
        variables = [(tf.Variable(w), tf.Variable(b)) for w, b in values]

        def logits(x: Any) -> Any:
            for index, (w, b) in enumerate(variables[:-1]):
                convolve = tf.nn.depthwise_conv2d if w.shape[3] == 1 else tf.nn.conv2d
                strides = (1, 1, 1, 1)
                x = convolve(x, w, strides, "SAME") + b
                x = x if index == 2 else tf.nn.relu6(x)
            return tf.reduce_mean(x, (1, 2)) @ variables[-1][0] + variables[-1][1]

        def step(x: Any, labels: Any) -> Any:
            with tf.GradientTape() as tape:
                losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits(x))
                loss = tf.reduce_mean(losses)
            flat = [variable for pair in variables for variable in pair]
            for variable, g in zip(flat, tape.gradient(loss, flat), strict=True):
                variable.assign_sub(_RATE * g)
            return loss

        self._step = tf.function(step)

    def step(self, x: np.ndarray, labels: np.ndarray) -> float:
        """See `Network`."""
        return float(self._step(x, labels))


def onnx_runtime(threads: int) -> Network:
    """Return the block in ONNX Runtime Training."""
    return OnnxRuntimeBlock(weights(), linear=2, rate=_RATE, threads=threads)


FRAMEWORKS: dict[str, Callable[[int], Network]] = {
    "Sartor": Sartor,
    "PyTorch, channels-last": PyTorch,
    "TensorFlow": TensorFlow,
    "ONNX Runtime Training": onnx_runtime,
}


class Step:
    """The step of one framework, on a batch that is the same for all."""

    def __init__(self, make: Callable[[int], Network], threads: int) -> None:
        random = np.random.default_rng(1)
        shape = (_BATCH, _SIZE, _SIZE, _CHANNELS)
        self._x = np.abs(random.standard_normal(shape)).astype(np.float32)
        self._labels = np.arange(_BATCH, dtype=np.int64) % _CLASSES
        self._network = make(threads)

    def __call__(self) -> float:
        """Run one step."""
        return self._network.step(self._x, self._labels)

    def quality(self) -> float:
        """Return the loss after some steps."""
        for _ in range(_CHECKED):
            loss = self()
        return loss


def run() -> Report:
    results = {threads: _compare(threads) for threads in (1, 2)}
    rows = [
        [name, *(cell for each in results.values() for cell in _cells(each, name))]
        for name in FRAMEWORKS
    ]
    return Report(
        f"One training step of MobileNetV2's last block and a head, {_BATCH} samples",
        ["", "one thread", "Sartor / it", "two threads", "Sartor / it"],
        rows,
        goals=_goals(results),
        notes=[
            "7 x 7 x 160 → 960 → depthwise 3x3 → 320 → 1280 → mean → 4, RELU6, plain SGD on all "
            "weights. Each candidate has a process of its own, by turns; medians.",
        ],
        data={threads: {k: vars(v) for k, v in each.items()} for threads, each in results.items()},
    )  # fmt: skip


def _compare(threads: int) -> dict[str, Result]:
    candidates = {name: partial(Step, make, threads) for name, make in FRAMEWORKS.items()}
    return compare(candidates, threads=threads, rounds=_ROUNDS, turn=_TURN)


def _cells(results: dict[str, Result], name: str) -> list[str]:
    result = results[name]
    if result.missing:
        return ["missing", ""]
    return [millis(result.times), f"{ratio(results['Sartor'].times, result.times):.2f}"]


def _goals(results: dict[int, dict[str, Result]]) -> list[Goal]:
    goals = []
    for threads, limit in ((1, 1.2), (2, 1.0)):
        each = results[threads]
        others = [r for name, r in each.items() if name != "Sartor" and not r.missing]
        if others:
            fastest = min(others, key=lambda result: median(result.times))
            value = ratio(each["Sartor"].times, fastest.times)
            text = f"at most {limit} times the time of the fastest other, threads: {threads}"
            goals.append(Goal(text, f"{value:.2f} times", value <= limit))
    losses = [r.quality for each in results.values() for r in each.values() if not r.missing]
    spread = max(losses) - min(losses)
    text = f"the same loss after {_CHECKED} more steps, to 1e-4"
    return [*goals, Goal(text, f"{spread:.0e}", spread < 1e-4)]


if __name__ == "__main__":
    main(run)
