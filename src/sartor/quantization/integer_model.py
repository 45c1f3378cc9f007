"""A frozen model as integers from end to end, for microcontrollers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

import numpy as np

from ..contract.manifest import InputSpec, Manifest
from ..contract.names import OUTPUT
from ..contract.signatures import numbered
from ..errors import DataError
from ..flatbuffer import read, write
from ..graph import DType, Graph, Model, Signature
from ..litert import create_interpreter
from .integer_ends import close_ends, pixel_range
from .integer_parts import (
    check_integer,
    crossings,
    graft,
    keep_integers,
    keep_reals,
    unpack_weights,
)
from .quantizer import Representative, quantize, read_samples

__all__ = ["Shown", "to_integers"]

Shown: TypeAlias = "Representative | Mapping[str, np.ndarray]"
"""What shows a model's values: samples, or stored features as name → rows."""

_MODE = "full-integer"
_MOST = 200

_Inputs: TypeAlias = "Iterable[dict[str, np.ndarray]]"


def to_integers(model: Model, manifest: Manifest, shown: Shown, dtype: DType) -> None:
    """Quantize what a model computes in reals, and let integers cross its ends.

    Where the base is quantized already it stays as it is, and what is behind it goes on in int8.

    Args:
        model: frozen, with one signature; changed.
        manifest: of the file that it was, with the inputs as they are now.
        shown: representative samples; for a quantized base, features do.
        dtype: of the bytes at the ends: UINT8 or INT8.

    Raises:
        ConversionError: ai-edge-quantizer is not there, or there is an op that it cannot do.
        DataError: a sample is not what the model takes.
    """
    (signature,) = model.signatures
    unpack_weights(model.main)
    specs = list(manifest.inputs)
    if crossings(model.main):
        samples = _features(model, manifest, shown)
        part = _copy(model)
        keep_reals(part.main)
        graft(model.main, quantize(part, _MODE, samples, _stored_ranges(model)).main)
    else:
        model.graphs = quantize(model, _MODE, _pixels(specs, shown), _pixel_ranges(specs)).graphs
    graph = model.main
    close_ends(graph, specs, dtype)
    check_integer(graph)
    inputs = dict(zip(signature.inputs, graph.inputs, strict=True))
    outputs = dict(zip(signature.outputs, graph.outputs, strict=True))
    for name, tensor in (*inputs.items(), *outputs.items()):
        tensor.name = name
    model.signatures = [Signature(signature.key, graph, inputs, outputs)]


def _pixels(specs: Sequence[InputSpec], shown: Shown) -> list[dict[str, np.ndarray]]:
    """What a float base takes."""
    if isinstance(shown, Mapping):
        raise DataError("representative features are for a base that is quantized: give samples")
    return list(read_samples(specs, shown).some(_MOST).inputs(specs))


def _features(model: Model, manifest: Manifest, shown: Shown) -> list[dict[str, np.ndarray]]:
    """What the crossings of a quantized base yield."""
    reals = [op.output for op in crossings(model.main)]
    if not isinstance(shown, Mapping):
        part = _copy(model)
        keep_integers(part.main)
        part.signatures = [_signed(part.main)]
        found = _run(part, read_samples(manifest.inputs, shown).some(_MOST).inputs(manifest.inputs))
        rows = [[each[numbered(OUTPUT, i)] for i in range(len(reals))] for each in found]
    else:
        names = [spec.name for spec in manifest.features]
        if list(shown) != names or len(reals) != len(names):
            raise DataError(
                f"representative features are {', '.join(names)}, of a base that is quantized "
                f"there; got {', '.join(map(str, shown))}. Give pictures, or other samples"
            )
        rows = [list(each) for each in zip(*shown.values(), strict=True)]
    return [_crossing(row, [real.shape for real in reals]) for row in rows]


def _crossing(
    row: Sequence[np.ndarray], shapes: Sequence[tuple[int, ...]]
) -> dict[str, np.ndarray]:
    """One sample's values, under the names of `keep_reals`."""
    try:
        return {
            f"crossing {number}": np.asarray(value, np.float32).reshape(shape)
            for number, (value, shape) in enumerate(zip(row, shapes, strict=True))
        }
    except ValueError as error:
        raise DataError(f"representative features do not fit the model: {error}") from error


def _signed(graph: Graph) -> Signature:
    inputs = {tensor.name: tensor for tensor in graph.inputs}
    outputs = {numbered(OUTPUT, i): tensor for i, tensor in enumerate(graph.outputs)}
    return Signature("part", graph, inputs, outputs)


def _copy(model: Model) -> Model:
    return read(write(model))


def _run(model: Model, inputs: _Inputs) -> list[dict[str, np.ndarray]]:
    """What a model makes of samples."""
    runner = create_interpreter(write(model)).get_signature_runner(model.signatures[0].key)
    return [runner(**sample) for sample in inputs]


def _stored_ranges(model: Model) -> dict[str, tuple[float, float]]:
    """All that the integers before a crossing can stand for: the part then takes their scale."""
    ranges = {}
    for number, op in enumerate(crossings(model.main)):
        quantization, least = op.input(0).quantization, -128 * (op.input(0).dtype is DType.INT8)
        pair = quantization.per_tensor if quantization is not None else None
        if pair is not None:
            low, high = (pair[0] * (byte - pair[1]) for byte in (least, least + 255))
            ranges[f"crossing {number}"] = low, high
    return ranges


def _pixel_ranges(specs: Sequence[InputSpec]) -> dict[str, tuple[float, float]]:
    known = {spec.name: pixel_range(spec) for spec in specs}
    return {name: limits for name, limits in known.items() if limits is not None}
