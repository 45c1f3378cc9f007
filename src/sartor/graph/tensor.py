"""Tensors: a name, a type and a shape, with links to what makes and what uses them."""

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
    """How integers stand for reals: `real = scale * (integer - zero_point)`.

    Attributes:
        scale: one float32 for the tensor, or one for each slice along `axis`.
        zero_point: int64, as many as `scale`.
        axis: the axis that per-channel parameters run along.
        minimum, maximum: the range observed in training, where the file has it.
        details: block-wise and other schemes, as they were read; kept untouched.
    """

    scale: np.ndarray
    zero_point: np.ndarray
    axis: int = 0
    minimum: np.ndarray | None = None
    maximum: np.ndarray | None = None
    details: object = field(default=None, compare=False)

    @property
    def per_tensor(self) -> tuple[float, int] | None:
        """`(scale, zero_point)` when one pair serves the whole tensor, else None."""
        if self.scale.size != 1:
            return None
        return float(self.scale[0]), int(self.zero_point[0]) if self.zero_point.size else 0


class Tensor:
    """A value in a graph.

    A tensor belongs to one graph and is compared by identity. `producer` and `consumers` are
    kept by `Op`; do not write to them.

    Attributes:
        graph: the graph it belongs to.
        name: for people; need not be unique.
        dtype: the element type.
        shape: the static shape; a dimension that may vary holds the size that the file states.
        shape_signature: the same with -1 for dimensions that may vary, or None if none does.
        data: the bytes of a constant (uint8, one axis), or None.
        quantization: how its integers stand for reals, or None.
        exclusive: share a buffer only with tensors that have this very `data` array, not with
            those whose bytes happen to be equal: the initial value of a variable, which `bake`
            overwrites.
        is_variable: the file's flag for state that a stateful op keeps (not a resource variable).
        sparsity, variants, has_rank: as read from the file; kept untouched.
        producer: the op that makes it, or None for inputs and constants.
        consumers: the ops that use it, once for each use.
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
        """True when the file holds its value."""
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
        """The value of a constant, in its shape; a read-only view where the bytes are.

        Raises:
            ValueError: it is not a constant, or of a type that NumPy does not have.
        """
        dtype = self.dtype.numpy
        if self.data is None or dtype is None:
            raise ValueError(f"{self!r} has no value that NumPy can show")
        return self.data.view(dtype).reshape(self.shape)

    def __repr__(self) -> str:
        return f"<{self.dtype.name} {list(self.shape)} {self.name!r}>"
