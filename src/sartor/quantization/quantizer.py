"""Float models as integers or halves, through ai-edge-quantizer (the extra `quantize`)."""

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
from .biases import mend_biases
from .calibration_data import Representative, Sampled, read_samples

__all__ = ["MODES", "Representative", "Sampled", "quantize", "read_samples"]

MODES = ("dynamic", "float16", "full-integer")
"""What a float model can become: int8 weights, float16 weights, or int8 throughout."""

_KEY = "main"
_WEIGHTED = ("CONV_2D", "CONV_2D_TRANSPOSE", "FULLY_CONNECTED")
# Not DEPTHWISE_CONV_2D: XNNPACK lacks it with an int8 filter on reals, and LiteRT's own kernel
# takes up to a hundred times as long as float.
_DYNAMIC = (*_WEIGHTED, "BATCH_MATMUL", "EMBEDDING_LOOKUP")
_HALF = (*_WEIGHTED, "DEPTHWISE_CONV_2D", "EMBEDDING_LOOKUP")
_INTEGERS = (DType.INT4, DType.INT8, DType.UINT8, DType.INT16)


def quantize(
    model: Model,
    mode: str,
    samples: Iterable[Mapping[str, np.ndarray]] = (),
    ranges: Mapping[str, tuple[float, float]] | None = None,
) -> Model:
    """Quantize a float model.

    - `dynamic`: weights are int8 a channel; each layer brings its input to int8 as it runs, over
      the range that it then has. Those of depthwise layers stay float32: LiteRT has no fast
      kernel for them.
    - `float16`: weights are float16, and brought to float32 when the model is loaded.
    - `full-integer`: weights are int8 a channel, biases int32, activations (inputs and outputs
      with them) int8 over the range that the samples show. An op that ai-edge-quantizer does not
      know stays float, between a DEQUANTIZE and a QUANTIZE.

    Args:
        model: not changed but for the names of its main graph's tensors, which are made to differ.
        mode: one of `MODES`.
        samples: for `full-integer`, name of an input → array, some dozens to some hundreds.
        ranges: name of an input → the least and greatest value that it can take, where that is
            known better than by samples.

    Returns:
        Another model, with the same inputs and outputs in the same order, without signatures and
        metadata.

    Raises:
        ConversionError: the mode is not known, the extra is not installed, the model is quantized
            already, there are no samples, or ai-edge-quantizer refuses it.
    """
    if mode not in MODES:
        known = ", ".join(map(repr, ("none", *MODES)))
        raise ConversionError(f"quantize is one of {known}; got {mode!r}")
    _check_float(model.main, mode)
    given = [{name: np.asarray(value) for name, value in sample.items()} for sample in samples]
    if mode == "full-integer" and not given:
        raise ConversionError(
            "full-integer has to see what goes through the model: give representative samples "
            "(`representative=`, --representative), as a folder of some dozens of pictures"
        )
    plain = _signed(model)
    quantized = read(_run(write(plain), mode, given, ranges or {}))
    for graph in quantized.graphs:
        for op in graph.ops:
            op.version = None  # it leaves those of the float ops
    if mode == "full-integer":
        mend_biases(plain.main, quantized.main)
    quantized.signatures, quantized.metadata = [], {}
    return quantized


def _check_float(graph: Graph, mode: str) -> None:
    """Refuse what is quantized; int8 weights may be kept where all else becomes int8 too."""
    for tensor in graph.tensors:
        weights, small = tensor.is_constant, tensor.dtype is DType.FLOAT16
        if not (weights and small) and (
            tensor.quantization is None or tensor.dtype not in _INTEGERS
        ):
            continue
        int8 = weights and tensor.dtype is DType.INT8
        if int8 and mode == "full-integer":
            continue
        raise ConversionError(
            f"the base is quantized already: its {'weights' if weights else 'activations'} are "
            f"{tensor.dtype.name.lower()}, as {tensor!r}. Leave `quantize` out"
            f"{', or make it full-integer' * int8}, or give the float model that it was made from"
        )


def _signed(model: Model) -> Model:
    """The graphs alone, under a signature, each tensor with a name of its own."""
    graph = model.main
    ends = [*graph.inputs, *graph.outputs]
    taken = {tensor.name for tensor in ends}
    for index, tensor in enumerate(graph.tensors):
        if tensor in ends:
            continue
        if not tensor.name or tensor.name in taken:
            tensor.name = f"{tensor.name}/{index}"
        taken.add(tensor.name)
    signed = Model()
    signed.graphs = list(model.graphs)
    inputs = {tensor.name: tensor for tensor in graph.inputs}
    outputs = {tensor.name: tensor for tensor in graph.outputs}
    signed.signatures = [Signature(_KEY, graph, inputs, outputs)]
    return signed


def _run(
    content: bytes,
    mode: str,
    samples: Sequence[dict[str, np.ndarray]],
    ranges: Mapping[str, tuple[float, float]],
) -> bytes:
    """What ai-edge-quantizer makes of a file, without the bars that it shows meanwhile."""
    quantizer, recipes = _library()
    recipe = {
        "dynamic": _weights(_DYNAMIC, 8, "INT"),
        "float16": _weights(_HALF, 16, "FLOAT"),
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
            work = quantizer.Quantizer(bytearray(content), recipe)
            found = _measured(content, recipe, samples) if samples else {}
            for name, (least, greatest) in ranges.items():
                if name in found:
                    found[name] = _like(found[name], least, greatest)
            result = work.quantize(found or None, enable_progress_report=False)
            return bytes(result.quantized_model)
    except (ArithmeticError, AttributeError, LookupError, NotImplementedError, RuntimeError,
            TypeError, ValueError) as error:  # fmt: skip
        raise ConversionError(
            f"ai-edge-quantizer cannot make the model {mode}: {error}. Try another mode, cut the "
            "base elsewhere (`features=`), or leave `quantize` out"
        ) from error


def _library() -> tuple[Any, Any]:
    try:
        from ai_edge_quantizer import quantizer, recipe
    except ImportError as error:
        raise ConversionError(
            "quantizing takes ai-edge-quantizer, which is not installed: "
            "pip install 'sartor[quantize]'"
        ) from error
    return quantizer, recipe


def _weights(ops: Sequence[str], bits: int, kind: str) -> list[dict[str, object]]:
    """A recipe for weights alone: integers that are computed with, or halves that are stored."""
    integers = kind == "INT"
    config = {
        "weight_tensor_config": {
            "num_bits": bits,
            "symmetric": True,
            "granularity": "CHANNELWISE" if integers else "TENSORWISE",
            "dtype": kind,
        },
        "compute_precision": "INTEGER" if integers else "FLOAT",
        "explicit_dequantize": not integers,
    }
    algorithm = "min_max_uniform_quantize" if integers else "float_casting"
    return [
        {"regex": ".*", "operation": op, "algorithm_key": algorithm, "op_config": config}
        for op in ops
    ]


def _measured(
    content: bytes, recipe: list[dict[str, Any]], samples: Sequence[dict[str, np.ndarray]]
) -> dict[str, Any]:
    """The least and greatest value of each tensor over all samples.

    The library's own choice, a moving average of them, forgets all but the last some twenty
    samples and cuts off what is larger: of a head's logits, those that decide.
    """
    from ai_edge_quantizer import calibrator, recipe_manager
    from ai_edge_quantizer.utils import qsv_utils

    manager = recipe_manager.RecipeManager()
    manager.load_quantization_recipe(recipe)
    measure = calibrator.Calibrator(
        bytearray(content),
        num_threads=os.cpu_count() or 1,
        qsv_update_func=qsv_utils.min_max_update,
    )
    measure.calibrate({_KEY: samples}, manager)
    measured: dict[str, Any] = measure.get_model_qsvs()
    return measured


def _like(observed: Mapping[str, np.ndarray], least: float, greatest: float) -> dict[str, Any]:
    """A range in the shape in which the library keeps what it observed."""
    return {
        **observed,
        "min": np.full_like(observed["min"], least),
        "max": np.full_like(observed["max"], greatest),
    }
