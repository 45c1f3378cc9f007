"""Give a quantized graph real numbers."""

from __future__ import annotations

from ..graph import DType, Graph, Tensor

__all__ = ["dequantize_graph"]

_INTEGERS = (DType.INT8, DType.UINT8, DType.INT16)


def dequantize_graph(graph: Graph) -> None:
    """Compute a quantized graph in float32.

    Before: tensors with a scale, QUANTIZE and DEQUANTIZE. After: the same ops on float32 tensors.
    Constants keep their integers; `prepare_graph` of a head converts them. A quantized op saturates
    at the ends of its range, and a float op does not.

    Args:
        graph: graph without calls of other graphs; changed in place.
    """
    for op in list(graph.ops):
        if op.code in ("QUANTIZE", "DEQUANTIZE") and not op.input(0).is_constant:
            graph.replace_uses(op.output, op.input(0))
            graph.remove([op])
    for tensor in graph.tensors:
        if not tensor.is_constant and _is_quantized(tensor):
            tensor.dtype, tensor.quantization = DType.FLOAT32, None
    graph.prune()


def _is_quantized(tensor: Tensor) -> bool:
    quantization = tensor.quantization
    return tensor.dtype in _INTEGERS and quantization is not None and quantization.scale.size > 0
