"""A graph: ops in execution order, and the tensors that connect them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from .dtype import DType
from .op import Op
from .tensor import Tensor

__all__ = ["Graph"]


class Graph:
    """One subgraph of a model.

    Attributes:
        name: name for messages.
        inputs: tensors that the caller fills.
        outputs: tensors that the caller reads.
        ops: ops in execution order: the producer of a tensor is before its consumers.
        tensors: all tensors; `prune` removes unused tensors.
        opaque: other content of the file, which is not changed.
    """

    def __init__(self, name: str = "") -> None:
        self.name = name
        self.inputs: list[Tensor] = []
        self.outputs: list[Tensor] = []
        self.ops: list[Op] = []
        self.tensors: list[Tensor] = []
        self.opaque: dict[str, object] = {}
        self._constants: dict[tuple[object, ...], Tensor] = {}

    def tensor(self, name: str, dtype: DType, shape: Sequence[int]) -> Tensor:
        """Add a tensor without a producer."""
        tensor = Tensor(self, name, dtype, tuple(int(size) for size in shape))
        self.tensors.append(tensor)
        return tensor

    def input(self, name: str, shape: Sequence[int], dtype: DType = DType.FLOAT32) -> Tensor:
        """Add an input tensor."""
        tensor = self.tensor(name, dtype, shape)
        self.inputs.append(tensor)
        return tensor

    def constant(
        self, value: np.ndarray, name: str = "constant", *, exclusive: bool = False
    ) -> Tensor:
        """Add a constant, or return the existing constant with this value.

        Args:
            value: array of a dtype that TFLite has.
            name: name for messages. Default: `constant`.
            exclusive: True to give the constant its own buffer (see `Tensor.exclusive`).
        """
        value = np.asarray(value, order="C")
        data = np.frombuffer(value.tobytes(), np.uint8)
        key = (value.dtype.str, value.shape, b"" if exclusive else data.tobytes())
        if not exclusive and key in self._constants:
            return self._constants[key]
        tensor = self.tensor(name, DType.of(value), value.shape)
        tensor.data = data
        tensor.exclusive = exclusive
        if not exclusive:
            self._constants[key] = tensor
        return tensor

    def add(self, op: Op) -> Op:
        """Append an op."""
        self.ops.append(op)
        return op

    def remove(self, ops: Iterable[Op]) -> None:
        """Remove ops and their links."""
        removed = set(ops)
        self.ops = [op for op in self.ops if op not in removed]
        for op in removed:
            op.detach()

    def replace_uses(self, old: Tensor, new: Tensor) -> None:
        """Replace `old` by `new` in every consumer and in the graph's outputs."""
        for op in list(dict.fromkeys(old.consumers)):
            op.replace_input(old, new)
        self.outputs = [new if tensor is old else tensor for tensor in self.outputs]

    def replace(self, op: Op, emit: Callable[[Op], Sequence[Tensor] | None]) -> bool:
        """Replace an op by the ops that `emit` adds, at its position in the order of execution.

        Args:
            op: op of this graph.
            emit: adds ops and returns a tensor for each output of `op`, which gets its name. None
                keeps the op.

        Returns:
            True if the op was replaced.
        """
        start = len(self.ops)
        outputs = emit(op)
        if outputs is None:
            return False
        new_ops, self.ops = self.ops[start:], self.ops[:start]
        position = self.ops.index(op)
        self.ops[position:position] = new_ops
        for old, new in zip(op.outputs, outputs, strict=True):
            new.name = old.name
            self.replace_uses(old, new)
        self.remove([op])
        return True

    def prune(self) -> None:
        """Remove ops that no output needs (ops without outputs stay), then unused tensors."""
        needed: set[Tensor] = set(self.outputs)
        dead: list[Op] = []
        for op in reversed(self.ops):
            if op.outputs and not needed.intersection(op.outputs):
                dead.append(op)
            else:
                needed.update(tensor for tensor in op.inputs if tensor is not None)
                needed.update(op.intermediates)
        self.remove(dead)
        used = needed.union(self.inputs, *(op.outputs for op in self.ops))
        self.tensors = [tensor for tensor in self.tensors if tensor in used]
        self._constants = {key: value for key, value in self._constants.items() if value in used}

    def reachable(self) -> list[Graph]:
        """Return the graph, and those that its ops call, each once."""
        graphs = [self]
        for graph in graphs:
            for op in graph.ops:
                graphs += [called for called in op.graphs if called not in graphs]
        return graphs

    def find(self, name: str) -> list[Tensor]:
        """Return the tensors with this name."""
        return [tensor for tensor in self.tensors if tensor.name == name]

    def __repr__(self) -> str:
        return f"<Graph {self.name!r}: {len(self.ops)} ops, {len(self.tensors)} tensors>"
