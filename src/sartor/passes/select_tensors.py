"""Select the tensors of a base that a user names."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import ConversionError
from ..graph import MEAN, DType, Signature, Tensor, similar_names, tensors_by_name
from ..ops import dequantize, mean

__all__ = ["mean_over_positions", "select_tensors"]


def select_tensors(entry: Signature, names: Sequence[str]) -> list[Tensor]:
    """Return the tensors with these names; `mean:NAME` adds the mean over the positions.

    Raises:
        ConversionError: If a name does not exist, occurs twice, or `mean:` is applied to a tensor
            without positions.
    """
    available, tensors = tensors_by_name(entry), list[Tensor]()
    for name in names:
        is_mean = name not in available and name.startswith(MEAN)
        key = name.removeprefix(MEAN) if is_mean else name
        if key not in available:
            raise ConversionError(
                f"the base has no tensor {key!r}. Similar names: "
                f"{', '.join(map(repr, similar_names(key, available)))}. `sartor inspect --all` "
                "lists all tensors"
            )
        tensor = available[key]
        if is_mean and tensor.rank < 3:
            raise ConversionError(
                f"{name!r} needs a tensor with positions, such as height and width; {key!r} has "
                f"the shape {list(tensor.shape)}. Use {key!r}"
            )
        if tensor in tensors or names.count(name) > 1:
            raise ConversionError(f"the features name {name!r} twice: name each tensor once")
        tensors.append(mean_over_positions(tensor, key) if is_mean else tensor)
    return tensors


def mean_over_positions(tensor: Tensor, name: str) -> Tensor:
    """Compute the mean over all axes except the batch and the channels, right after the tensor."""
    graph = tensor.graph
    count = len(graph.ops)
    real = tensor if tensor.dtype is DType.FLOAT32 else dequantize(tensor)
    result = mean(real, range(1, real.rank - 1))
    result.name = f"{MEAN}{name}"
    ops = graph.ops[count:]
    del graph.ops[count:]
    start = graph.ops.index(tensor.producer) + 1 if tensor.producer is not None else 0
    graph.ops[start:start] = ops
    return result
