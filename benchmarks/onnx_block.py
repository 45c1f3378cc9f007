"""A block of convolutions and a dense layer in ONNX Runtime Training."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["OnnxRuntimeBlock"]

Layers = Sequence[tuple[np.ndarray, np.ndarray]]


class OnnxRuntimeBlock:
    """ONNX Runtime Training; its images are [N, C, H, W].

    Args:
        layers: weights and biases of the convolutions, as those of TFLite, and of a dense layer.
        linear: index of the convolution without a RELU6.
        rate: learning rate.
        threads: number of threads.
    """

    def __init__(self, layers: Layers, *, linear: int, rate: float, threads: int) -> None:
        import onnxruntime
        from onnxruntime.training.api import CheckpointState, Module, Optimizer

        self._folder = tempfile.TemporaryDirectory()
        _make_artifacts(layers, linear, self._folder.name)
        file = f"{self._folder.name}/{{}}".format
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        state = CheckpointState.load_checkpoint(file("checkpoint"))
        self._module = Module(
            file("training_model.onnx"), state, file("eval_model.onnx"), "cpu", options
        )
        self._optimizer = Optimizer(file("optimizer_model.onnx"), self._module)
        self._optimizer.set_learning_rate(rate)
        self._module.train()

    def step(self, x: np.ndarray, labels: np.ndarray) -> float:
        """Train all weights on images [N, H, W, C] by SGD; return the loss before the step."""
        loss = float(self._module(np.ascontiguousarray(x.transpose(0, 3, 1, 2)), labels))
        self._optimizer.step()
        self._module.lazy_reset_grad()
        return loss


def _make_artifacts(layers: Layers, linear: int, folder: str) -> None:
    """Write the block as ONNX, with the artifacts that ONNX Runtime Training needs."""
    from onnx import TensorProto, helper, numpy_helper
    from onnxruntime.training import artifacts

    nodes: list[Any] = []
    constants: list[Any] = [
        numpy_helper.from_array(np.float32(value), name)
        for name, value in (("low", 0), ("high", 6))
    ]
    value = "features"

    def add(code: str, *inputs: str, **options: Any) -> str:
        nodes.append(helper.make_node(code, inputs, [f"value_{len(nodes)}"], **options))
        return str(nodes[-1].output[0])

    for index, arrays in enumerate(layers):
        names = f"weights_{index}", f"bias_{index}"
        kernel = _to_onnx(arrays[0])
        constants.append(numpy_helper.from_array(kernel, names[0]))
        constants.append(numpy_helper.from_array(arrays[1], names[1]))
        if index == len(layers) - 1:
            break
        size = kernel.shape[2]
        groups = len(kernel) if kernel.shape[1] == 1 else 1
        value = add("Conv", value, *names, pads=[size // 2] * 4, group=groups)
        value = value if index == linear else add("Clip", value, "low", "high")
    pooled = add("Flatten", add("GlobalAveragePool", value))
    nodes.append(helper.make_node("Gemm", [pooled, *names], ["logits"], transB=1))
    channels = layers[0][0].shape[3]
    graph = helper.make_graph(
        nodes, "block",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["batch", channels, 7, 7])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", len(layers[-1][1])])],
        constants,
    )  # fmt: skip
    artifacts.generate_artifacts(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8),
        requires_grad=[each.name for each in constants[2:]],
        loss=artifacts.LossType.CrossEntropyLoss,
        optimizer=artifacts.OptimType.SGD,
        artifact_directory=folder,
    )


def _to_onnx(weights: np.ndarray) -> np.ndarray:
    """Return weights [out, rows, columns, in], or depthwise [1, rows, columns, out], for ONNX."""
    if weights.ndim == 2:
        return weights
    order = (3, 0, 1, 2) if weights.shape[0] == 1 else (0, 3, 1, 2)
    return np.ascontiguousarray(weights.transpose(order))
