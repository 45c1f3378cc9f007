"""A `.tflite` file as a base."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..contract.names import MANIFEST_FILE
from ..errors import ConversionError, InvalidModelError
from ..flatbuffer import check_shapes, write
from ..graph import Model, Signature, Tensor
from ..litert import compute_shapes, read_model
from ._input_shapes import fixed_shapes

__all__ = ["TFLite"]


@dataclass(frozen=True)
class TFLite:
    """Any `.tflite` file, quantized or not, personalizable or not.

    Attributes:
        source: path or bytes of the file.
        signature: key of the signature. Default: the only one, or `features`, `infer` or
            `serving_default`.
        input_shape: shape of one sample, without the batch, for a file that takes other sizes; for
            several inputs, name → shape. A waveform without a batch axis has one axis. Default:
            the shape in the file.
    """

    source: str | Path | bytes
    signature: str | None = None
    input_shape: Sequence[int] | Mapping[str, Sequence[int]] | None = None

    def load(self) -> Model:
        """Read the file, and set its input shapes.

        Raises:
            InvalidModelError: If the file is damaged.
            ConversionError: If it has no such signature, or does not take inputs of this shape.
            OSError: If the file does not exist or cannot be read.
        """
        model = read_model(self.source)
        if self.signature is not None:
            _choose_signature(model, self.signature)
        if self.input_shape is not None:
            _set_shapes(model, self.input_shape)
        return model


def _choose_signature(model: Model, key: str) -> None:
    """Remove the other signatures, and move the graph of this one to the front."""
    signature = model.signature(key)
    if signature is None:
        listed = ", ".join(repr(each.key) for each in model.signatures) or "none"
        raise ConversionError(f"the base has no signature {key!r}; its signatures: {listed}")
    model.signatures = [signature]
    model.graphs.sort(key=lambda graph: graph is not signature.graph)


def _set_shapes(model: Model, input_shape: Sequence[int] | Mapping[str, Sequence[int]]) -> None:
    """Set the shapes of the inputs, and of all tensors to those that LiteRT computes.

    Raises:
        ConversionError: If a name or number of axes is wrong, or LiteRT cannot run the model.
    """
    if MANIFEST_FILE in model.files:
        raise ConversionError(
            "the input shape of a personalizable file is fixed: omit input_shape= "
            "(--input-shape), or convert the original base with it"
        )
    inputs = _inputs(model)
    changed = set(input_shape) if isinstance(input_shape, Mapping) else set(inputs)
    stated = {name: _stated(tensor, free=name in changed) for name, tensor in inputs.items()}
    shapes = fixed_shapes(stated, input_shape, "the base")
    for name, tensor in inputs.items():
        tensor.shape = shapes[name][max(0, 2 - tensor.rank) :]
    for graph in model.graphs:
        for tensor in graph.tensors:
            tensor.shape_signature = None
    try:
        for graph, graph_shapes in zip(model.graphs, compute_shapes(write(model)), strict=True):
            for index, tensor in enumerate(graph.tensors):
                shape = graph_shapes.get(index, ())
                if not tensor.is_constant and shape:
                    tensor.shape = shape
        check_shapes(model)  # LiteRT accepts some sizes that do not fit the weights
    except InvalidModelError as error:
        sizes = ", ".join(f"{name} {list(tensor.shape)}" for name, tensor in inputs.items())
        raise ConversionError(
            f"the base does not take inputs of these shapes: {sizes}. State others "
            f"(input_shape=, --input-shape). Reason: {error}"
        ) from error


def _inputs(model: Model) -> dict[str, Tensor]:
    """Return the inputs of the first graph by their names in a signature, or their own."""
    graph = model.main
    own = Signature("", graph, {tensor.name: tensor for tensor in graph.inputs}, {})
    signature = next((each for each in model.signatures if each.graph is graph), own)
    return signature.inputs


def _stated(tensor: Tensor, *, free: bool) -> tuple[int | None, ...]:
    """Return a shape with None for axes that may vary; a vector gets a batch axis."""
    if free:
        return (None,) * max(2, tensor.rank)
    sizes = tensor.shape_signature or tensor.shape
    batch = (1,) if tensor.rank == 1 else ()
    return (*batch, *(size if size > 0 else None for size in sizes))
