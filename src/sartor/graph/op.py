"""Ops: a code, options, and the tensors that go in and out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .tensor import Tensor

__all__ = ["Op"]


class Op:
    """One operation of a graph.

    Attributes:
        code: the builtin operator's name, as `CONV_2D`, or `CUSTOM`.
        custom_code: the name of a custom op, else None.
        version: the op version that the file stated, or None for an op that was made here; the
            writer finds the lowest that the options need.
        options: field → value, under the schema's own field names; enums are integers, and a
            field that points to a subgraph holds the `Graph`. Empty where the op has none.
        options_type: the schema's name of the options table, as `Conv2DOptions`, or None.
        intermediates: tensors that the kernel uses inside (quantized LSTMs).
        opaque: what the file has beside (custom options, …), kept untouched.
    """

    def __init__(
        self,
        code: str,
        inputs: Sequence[Tensor | None],
        outputs: Sequence[Tensor],
        *,
        options: Mapping[str, Any] | None = None,
        options_type: str | None = None,
        custom_code: str | None = None,
        version: int | None = None,
        opaque: Mapping[str, Any] | None = None,
    ) -> None:
        self.code = code
        self.custom_code = custom_code
        self.version = version
        self.options: dict[str, Any] = dict(options or {})
        self.options_type = options_type
        self.opaque: dict[str, Any] = dict(opaque or {})
        self.intermediates: tuple[Tensor, ...] = ()
        self._inputs: tuple[Tensor | None, ...] = ()
        self._outputs = tuple(outputs)
        for tensor in self._outputs:
            if tensor.producer is not None:
                raise ValueError(f"{tensor!r} is already made by {tensor.producer!r}")
            tensor.producer = self
        self.set_inputs(inputs)

    @property
    def inputs(self) -> tuple[Tensor | None, ...]:
        """The tensors that go in; None for an optional one that is left out."""
        return self._inputs

    @property
    def outputs(self) -> tuple[Tensor, ...]:
        """The tensors that come out."""
        return self._outputs

    @property
    def output(self) -> Tensor:
        """The first output."""
        return self._outputs[0]

    @property
    def name(self) -> str:
        """What to call the op in a message."""
        return self.custom_code or self.code

    def input(self, index: int) -> Tensor:
        """The input at `index`; raises ValueError when it is left out."""
        tensor = self._inputs[index] if index < len(self._inputs) else None
        if tensor is None:
            raise ValueError(f"{self!r} has no input {index}")
        return tensor

    def set_inputs(self, inputs: Sequence[Tensor | None]) -> None:
        """Use other inputs, and keep the use lists of both right."""
        for tensor in self._inputs:
            if tensor is not None:
                tensor.consumers.remove(self)
        self._inputs = tuple(inputs)
        for tensor in self._inputs:
            if tensor is not None:
                tensor.consumers.append(self)

    def replace_input(self, old: Tensor, new: Tensor) -> None:
        """Use `new` wherever `old` went in."""
        self.set_inputs([new if tensor is old else tensor for tensor in self._inputs])

    def detach(self) -> None:
        """Cut all links, as a removed op must."""
        self.set_inputs(())
        for tensor in self._outputs:
            tensor.producer = None
        self._outputs = ()

    def __repr__(self) -> str:
        made = ", ".join(tensor.name for tensor in self._outputs)
        return f"<{self.name} → {made or 'nothing'}>"
