"""Check by the first convolution whether images are scaled as in the base's training.

In the 17 measured networks, with correctly scaled images, the outputs of the first layer have a
standard deviation of 0.3 to 1.4 (docs/quantize.md). Pixels 0…255 for a base that expects 0…1 or
−1…1 make it 100 times as large, and the reverse 100 times as small; the check detects this. It
cannot distinguish 0…1, −1…1 and ImageNet's mean and standard deviation, because they differ by less
than networks do.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from ...contract.manifest import InputSpec
from ...errors import InvalidModelError
from ...flatbuffer import write
from ...graph import Graph, Model, Op, Signature, Tensor
from ...litert import create_interpreter, try_model
from ...modalities import modality_of
from ...modalities.image.conventions import CONVENTIONS, Convention
from ...ops import find_row

__all__ = ["check_scaling", "is_convolution"]

_USUAL = (0.05, 20.0)
_ALTERNATIVES = ("0..1", "-1..1", "imagenet", "0..255")
_FUSED = "fusedActivationFunction"
_SECONDS = 10.0  # of the trial; the whole model has a trial of its own later
_LARGEST_IMAGE = 1 << 22  # values; the check takes some 50 bytes for each


def check_scaling(graph: Graph, specs: Sequence[InputSpec]) -> list[str]:
    """Return a note for each image input whose scale does not suit the first layer.

    Args:
        graph: the base; it is not changed. Quantized and very large inputs are not checked.
        specs: specs of its inputs.
    """
    notes = [
        _check_input(graph, tensor, spec)
        for tensor, spec in zip(graph.inputs, specs, strict=True)
        if modality_of(spec).is_normalized(spec)
    ]
    return [note for note in notes if note is not None]


def _check_input(graph: Graph, image: Tensor, spec: InputSpec) -> str | None:
    layer_ops = _find_first_layer(graph, image)
    if layer_ops is None or math.prod(spec.shape) > _LARGEST_IMAGE:
        return None
    scaling = Convention(spec.mean, spec.std)
    pixels = _random_image(spec.shape)
    try:
        layer = _FirstLayer(layer_ops, image)
        deviation = layer.deviation(pixels, scaling)
        if _is_usual(deviation):
            return None
        names = [
            name for name in _ALTERNATIVES if len(CONVENTIONS[name].mean) in (1, spec.shape[-1])
        ]
        better = [name for name in names if _is_usual(layer.deviation(pixels, CONVENTIONS[name]))]
    except (InvalidModelError, RuntimeError, ValueError):  # an op that LiteRT does not have
        return None
    if not better:
        return None
    low, high = ((pixel - np.array(scaling.mean)) / np.array(scaling.std) for pixel in (0.0, 255.0))
    return (
        f"images are scaled to {low.min():.3g}…{high.max():.3g}, and the standard deviation of the "
        f"first layer's outputs is {deviation:.3g} (usual: {_USUAL[0]} to {_USUAL[1]:.0f}): the "
        f"base was probably trained with another scale. Try preprocessing {' or '.join(better)}"
    )


def _is_usual(deviation: float) -> bool:
    return _USUAL[0] <= deviation <= _USUAL[1]


def _find_first_layer(graph: Graph, image: Tensor) -> list[Op] | None:
    """Return the ops from an image to the first convolution and its normalization."""
    reached, ops = {image}, []
    for op in graph.ops:
        inputs = [tensor for tensor in op.inputs if tensor is not None and not tensor.is_constant]
        if inputs and not reached.isdisjoint(inputs):
            ops.append(op)
            if is_convolution(op):
                return _with_normalization(graph, ops)
            reached.update(op.outputs)
        elif op.inputs and not inputs:
            ops.append(op)  # dequantizes weights
    return None


def is_convolution(op: Op) -> bool:
    """Return True for a 2-D convolution: a filter of height, width and two channel axes."""
    weights = find_row(op).weights
    return weights is not None and weights.channel_axis is not None and op.input(1).rank == 4


def _with_normalization(graph: Graph, ops: list[Op]) -> list[Op] | None:
    """Append the affine ops after a convolution; None if the result cannot be run alone."""
    output = ops[-1].output
    while len(output.consumers) == 1 and not ops[-1].options.get(_FUSED):
        (op,) = output.consumers
        operands = [tensor for tensor in op.inputs if tensor is not None and tensor is not output]
        if not find_row(op).is_affine or not all(tensor.is_constant for tensor in operands):
            break
        ops.append(op)
        output = op.output
    available = {tensor for op in ops for tensor in op.outputs}.union(graph.inputs)
    inputs = {tensor for op in ops for tensor in op.inputs if tensor is not None}
    is_complete = all(tensor.is_constant or tensor in available for tensor in inputs)
    return ops if is_complete and output.dtype.is_float else None


class _FirstLayer:
    """The first layer of a base, in an interpreter of its own."""

    def __init__(self, ops: list[Op], image: Tensor) -> None:
        with _extract(ops, image) as model:
            content = write(model)
        error = try_model(content, seconds=_SECONDS)
        if error is not None:
            raise InvalidModelError(error)
        interpreter = create_interpreter(content, delegates=False)  # starts faster
        self._run = interpreter.get_signature_runner("first")

    def deviation(self, pixels: np.ndarray, scaling: Convention) -> float:
        """Return the standard deviation of each output channel, and of these the median.

        The border is excluded, because padding changes its values.
        """
        mean, std = np.array(scaling.mean, np.float32), np.array(scaling.std, np.float32)
        output = self._run(x=(pixels - mean) / std)["y"]
        rows, columns = (slice(size // 8, size - size // 8) for size in output.shape[1:3])
        return float(np.median(output[:, rows, columns].std(axis=(0, 1, 2))))


@contextmanager
def _extract(ops: list[Op], image: Tensor) -> Iterator[Model]:
    """Yield a model of these ops, the last without its activation."""
    graph, model, last = Graph("first"), Model(), ops[-1]
    tensors = [tensor for op in ops for tensor in (*op.inputs, *op.outputs) if tensor is not None]
    graph.tensors = list(dict.fromkeys([image, *tensors]))
    graph.ops, graph.inputs, graph.outputs = ops, [image], [last.output]
    model.graphs = [graph]
    model.signatures = [Signature("first", graph, {"x": image}, {"y": last.output})]
    options = last.options
    last.options = {**options, _FUSED: 0} if _FUSED in options else options
    try:
        yield model
    finally:
        last.options = options


def _random_image(shape: tuple[int, ...]) -> np.ndarray:
    """Return random pixels 0…255 [1, H, W, C] with the power spectrum of photos."""
    _, height, width, channels = shape
    rng = np.random.default_rng(0)
    rows, columns = np.fft.fftfreq(height)[:, np.newaxis], np.fft.rfftfreq(width)
    frequency = np.hypot(rows, columns)
    frequency[0, 0] = np.inf
    noise = rng.standard_normal((channels + 1, height, width))
    texture = np.fft.irfft2(np.fft.rfft2(noise) / frequency, (height, width))
    texture /= texture.std(axis=(1, 2), keepdims=True) + 1e-9
    values = texture[0] + 0.3 * texture[1:]  # channels are correlated
    pixels = np.clip(values * 60 + 115, 0, 255).round().astype(np.float32)
    return np.ascontiguousarray(pixels.transpose(1, 2, 0)[np.newaxis])
