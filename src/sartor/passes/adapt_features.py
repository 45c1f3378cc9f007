"""Make the features float32 outputs of the base."""

from __future__ import annotations

from ..contract.manifest import FeatureSpec
from ..contract.names import FEATURES
from ..contract.signatures import numbered
from ..errors import FeatureError
from ..graph import DType, Graph, Tensor
from ..ops import dequantize, flatten, power_normalization, reshape

__all__ = ["adapt_features"]

_INTEGERS = (DType.INT32, DType.INT64)


def adapt_features(graph: Graph, *, flat: bool, normalize: bool) -> list[FeatureSpec]:
    """Dequantize the features, flatten them if the head takes rows, and normalize them.

    Before: the outputs are the features, of any shape, float or quantized. After: float32 outputs
    `features`, `features_1`, …, of shape [1, F] if `flat`.

    Args:
        graph: the base; changed in place.
        flat: flatten each feature to [1, F].
        normalize: power-normalize each feature; see `power_normalization`.

    Returns:
        The shape, dtype and quantization of each feature.

    Raises:
        FeatureError: If a feature has no batch axis of size 1, or no values.
    """
    specs = []
    for index, tensor in enumerate(graph.outputs):
        name = numbered(FEATURES, index)
        feature = tensor if tensor.dtype is DType.FLOAT32 else dequantize(tensor)
        if feature.rank < 2 or feature.shape[0] != 1 or not feature.size:
            raise FeatureError(
                f"{tensor!r} has no batch axis of 1, or no values, so it cannot be a feature"
            )
        feature = flatten(feature) if flat else feature
        if feature in graph.inputs or _has_computed_shape(feature):
            feature = reshape(feature, feature.shape)  # some runtimes read garbage otherwise
        if normalize:
            feature = power_normalization(feature)
        feature.name = name
        graph.outputs[index] = feature
        specs.append(_feature_spec(name, feature.shape[1:], feature if normalize else tensor))
    return specs


def _has_computed_shape(tensor: Tensor) -> bool:
    """Return True if the shape depends on computed values, as in RESHAPE to a computed shape."""
    operands = tensor.producer.inputs[1:] if tensor.producer is not None else ()
    return any(
        operand is not None and not operand.is_constant and operand.dtype in _INTEGERS
        for operand in operands
    )


def _feature_spec(name: str, shape: tuple[int, ...], tensor: Tensor) -> FeatureSpec:
    """Return the spec of a feature; `tensor` has its dtype and quantization."""
    quantization = tensor.quantization
    per_tensor = quantization.per_tensor if quantization is not None else None
    if per_tensor is None or tensor.dtype.is_float:
        return FeatureSpec(name, shape, "float32", None, None)
    return FeatureSpec(name, shape, tensor.dtype.name.lower(), *per_tensor)
