"""Quantize a frozen model to integers from input to output, for microcontrollers."""

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
from ..modalities import modality_of
from .calibration_data import CalibrationData, RepresentativeSamples
from .integer_io import convert_io
from .partition import (
    boundary_name,
    boundary_ops,
    check_integer,
    expand_weights,
    join,
    keep_float_part,
    keep_integer_part,
)
from .quantizer import quantize

__all__ = ["RepresentativeData", "quantize_frozen"]

RepresentativeData: TypeAlias = "RepresentativeSamples | Mapping[str, np.ndarray]"
"""Representative samples, or stored features: name → float32 [N, F]."""

_MODE = "full-integer"
_MAX_CALIBRATION_SAMPLES = 200

_Inputs: TypeAlias = "Iterable[dict[str, np.ndarray]]"
_Ranges: TypeAlias = "dict[str, tuple[float, float]]"


def quantize_frozen(
    model: Model, manifest: Manifest, representative: RepresentativeData, dtype: DType
) -> None:
    """Quantize the float ops of a frozen model, then its inputs and outputs.

    If the base is quantized already, it does not change; only the ops after it are quantized.

    Args:
        model: a frozen model with one signature; changed in place.
        manifest: manifest of the personalizable file, with the current inputs.
        representative: representative samples, or stored features if the base is quantized.
        dtype: dtype of the inputs and outputs: UINT8 or INT8.

    Raises:
        ConversionError: If ai-edge-quantizer is not installed or cannot quantize an op.
        DataError: If a sample does not fit the model.
    """
    (signature,) = model.signatures
    expand_weights(model.main)
    specs = list(manifest.inputs)
    if boundary_ops(model.main):
        _quantize_after_base(model, manifest, representative)
    else:
        samples = _read_samples(specs, representative)
        model.graphs = quantize(model, _MODE, samples, _pixel_ranges(specs)).graphs
    graph = model.main
    convert_io(graph, specs, dtype)
    check_integer(graph)
    inputs = dict(zip(signature.inputs, graph.inputs, strict=True))
    outputs = dict(zip(signature.outputs, graph.outputs, strict=True))
    for name, tensor in (*inputs.items(), *outputs.items()):
        tensor.name = name
    model.signatures = [Signature(signature.key, graph, inputs, outputs)]


def _read_samples(
    specs: Sequence[InputSpec], representative: RepresentativeData
) -> list[dict[str, np.ndarray]]:
    """Return the inputs of a float base."""
    if isinstance(representative, Mapping):
        raise DataError(
            "the base is not quantized, so stored features cannot calibrate it: "
            "give representative samples"
        )
    samples = CalibrationData.read(specs, representative).subset(_MAX_CALIBRATION_SAMPLES)
    return list(samples.inputs(specs))


def _quantize_after_base(
    model: Model, manifest: Manifest, representative: RepresentativeData
) -> None:
    """Quantize the float ops behind a quantized base."""
    if isinstance(representative, Mapping):
        rows = _stored_features(model, manifest, representative)
    else:
        rows = _compute_boundary(model, manifest, representative)
    shapes = [op.output.shape for op in boundary_ops(model.main)]
    samples = [_boundary_inputs(row, shapes) for row in rows]
    float_part = _copy(model)
    keep_float_part(float_part.main)
    join(model.main, quantize(float_part, _MODE, samples, _boundary_ranges(model)).main)


def _stored_features(
    model: Model, manifest: Manifest, features: Mapping[str, np.ndarray]
) -> list[list[np.ndarray]]:
    """Return the rows of stored features: one list of arrays per sample."""
    names = [spec.name for spec in manifest.features]
    if list(features) != names or len(boundary_ops(model.main)) != len(names):
        raise DataError(
            f"the features of this model are {', '.join(names)}, and can calibrate it only if the "
            f"base is quantized there; got {', '.join(map(str, features))}. Give representative "
            "samples, such as a folder of images"
        )
    return [list(row) for row in zip(*features.values(), strict=True)]


def _compute_boundary(
    model: Model, manifest: Manifest, representative: RepresentativeSamples
) -> list[list[np.ndarray]]:
    """Return the outputs of the quantized base: one list of arrays per sample."""
    integer_part = _copy(model)
    keep_integer_part(integer_part.main)
    integer_part.signatures = [_signature(integer_part.main)]
    specs = manifest.inputs
    samples = CalibrationData.read(specs, representative).subset(_MAX_CALIBRATION_SAMPLES)
    outputs = _run(integer_part, samples.inputs(specs))
    count = len(integer_part.main.outputs)
    return [[each[numbered(OUTPUT, i)] for i in range(count)] for each in outputs]


def _boundary_inputs(
    row: Sequence[np.ndarray], shapes: Sequence[tuple[int, ...]]
) -> dict[str, np.ndarray]:
    """Return one sample's inputs of the float part."""
    try:
        return {
            boundary_name(index): np.asarray(value, np.float32).reshape(shape)
            for index, (value, shape) in enumerate(zip(row, shapes, strict=True))
        }
    except ValueError as error:
        raise DataError(f"the representative features do not fit the model: {error}") from error


def _boundary_ranges(model: Model) -> _Ranges:
    """Return the full range of the integers at the boundary.

    With it, the quantized part takes the integers of the base without rescaling.
    """
    ranges = {}
    for index, op in enumerate(boundary_ops(model.main)):
        tensor = op.input(0)
        per_tensor = tensor.quantization.per_tensor if tensor.quantization is not None else None
        if per_tensor is not None:
            scale, zero_point = per_tensor
            lowest = -128 if tensor.dtype is DType.INT8 else 0
            low, high = (scale * (value - zero_point) for value in (lowest, lowest + 255))
            ranges[boundary_name(index)] = low, high
    return ranges


def _pixel_ranges(specs: Sequence[InputSpec]) -> _Ranges:
    ranges = {spec.name: modality_of(spec).per_tensor_range(spec) for spec in specs}
    return {name: limits for name, limits in ranges.items() if limits is not None}


def _signature(graph: Graph) -> Signature:
    inputs = {tensor.name: tensor for tensor in graph.inputs}
    outputs = {numbered(OUTPUT, i): tensor for i, tensor in enumerate(graph.outputs)}
    return Signature("part", graph, inputs, outputs)


def _copy(model: Model) -> Model:
    return read(write(model))


def _run(model: Model, inputs: _Inputs) -> list[dict[str, np.ndarray]]:
    """Call the first signature once per sample."""
    runner = create_interpreter(write(model)).get_signature_runner(model.signatures[0].key)
    return [runner(**sample) for sample in inputs]
