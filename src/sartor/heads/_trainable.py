"""Select the constants of a head's graph that become parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import ConversionError
from ..graph import Graph, Op, Tensor
from ..ops import find_row

__all__ = ["TrainableConstant", "find_trainable", "select_trainable"]


@dataclass(frozen=True)
class TrainableConstant:
    """A constant as one input of one op.

    Converters share equal constants, for example the zero biases of two layers. Each use of such a
    constant is a parameter of its own.

    Attributes:
        layer: name of the layer, for example `layer_2`.
        role: for example `weights` or `bias`.
        op, index: the op, and the index of its input.
    """

    layer: str
    role: str
    op: Op
    index: int

    @property
    def name(self) -> str:
        """The name of the parameter, for example `layer_2/bias`."""
        return f"{self.layer}/{self.role}"

    @property
    def constant(self) -> Tensor:
        """The tensor in the file."""
        return self.op.input(self.index)

    @property
    def is_layer(self) -> bool:
        """Whether it belongs to a layer with weights, and not to an elementwise op."""
        return find_row(self.op).weights is not None

    @property
    def is_default(self) -> bool:
        """Whether it is trained by default: all but single numbers of elementwise ops."""
        return not find_row(self.op).is_affine or self.constant.size > 1

    def has_name(self, name: str) -> bool:
        """Return True for the name of the parameter, of its layer or of the constant."""
        return name in (self.name, self.layer, self.constant.name)

    def __str__(self) -> str:
        return f"{self.name} ({self.constant.name!r}, {list(self.constant.shape)})"


def find_trainable(graph: Graph) -> list[TrainableConstant]:
    """Return all constants that can be trained, in the order of the ops."""
    constants: list[TrainableConstant] = []
    number = 0
    for op in graph.ops:
        roles = list(_constant_roles(op))
        number += bool(roles)
        constants += [TrainableConstant(f"layer_{number}", role, op, i) for i, role in roles]
    return constants


def select_trainable(
    constants: Sequence[TrainableConstant],
    names: Sequence[str] | None,
    is_frozen: Callable[[np.ndarray], bool],
    last_layer: Op,
    head_name: str,
) -> list[TrainableConstant]:
    """Return the constants that become parameters.

    Args:
        constants: from `find_trainable`.
        names: names of parameters, of layers (`layer_2`) or of constants in the file. Default: all
            but single numbers, and but what `is_frozen` excludes.
        is_frozen: returns True for a value that is not trained; not used if there are names.
        last_layer: the layer with one row per class; it must be trained.
        head_name: name of the head in messages.

    Raises:
        ConversionError: If a name does not exist, or the last layer is not included.
    """
    if names is None:
        frozen_ops = {each.op for each in constants if is_frozen(each.constant.value)}
        selected = [each for each in constants if each.is_default and each.op not in frozen_ops]
    else:
        for name in names:
            if not any(each.has_name(name) for each in constants):
                available = ", ".join(map(str, constants))
                raise ConversionError(
                    f"{head_name} has no constant {name!r} to train; it has {available}"
                )
        selected = [each for each in constants if any(map(each.has_name, names))]
    missing = [each for each in constants if each.op is last_layer and each not in selected]
    if missing:
        raise ConversionError(
            f"{head_name}: the last layer must be trainable, since `set_class` changes its rows: "
            f"{', '.join(map(str, missing))}"
        )
    return selected


def _constant_roles(op: Op) -> Iterator[tuple[int, str]]:
    """Yield the index and the role (such as `weights`) of each trainable constant of an op."""
    for index, role in find_row(op).parameters.items():
        tensor = op.inputs[index] if index < len(op.inputs) else None
        if tensor is not None and tensor.is_constant and tensor.dtype.is_float:
            yield index, role
