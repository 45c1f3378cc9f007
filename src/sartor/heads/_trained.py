"""Which constants of a head's graph are its parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import ConversionError
from ..graph import Graph, Op, Tensor
from ..ops import find_row

__all__ = ["Use", "choose", "uses_of"]


@dataclass(frozen=True)
class Use:
    """A constant where an op takes it.

    Converters share equal constants, as the zero biases of two layers: so each use is a parameter
    of its own.

    Attributes:
        name: of the parameter, as `layer_2/bias`.
        op, index: which input of which op.
    """

    name: str
    op: Op
    index: int

    @property
    def constant(self) -> Tensor:
        """The tensor in the file."""
        return self.op.input(self.index)

    @property
    def by_default(self) -> bool:
        """Whether it is trained unless told: a lone number is none that a layer has learned."""
        return not find_row(self.op).is_affine or self.constant.size > 1

    def __str__(self) -> str:
        return f"{self.name} ({self.constant.name!r}, {list(self.constant.shape)})"


def uses_of(graph: Graph) -> list[Use]:
    """All constants that could be trained, in the order of the ops."""
    found: list[Use] = []
    number = 0
    for op in graph.ops:
        here = list(_constants(op))
        number += bool(here)
        found += [Use(f"layer_{number}/{what}", op, index) for index, what in here]
    return found


def choose(
    uses: Sequence[Use],
    names: Sequence[str] | None,
    frozen: Callable[[np.ndarray], bool],
    last: Op,
    what: str,
) -> list[Use]:
    """The uses that become parameters.

    Args:
        uses: what `uses_of` found.
        names: of parameters, of layers (`layer_2`) or of constants in the file; None: all but
            lone numbers.
        frozen: whether a value is not to be trained; not asked where there are names.
        last: the op that has a row of weights for each class: it is always among them.
        what: the head is called in messages.

    Raises:
        ConversionError: a name is not there, or the last layer is left out.
    """
    if names is None:
        still = {use.op for use in uses if frozen(use.constant.value)}
        chosen = [use for use in uses if use.by_default and use.op not in still]
    else:
        for name in names:
            if not any(_is_called(use, name) for use in uses):
                known = ", ".join(map(str, uses))
                raise ConversionError(f"{what} has no constant {name!r} to train; it has {known}")
        chosen = [use for use in uses if any(_is_called(use, name) for name in names)]
    missing = [use for use in uses if use.op is last and use not in chosen]
    if missing:
        raise ConversionError(
            f"{what}: its last layer must be trained, as classes are made and removed there: "
            f"{', '.join(map(str, missing))}"
        )
    return chosen


def _constants(op: Op) -> Iterator[tuple[int, str]]:
    for index, what in find_row(op).parameters.items():
        tensor = op.inputs[index] if index < len(op.inputs) else None
        if tensor is not None and tensor.is_constant and tensor.dtype.is_float:
            yield index, what


def _is_called(use: Use, name: str) -> bool:
    return name in (use.name, use.name.partition("/")[0], use.constant.name)
