"""Quantize float models with ai-edge-quantizer (the extra `quantize`)."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

import numpy as np

from ..errors import ConversionError
from ..flatbuffer import read, write
from ..graph import DType, Graph, Model, Signature
from ..litert import silence_logs
from ..ops import ROWS
from .bias_overflow import correct_bias_overflow

__all__ = ["MODES", "quantize"]

MODES = ("dynamic", "float16", "full-integer")
"""Quantization modes: int8 weights, float16 weights, or int8 weights and activations."""

_SIGNATURE = "main"
# ai-edge-quantizer uses the op codes of the schema, except:
_LIBRARY_NAMES = {"TRANSPOSE_CONV": "CONV_2D_TRANSPOSE"}
_INTEGERS = (DType.INT4, DType.INT8, DType.UINT8, DType.INT16)


def quantize(
    model: Model,
    mode: str,
    samples: Iterable[Mapping[str, np.ndarray]] = (),
    ranges: Mapping[str, tuple[float, float]] | None = None,
) -> Model:
    """Quantize a float model.

    - `dynamic`: int8 weights with per-channel scales. Each layer quantizes its input when it runs.
      The weights of depthwise layers stay float32, because LiteRT has no fast kernel for them.
    - `float16`: float16 weights, converted to float32 when the model is loaded.
    - `full-integer`: int8 weights with per-channel scales, int32 biases, int8 activations, inputs
      and outputs. The samples determine the ranges. Ops that ai-edge-quantizer does not support
      stay float, between a DEQUANTIZE and a QUANTIZE.

    Args:
        model: a float model. Only the names of its tensors change: they become unique.
        mode: one of `MODES`.
        samples: inputs for calibration, each name → array; required for `full-integer`.
        ranges: input name → smallest and largest value, if known exactly. Default: the ranges of
            the samples.

    Returns:
        A new model with the same inputs and outputs, without signatures and metadata.

    Raises:
        ConversionError: If the mode is unknown, the extra is not installed, the model is already
            quantized, samples are missing, or ai-edge-quantizer fails.
    """
    if mode not in MODES:
        modes = ", ".join(map(repr, ("none", *MODES)))
        raise ConversionError(f"quantize must be one of {modes}; got {mode!r}")
    _check_float(model.main, mode)
    calibration = [{name: np.asarray(value) for name, value in each.items()} for each in samples]
    if mode == "full-integer" and not calibration:
        raise ConversionError(
            "full-integer quantization needs representative samples to measure the ranges of "
            "activations: give a folder of some dozens of images (`representative=`, "
            "--representative)"
        )
    original = _with_signature(model)
    quantized = read(_run_quantizer(write(original), mode, calibration, ranges or {}))
    for graph in quantized.graphs:
        for op in graph.ops:
            op.version = None  # ai-edge-quantizer keeps the versions of the float ops
    if mode == "full-integer":
        correct_bias_overflow(original.main, quantized.main)
    quantized.signatures, quantized.metadata = [], {}
    return quantized


def _check_float(graph: Graph, mode: str) -> None:
    """Refuse a quantized model; `full-integer` allows int8 weights with float activations."""
    for tensor in graph.tensors:
        is_float16 = tensor.is_constant and tensor.dtype is DType.FLOAT16
        is_integer = tensor.quantization is not None and tensor.dtype in _INTEGERS
        if not is_float16 and not is_integer:
            continue
        is_int8 = tensor.is_constant and tensor.dtype is DType.INT8
        if is_int8 and mode == "full-integer":
            continue
        raise ConversionError(
            "the base is already quantized: its "
            f"{'weights' if tensor.is_constant else 'activations'} are "
            f"{tensor.dtype.name.lower()}, for example {tensor!r}. Omit `quantize`"
            f"{', use full-integer' * is_int8}, or give the original float model"
        )


def _with_signature(model: Model) -> Model:
    """Return the graphs with one signature and unique tensor names."""
    graph = model.main
    fixed = [*graph.inputs, *graph.outputs]
    names = {tensor.name for tensor in fixed}
    for index, tensor in enumerate(graph.tensors):
        if tensor in fixed:
            continue
        if not tensor.name or tensor.name in names:
            tensor.name = f"{tensor.name}/{index}"
        names.add(tensor.name)
    signed = Model()
    signed.graphs = list(model.graphs)
    inputs = {tensor.name: tensor for tensor in graph.inputs}
    outputs = {tensor.name: tensor for tensor in graph.outputs}
    signed.signatures = [Signature(_SIGNATURE, graph, inputs, outputs)]
    return signed


def _run_quantizer(
    content: bytes,
    mode: str,
    samples: Sequence[dict[str, np.ndarray]],
    ranges: Mapping[str, tuple[float, float]],
) -> bytes:
    """Run ai-edge-quantizer on a file, without its progress bars."""
    quantizer, recipes = _import_quantizer()
    recipe = {
        "dynamic": _weights_recipe("int8", 8, "INT"),
        "float16": _weights_recipe("float16", 16, "FLOAT"),
        "full-integer": recipes.static_wi8_ai8(),
    }[mode]
    try:
        with (
            silence_logs(),
            redirect_stdout(io.StringIO()),
            redirect_stderr(io.StringIO()),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")
            instance = quantizer.Quantizer(bytearray(content), recipe)
            statistics = _measure_ranges(content, recipe, samples) if samples else {}
            for name, (low, high) in ranges.items():
                if name in statistics:
                    statistics[name] = _replace_range(statistics[name], low, high)
            result = instance.quantize(statistics or None, enable_progress_report=False)
            return bytes(result.quantized_model)
    except (ArithmeticError, AttributeError, LookupError, NotImplementedError, RuntimeError,
            TypeError, ValueError) as error:  # fmt: skip
        raise ConversionError(
            f"ai-edge-quantizer failed in mode {mode!r}: {error}. Try another mode, cut the base "
            "elsewhere (`features=`), or omit `quantize`"
        ) from error


def _import_quantizer() -> tuple[Any, Any]:
    try:
        from ai_edge_quantizer import quantizer, recipe
    except ImportError as error:
        raise ConversionError(
            "quantization needs ai-edge-quantizer, which is not installed: "
            "pip install 'sartor[quantize]'"
        ) from error
    return quantizer, recipe


def _weights_recipe(weight_format: str, bits: int, dtype: str) -> list[dict[str, object]]:
    """Return a recipe that quantizes weights only, with dtype `INT` or `FLOAT`."""
    codes = [row.code for row in ROWS.values() if weight_format in row.weight_formats]
    is_integer = dtype == "INT"
    config = {
        "weight_tensor_config": {
            "num_bits": bits,
            "symmetric": True,
            "granularity": "CHANNELWISE" if is_integer else "TENSORWISE",
            "dtype": dtype,
        },
        "compute_precision": "INTEGER" if is_integer else "FLOAT",
        "explicit_dequantize": not is_integer,
    }
    algorithm = "min_max_uniform_quantize" if is_integer else "float_casting"
    return [
        {
            "regex": ".*",
            "operation": _LIBRARY_NAMES.get(code, code),
            "algorithm_key": algorithm,
            "op_config": config,
        }
        for code in codes
    ]


def _measure_ranges(
    content: bytes, recipe: list[dict[str, Any]], samples: Sequence[dict[str, np.ndarray]]
) -> dict[str, Any]:
    """Measure the smallest and the largest value of each tensor over all samples.

    The default of ai-edge-quantizer, a moving average, depends only on the last twenty samples or
    so and clips larger values, such as the largest logits.
    """
    from ai_edge_quantizer import calibrator, recipe_manager
    from ai_edge_quantizer.utils import qsv_utils

    manager = recipe_manager.RecipeManager()
    manager.load_quantization_recipe(recipe)
    calibration = calibrator.Calibrator(
        bytearray(content),
        num_threads=os.cpu_count() or 1,
        qsv_update_func=qsv_utils.min_max_update,
    )
    calibration.calibrate({_SIGNATURE: samples}, manager)
    statistics: dict[str, Any] = calibration.get_model_qsvs()
    return statistics


def _replace_range(statistics: Mapping[str, np.ndarray], low: float, high: float) -> dict[str, Any]:
    """Replace the measured range of a tensor, in the format of ai-edge-quantizer."""
    return {
        **statistics,
        "min": np.full_like(statistics["min"], low),
        "max": np.full_like(statistics["max"], high),
    }
