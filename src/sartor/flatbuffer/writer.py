"""Write a `Model` as the bytes of a `.tflite` file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import flatbuffers

from ..errors import InvalidModelError
from ..graph import Graph, Model, Op, Signature, Tensor
from ..ops import version_of
from .archive import append_files
from .buffers import BufferTable
from .check import check_model
from .encode import Encoder, Place
from .layout import Record
from .operator_codes import operator_code_record
from .options import options_record
from .quantization import quantization_record, split_details
from .schema import TENSOR_TYPES, TFLITE

__all__ = ["write", "write_with_ranges"]

_IDENTIFIER = b"TFL3"
_TYPE_NUMBERS = {name: number for number, name in TENSOR_TYPES.items()}


def write(model: Model) -> bytes:
    """Return the content of a `.tflite` file.

    The same model gives the same bytes. Constants with equal bytes share a buffer, except exclusive
    constants. Each buffer starts at a multiple of 16. Each op states the lowest version that it
    needs.

    Raises:
        InvalidModelError: If the model contradicts itself, or is larger than a file can be.
    """
    return write_with_ranges(model)[0]


def write_with_ranges(model: Model) -> tuple[bytes, dict[Tensor, tuple[int, int]]]:
    """Write a model, and return the byte ranges of its exclusive constants.

    Returns:
        The content of the file, and for each exclusive constant the offset and the number of its
        bytes. The files after the model (`Model.files`) do not change the offsets.

    Raises:
        InvalidModelError: If the model contradicts itself, or is larger than a file can be.
    """
    check_model(model)
    writer = _Writer(model)
    try:
        content = writer.content()
    except flatbuffers.builder.BuilderSizeError as error:
        raise InvalidModelError(
            "the model is larger than 2 GiB, which a flatbuffer cannot hold. Use fewer classes, "
            "or a smaller base."
        ) from error
    ranges = {
        tensor: (len(content) - place + 4, tensor.data.size)  # a vector starts with its length
        for tensor, place in writer.exclusive_places().items()
        if tensor.data is not None
    }
    return append_files(content, model.files), ranges


class _Writer:
    """Assigns indices, and builds the records of the file's tables."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._graphs = {graph: index for index, graph in enumerate(model.graphs)}
        self._tensors = {graph: _numbered(graph) for graph in model.graphs}
        self._buffers = BufferTable()
        self._exclusive: dict[Tensor, int] = {}
        self._codes: dict[tuple[str, str | None, int], int] = {}
        self._places: dict[int, Place] = {}

    def content(self) -> bytes:
        """Write the flatbuffer."""
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
        sizes = (len(each) for each in self._buffers.contents if each is not None)
        encoder = Encoder(TFLITE, min(sum(sizes) + 65536, 2**31 - 1))
        record["buffers"] = self._write_buffers(encoder)
        return encoder.finish(encoder.table("Model", record), _IDENTIFIER)

    def exclusive_places(self) -> dict[Tensor, Place]:
        """Return the starts of the vectors of exclusive constants, counted from the end."""
        return {tensor: self._places[number] for tensor, number in self._exclusive.items()}

    def _write_buffers(self, encoder: Encoder) -> list[Place]:
        """Write the buffers first, so that they are last in the file."""
        field = next(each for each in TFLITE.layout("Buffer").fields if each.name == "data")
        tables = []
        for number, content in enumerate(self._buffers.contents):
            if content is None:
                tables.append(encoder.table("Buffer", {}))
                continue
            self._places[number] = encoder.scalars(field, content)
            tables.append(encoder.table("Buffer", {"data": self._places[number]}))
        return tables

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
            "shape": tensor.shape,
            "type": _TYPE_NUMBERS[tensor.dtype.name],
            "buffer": self._buffer(tensor),
            "quantization": quantization_record(tensor, numbers),
            "isVariable": tensor.is_variable,
            "sparsity": tensor.sparsity,
            "shapeSignature": tensor.shape_signature,
            "hasRank": tensor.has_rank,
            "variantTensors": tensor.variants,
        }

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
