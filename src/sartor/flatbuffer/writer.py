"""The tables of a model in a flatbuffer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import InvalidModelError
from ..graph import Graph, Model, Op, Signature, Tensor
from ..ops import version_of
from .buffers import BufferTable
from .encode import Encoder, Place
from .layout import Record
from .operator_codes import operator_code_record
from .options import options_record
from .quantization import quantization_record, split_details
from .schema import TENSOR_TYPES, TFLITE

__all__ = ["ModelWriter", "SharedParts"]

_IDENTIFIER = b"TFL3"
_SHAPE = next(each for each in TFLITE.layout("Tensor").fields if each.name == "shape")
_TYPE_NUMBERS = {name: number for number, name in TENSOR_TYPES.items()}


@dataclass(frozen=True)
class SharedParts:
    """The parts of a file that several models share.

    Attributes:
        encoder: writes the tables.
        buffers: the buffers. A model has those that it and the models before it use.
        codes: operator codes with their indices; a model has a part of them in the same way.
    """

    encoder: Encoder
    buffers: BufferTable = field(default_factory=BufferTable)
    codes: dict[tuple[str, str | None, int], int] = field(default_factory=dict)


class ModelWriter:
    """Assigns the indices of one model, and writes its tables.

    Args:
        model: a model that has passed `check_model`.
        shared: the parts of the file that several models share.
        class_axes: tensor → the axes that run over classes; see `class_counts`. Default: none.
    """

    def __init__(
        self,
        model: Model,
        shared: SharedParts,
        class_axes: Mapping[Tensor, tuple[int, ...]] | None = None,
    ) -> None:
        self._model = model
        self._encoder, self._buffers, self._codes = shared.encoder, shared.buffers, shared.codes
        self._class_axes = class_axes or {}
        self._graphs = {graph: index for index, graph in enumerate(model.graphs)}
        self._tensors = {graph: _numbered(graph) for graph in model.graphs}
        self._exclusive: dict[Tensor, int] = {}
        self._class_shapes: dict[tuple[tuple[int, ...], tuple[int, ...]], Place] = {}

    def write(self) -> Place:
        """Write the flatbuffer, the buffers first, so that they are last; return its place."""
        model = self._model
        record: Record = {
            "version": model.version,
            "description": model.description or None,
            "subgraphs": [self._graph(graph) for graph in model.graphs],
            "signatureDefs": [self._signature(each) for each in model.signatures] or None,
            "metadata": [
                {"name": name, "buffer": self._buffers.add(content)}
                for name, content in model.metadata.items()
            ]
            or None,
            **self._opaque(model.opaque),
        }
        record["operatorCodes"] = [operator_code_record(*code) for code in self._codes]
        record["buffers"] = self._buffers.write(self._encoder)
        return self._encoder.header(self._encoder.table("Model", record), _IDENTIFIER)

    def exclusive_places(self) -> dict[Tensor, Place]:
        """Return the starts of the vectors of exclusive constants, counted from the end."""
        return {tensor: self._buffers.place(number) for tensor, number in self._exclusive.items()}

    def class_counts(self) -> list[int]:
        """Return the place of each class count in a shape, counted from the end."""
        return [
            place - 4 - 4 * axis  # a vector starts with its length
            for (_, axes), place in self._class_shapes.items()
            for axis in axes
        ]

    def _opaque(self, opaque: Mapping[str, Any]) -> Record:
        record = dict(opaque)
        if "metadataBuffer" in record:
            record["metadataBuffer"] = [
                self._buffers.add(each) for each in record["metadataBuffer"]
            ]
        return record

    def _graph(self, graph: Graph) -> Record:
        numbers = self._tensors[graph]
        return {
            "name": graph.name or None,
            "tensors": [self._tensor(tensor, numbers) for tensor in numbers],
            "inputs": _indices(graph.inputs, numbers, graph),
            "outputs": _indices(graph.outputs, numbers, graph),
            "operators": [self._op(op, numbers) for op in graph.ops],
            **graph.opaque,
        }

    def _tensor(self, tensor: Tensor, numbers: Mapping[Tensor, int]) -> Record:
        return {
            "name": tensor.name or None,
            "shape": self._shape(tensor),
            "type": _TYPE_NUMBERS[tensor.dtype.name],
            "buffer": self._buffer(tensor),
            "quantization": quantization_record(tensor, numbers),
            "isVariable": tensor.is_variable,
            "sparsity": tensor.sparsity,
            "shapeSignature": tensor.shape_signature,
            "hasRank": tensor.has_rank,
            "variantTensors": tensor.variants,
        }

    def _shape(self, tensor: Tensor) -> tuple[int, ...] | Place:
        """Return the shape, or the place of a vector with class axes."""
        axes = self._class_axes.get(tensor)
        if axes is None:
            return tensor.shape
        key = tensor.shape, axes
        if key not in self._class_shapes:
            self._class_shapes[key] = self._encoder.scalars(_SHAPE, tensor.shape)
        return self._class_shapes[key]

    def _buffer(self, tensor: Tensor) -> int:
        if tensor.data is None:
            return 0
        if tensor.exclusive:
            self._exclusive[tensor] = self._buffers.own(tensor.data)
            return self._exclusive[tensor]
        return self._buffers.share(tensor.data)

    def _op(self, op: Op, numbers: Mapping[Tensor, int]) -> Record:
        code = (op.code, op.custom_code, version_of(op))
        return {
            "opcodeIndex": self._codes.setdefault(code, len(self._codes)),
            "inputs": _indices(op.inputs, numbers, op),
            "outputs": _indices(op.outputs, numbers, op),
            "intermediates": _indices(op.intermediates, numbers, op) or None,
            **options_record(op, self._graphs),
            **op.opaque,
        }

    def _signature(self, signature: Signature) -> Record:
        numbers = self._tensors[signature.graph]
        record: Record = {
            "signatureKey": signature.key,
            "subgraphIndex": self._graphs[signature.graph],
        }
        for side in ("inputs", "outputs"):
            ends: Mapping[str, Tensor] = getattr(signature, side)
            record[side] = [
                {"name": name, "tensorIndex": numbers[tensor]} for name, tensor in ends.items()
            ]
        return record


def _numbered(graph: Graph) -> dict[Tensor, int]:
    """Return tensor → index; tensors that only a quantization needs are last."""
    numbers = {tensor: index for index, tensor in enumerate(graph.tensors)}
    for tensor in graph.tensors:
        if tensor.quantization is not None and tensor.quantization.details is not None:
            for value in split_details(tensor.quantization)[1].values():
                if isinstance(value, Tensor):
                    numbers.setdefault(value, len(numbers))
    return numbers


def _indices(
    tensors: Sequence[Tensor | None], numbers: Mapping[Tensor, int], owner: object
) -> list[int]:
    try:
        return [-1 if tensor is None else numbers[tensor] for tensor in tensors]
    except KeyError as error:
        raise InvalidModelError(
            f"{owner!r} uses {error.args[0]!r}, which is not among its graph's tensors. "
            "Add it to the graph."
        ) from error
