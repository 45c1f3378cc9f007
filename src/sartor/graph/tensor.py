"""Tensors: name, type and shape, with links to producer and consumers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from .dtype import DType

if TYPE_CHECKING:
    from .graph import Graph
    from .op import Op

__all__ = ["Quantization", "Tensor"]


@dataclass(frozen=True)
class Quantization:
    """Quantization parameters: `real = scale * (integer - zero_point)`.

    Attributes:
        scale: float32, one value for the tensor or one for each slice along `axis`.
        zero_point: int64, of the size of `scale`.
        axis: axis of per-channel parameters.
        minimum, maximum: range observed in training, or None if the file has none.
        details: block-wise and other schemes of the file, which are not changed.
    """

    scale: np.ndarray
    zero_point: np.ndarray
    axis: int = 0
    minimum: np.ndarray | None = None
    maximum: np.ndarray | None = None
    details: object = field(default=None, compare=False)

    @property
    def per_tensor(self) -> tuple[float, int] | None:
        """`(scale, zero_point)` of the whole tensor, or None if they differ by channel."""
        if self.scale.size != 1:
            return None
        return float(self.scale[0]), int(self.zero_point[0]) if self.zero_point.size else 0


class Tensor:
    """A value in a graph.

    A tensor belongs to one graph and is compared by identity. `producer` and `consumers` are
    kept by `Op`; do not write to them.

    Attributes:
        graph: graph of the tensor.
        name: name for messages; need not be unique.
        dtype: element type.
        shape: static shape; an axis of variable size has the size that the file states.
        shape_signature: the shape with -1 for axes of variable size, or None if there are none.
        data: bytes of a constant (uint8, one axis), or None.
        quantization: quantization parameters, or None.
        exclusive: True to share the buffer only with tensors that have the same `data` array, and
            not with all of equal bytes. It is set for the initial value of a variable, which
            `bake` overwrites.
        is_variable: flag of the file for the state of a stateful op (not a resource variable).
        sparsity, variants, has_rank: content of the file, which is not changed.
        producer: op that computes the tensor, or None for inputs and constants.
        consumers: ops that use the tensor, once for each use.
    """

    def __init__(
        self,
        graph: Graph,
        name: str,
        dtype: DType,
        shape: tuple[int, ...],
        *,
        data: np.ndarray | None = None,
        quantization: Quantization | None = None,
    ) -> None:
        self.graph = graph
        self.name = name
        self.dtype = dtype
        self.shape = shape
        self.shape_signature: tuple[int, ...] | None = None
        self.data = data
        self.quantization = quantization
        self.exclusive = False
        self.is_variable = False
        self.sparsity: object = None
        self.variants: object = None
        self.has_rank = False
        self.producer: Op | None = None
        self.consumers: list[Op] = []

    @property
    def is_constant(self) -> bool:
        """True if the file holds the value."""
        return self.data is not None

    @property
    def rank(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def value(self) -> np.ndarray:
        """The value of a constant, as a read-only view of the bytes.

        Raises:
            ValueError: If the tensor is not a constant, or of a type that NumPy does not have.
        """
        dtype = self.dtype.numpy
        if self.data is None or dtype is None:
            raise ValueError(f"{self!r} is not a constant of a type that NumPy has")
        return self.data.view(dtype).reshape(self.shape)

    def __repr__(self) -> str:
        return f"<{self.dtype.name} {list(self.shape)} {self.name!r}>"
