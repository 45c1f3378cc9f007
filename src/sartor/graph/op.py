"""Ops: a code, options, inputs and outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .graph import Graph
    from .tensor import Tensor

__all__ = ["Op"]


class Op:
    """One operation of a graph.

    Attributes:
        code: name of the builtin operator, for example `CONV_2D`, or `CUSTOM`.
        custom_code: name of a custom op, or None.
        version: operator version that the file states, or None for an emitted op. The writer
            computes the lowest version that the op needs.
        options: field → value, with the schema's field names. Enums are integers, and a field that
            points to a subgraph holds the `Graph`.
        options_type: the schema's name of the options table, for example `Conv2DOptions`, or None.
        intermediates: tensors that the kernel uses internally (quantized LSTMs).
        opaque: other content of the file, such as custom options, which is not changed.
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
                raise ValueError(f"{tensor!r} is already an output of {tensor.producer!r}")
            tensor.producer = self
        self.set_inputs(inputs)

    @property
    def inputs(self) -> tuple[Tensor | None, ...]:
        """The inputs; None for an optional input that is left out."""
        return self._inputs

    @property
    def outputs(self) -> tuple[Tensor, ...]:
        """The outputs."""
        return self._outputs

    @property
    def output(self) -> Tensor:
        """The first output."""
        return self._outputs[0]

    @property
    def graphs(self) -> list[Graph]:
        """The graphs that the op calls, each once."""
        from .graph import Graph

        values = [
            value
            for option in self.options.values()
            for value in (option if isinstance(option, list) else [option])
        ]
        return list(dict.fromkeys(value for value in values if isinstance(value, Graph)))

    @property
    def name(self) -> str:
        """The name for messages: the custom code, if any, or the code."""
        return self.custom_code or self.code

    def input(self, index: int) -> Tensor:
        """Return the input at `index`; raise ValueError if it is left out."""
        tensor = self._inputs[index] if index < len(self._inputs) else None
        if tensor is None:
            raise ValueError(f"{self!r} has no input {index}")
        return tensor

    def set_inputs(self, inputs: Sequence[Tensor | None]) -> None:
        """Replace the inputs, and update the consumers of old and new ones."""
        for tensor in self._inputs:
            if tensor is not None:
                tensor.consumers.remove(self)
        self._inputs = tuple(inputs)
        for tensor in self._inputs:
            if tensor is not None:
                tensor.consumers.append(self)

    def replace_input(self, old: Tensor, new: Tensor) -> None:
        """Replace `old` by `new` in the inputs."""
        self.set_inputs([new if tensor is old else tensor for tensor in self._inputs])

    def detach(self) -> None:
        """Remove all links to tensors, for an op that leaves its graph."""
        self.set_inputs(())
        for tensor in self._outputs:
            tensor.producer = None
        self._outputs = ()

    def __repr__(self) -> str:
        outputs = ", ".join(tensor.name for tensor in self._outputs)
        return f"<{self.name} → {outputs or 'nothing'}>"
