"""Read the bytes of a `.tflite` file into a `Model`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from .._arguments import as_path
from ..errors import InvalidModelError
from ..graph import DType, Graph, Model, Op, Signature, Tensor
from .archive import read_files
from .check import check_model
from .decode import DAMAGED, Decoder, find_item
from .layout import Record
from .load import load_file
from .operator_codes import read_operator_code
from .options import read_options
from .quantization import read_quantization
from .schema import TENSOR_TYPES, TFLITE

__all__ = ["read"]

_ADVICE = "Check the path; if the file was downloaded, download it again."
_IDENTIFIER = b"TFL3"
_MOST_AXES = 32  # NumPy 1 has no more, and no kernel takes as many

T = TypeVar("T")


def read(source: str | Path | bytes) -> Model:
    """Read a `.tflite` file.

    Every offset, index and size is checked, including those that crash the runtime. The data of
    constants are views of the file's bytes, also of constants stored after the flatbuffer.

    Args:
        source: path, or content of a file.

    Raises:
        InvalidModelError: If there is no such file, it is not a model, it is damaged, or it would
            crash LiteRT.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _parse(bytes(source))
    path = as_path(source, "the model", InvalidModelError)
    data = load_file(path)
    try:
        return _parse(data)
    except InvalidModelError as error:
        raise InvalidModelError(f"{path}: {error}") from error


def _parse(data: bytes) -> Model:
    decoder = Decoder(data, TFLITE)
    root = decoder.root("Model", _IDENTIFIER, "a .tflite model", _ADVICE)
    model = _Reader(data, decoder, root).model
    model.files = read_files(data, decoder.end)
    check_model(model)
    return model


def _numbers(array: np.ndarray | None) -> list[Any]:
    return [] if array is None else array.tolist()


class _Reader:
    """Builds a model from decoded tables, with objects in place of indices."""

    def __init__(self, data: bytes, decoder: Decoder, root: Record) -> None:
        self._data = data
        self._decoder = decoder
        version = root["version"]
        if version != 3:
            raise InvalidModelError(f"got schema version {version}, expected 3. {DAMAGED}")
        if root["buffers"] is None or not root["subgraphs"]:
            missing = "subgraphs" if root["buffers"] is not None else "buffers"
            raise InvalidModelError(f"the model has no {missing}. {DAMAGED}")
        self._buffers = [self._buffer(record) for record in root["buffers"]]
        self._codes = [read_operator_code(record) for record in root["operatorCodes"] or ()]
        self.model = model = Model()
        model.description = root["description"] or ""
        model.graphs = [Graph(record["name"] or "") for record in root["subgraphs"]]
        for index, record in enumerate(root["subgraphs"]):
            try:
                self._fill(model.graphs[index], record)
            except InvalidModelError as error:
                raise InvalidModelError(f"subgraph {index}: {error}") from error
        for record in root["signatureDefs"] or ():
            model.signatures.append(self._signature(record))
        for record in root["metadata"] or ():
            if record["name"] is None:
                raise InvalidModelError(f"a metadata entry has no name. {DAMAGED}")
            model.metadata[record["name"]] = self._content(record["buffer"])
        model.opaque = self._opaque(root)

    def _opaque(self, root: Record) -> dict[str, object]:
        opaque: dict[str, object] = {
            name: root[name]
            for name in ("externalBufferGroups", "externalBuffers")
            if root.get(name)
        }
        if root["metadataBuffer"] is not None:
            contents = [self._content(index) for index in root["metadataBuffer"].tolist()]
            opaque["metadataBuffer"] = contents
        return opaque

    def _buffer(self, record: Record) -> np.ndarray | None:
        """Return the data of a buffer, which may be stored after the flatbuffer."""
        offset, size = record["offset"], record["size"]
        data: np.ndarray | None = record["data"]
        if data is not None or offset <= 1:
            return data
        return np.frombuffer(self._data, np.uint8, *self._outside(offset, size, "a buffer"))

    def _outside(self, offset: int, size: int, what: str) -> tuple[int, int]:
        """Check bytes after the flatbuffer, and return `(size, offset)`."""
        if offset + size > len(self._data):
            raise InvalidModelError(
                f"{what} is at bytes {offset} to {offset + size} of a file of "
                f"{len(self._data)}. {DAMAGED}"
            )
        self._decoder.spend(size)
        return size, offset

    def _content(self, index: int) -> bytes:
        data = find_item(self._buffers, index, "the buffer of metadata")
        if data is None:
            return b""
        self._decoder.spend(data.size)
        return data.tobytes()

    def _fill(self, graph: Graph, record: Record) -> None:
        records = record["tensors"] or []
        for index, each in enumerate(records):
            try:
                self._tensor(graph, each)
            except InvalidModelError as error:
                raise InvalidModelError(f"tensor {index} {each['name']!r}: {error}") from error
        for tensor, each in zip(graph.tensors, records, strict=True):
            if each["quantization"] is not None:
                tensor.quantization = read_quantization(each["quantization"], graph)
        graph.inputs = [find_item(graph.tensors, i, "an input") for i in _numbers(record["inputs"])]
        graph.outputs = [
            find_item(graph.tensors, i, "an output") for i in _numbers(record["outputs"])
        ]
        for index, each in enumerate(record["operators"] or ()):
            try:
                self._op(graph, each)
            except InvalidModelError as error:
                raise InvalidModelError(f"op {index}: {error}") from error
        if record["debugMetadataIndex"] != -1:
            graph.opaque["debugMetadataIndex"] = record["debugMetadataIndex"]

    def _tensor(self, graph: Graph, record: Record) -> None:
        dtype = TENSOR_TYPES.get(record["type"], "")
        if dtype not in DType.__members__:
            raise InvalidModelError(
                f"got element type {record['type']}, which Sartor does not support. {DAMAGED}"
            )
        if record.get("externalBuffer"):
            raise InvalidModelError(
                "its data are in another file, which Sartor does not read. "
                "Convert the model again, with its weights in the file itself."
            )
        shape = record["shape"]
        if shape is not None and shape.size > _MOST_AXES:
            raise InvalidModelError(f"got {shape.size} axes, expected at most {_MOST_AXES}.")
        tensor = graph.tensor(record["name"] or "", DType[dtype], _numbers(shape))
        signature = record["shapeSignature"]
        tensor.shape_signature = None if signature is None else tuple(signature.tolist())
        tensor.is_variable = record["isVariable"]
        tensor.has_rank = record["hasRank"]
        tensor.sparsity = record["sparsity"]
        tensor.variants = record["variantTensors"]
        data = (
            find_item(self._buffers, record["buffer"], "its buffer") if record["buffer"] else None
        )
        # Some writers give an empty vector to tensors that are not constants.
        if data is not None and (data.size or 0 in tensor.shape):
            tensor.data = data

    def _op(self, graph: Graph, record: Record) -> None:
        code, custom_code, version = find_item(
            self._codes, record["opcodeIndex"], "its operator code"
        )
        tensors = graph.tensors
        inputs = [
            None if i == -1 else find_item(tensors, i, f"an input of {custom_code or code}")
            for i in _numbers(record["inputs"])
        ]
        outputs = [
            find_item(tensors, i, f"an output of {custom_code or code}")
            for i in _numbers(record["outputs"])
        ]
        duplicates = [tensor for tensor in outputs if tensor.producer is not None]
        if duplicates or len(set(outputs)) < len(outputs):
            raise InvalidModelError(
                f"{custom_code or code} returns {(duplicates or outputs)[0]!r}, which is already "
                f"an output; expected a tensor to be the output of one op. {DAMAGED}"
            )
        name, options = self._options(record)
        op = Op(
            code,
            inputs,
            outputs,
            options=options,
            options_type=name,
            custom_code=custom_code,
            version=version,
            opaque=self._op_opaque(record),
        )
        op.intermediates = tuple(
            find_item(tensors, i, f"an intermediate of {op.name}")
            for i in _numbers(record["intermediates"])
        )
        graph.add(op)

    def _options(self, record: Record) -> tuple[str | None, dict[str, Any]]:
        first, second = record["builtinOptions"], record.get("builtinOptions2")
        if first and second:
            raise InvalidModelError(
                f"it has both {first[0]} and {second[0]}, expected one. {DAMAGED}"
            )
        chosen: tuple[str, Record] | None = first or second
        if chosen is None:
            return None, {}
        name, options = chosen
        graphs = self.model.graphs
        return name, read_options(
            name, options, lambda i: find_item(graphs, i, "a subgraph it runs")
        )

    def _op_opaque(self, record: Record) -> dict[str, Any]:
        opaque: dict[str, Any] = {}
        custom = record["customOptions"]
        offset, size = record["largeCustomOptionsOffset"], record["largeCustomOptionsSize"]
        if custom is not None:
            opaque["customOptions"] = custom.tobytes()
        elif offset > 1:
            size, offset = self._outside(offset, size, "its options")
            opaque["customOptions"] = self._data[offset : offset + size]
        if record["customOptionsFormat"]:
            opaque["customOptionsFormat"] = record["customOptionsFormat"]
        if record["mutatingVariableInputs"] is not None:
            opaque["mutatingVariableInputs"] = record["mutatingVariableInputs"].tolist()
        if record.get("debugMetadataIndex", -1) != -1:
            opaque["debugMetadataIndex"] = record["debugMetadataIndex"]
        return opaque

    def _signature(self, record: Record) -> Signature:
        key = record["signatureKey"]
        if key is None:
            raise InvalidModelError(f"a signature has no key. {DAMAGED}")
        where = f"signature {key!r}"
        graph = find_item(self.model.graphs, record["subgraphIndex"], f"the subgraph of {where}")
        ends = []
        for side in ("inputs", "outputs"):
            names: dict[str, Tensor] = {}
            for entry in record[side] or ():
                name = entry["name"]
                if name is None or name in names:
                    raise InvalidModelError(
                        f"{where} has two {side} {name!r}, or one without a name. {DAMAGED}"
                    )
                names[name] = find_item(graph.tensors, entry["tensorIndex"], f"{name!r} of {where}")
            ends.append(names)
        return Signature(key, graph, *ends)
