"""A head in ONNX Runtime Training."""

from __future__ import annotations

import tempfile

import numpy as np

from .head import Batch, HeadConfig

__all__ = ["OnnxRuntimeHead", "make_artifacts"]


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
