"""Whether a base is fed pictures on the scale that it was trained with, by its first convolution.

Training and normalization bring what the first layer answers to about ±1: in the 17 networks that
this was measured on, fed rightly, its outputs have a standard deviation of 0.3 to 1.4
(docs/quantize.md). Pixels 0…255 where 0…1 or −1…1 are expected make them 100 times as large, and
the reverse as small; that is seen. Whether a base expects 0…1, −1…1 or ImageNet's mean and
deviation cannot be seen so: they differ by less than networks do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from ...contract.manifest import InputSpec
from ...errors import InvalidModelError
from ...flatbuffer import write
from ...graph import Graph, Model, Op, Signature, Tensor
from ...litert import create_interpreter
from ...modalities import modality_of
from ...modalities.image.conventions import CONVENTIONS, Convention
from ...ops import find_row

__all__ = ["check_scaling"]

_USUAL = (0.05, 20.0)
_ALTERNATIVES = ("0..1", "-1..1", "imagenet", "0..255")
_FUSED = "fusedActivationFunction"


def check_scaling(graph: Graph, specs: Sequence[InputSpec]) -> list[str]:
    """Say so where pictures are fed on a scale with which the first layer makes no sense.

    Args:
        graph: the base, not changed; what is quantized is not looked at.
        specs: its inputs, as they are to be fed.

    Returns:
        A line for people for each such input.
    """
    found = [
        _check(graph, tensor, spec)
        for tensor, spec in zip(graph.inputs, specs, strict=True)
        if modality_of(spec).is_normalized(spec)
    ]
    return [line for line in found if line is not None]


def _check(graph: Graph, picture: Tensor, spec: InputSpec) -> str | None:
    found = _first_answer(graph, picture)
    if found is None:
        return None
    told = Convention(spec.mean, spec.std)
    pixels = _picture(spec.shape)
    try:
        first = _FirstLayer(*found, picture)
        spread = first.spread(pixels, told)
        if _is_usual(spread):
            return None
        names = [
            name for name in _ALTERNATIVES if len(CONVENTIONS[name].mean) in (1, spec.shape[-1])
        ]
        better = [name for name in names if _is_usual(first.spread(pixels, CONVENTIONS[name]))]
    except (InvalidModelError, RuntimeError, ValueError):  # an op that LiteRT does not have
        return None
    if not better:
        return None
    low, high = ((edge - np.array(told.mean)) / np.array(told.std) for edge in (0.0, 255.0))
    return (
        f"pictures are fed as {low.min():.3g}…{high.max():.3g}, and the outputs of the base's "
        f"first layer then vary by {spread:.3g}, where {_USUAL[0]} to {_USUAL[1]:.0f} is usual: it "
        f"was probably trained with another scale. Say which: preprocessing {' or '.join(better)}"
    )


def _is_usual(spread: float) -> bool:
    return _USUAL[0] <= spread <= _USUAL[1]


def _first_answer(graph: Graph, picture: Tensor) -> tuple[list[Op], Tensor] | None:
    """The ops up to the first convolution, normalization included, and what they make."""
    reached, ops = {picture}, []
    for op in graph.ops:
        inputs = [tensor for tensor in op.inputs if tensor is not None and not tensor.is_constant]
        if inputs and not reached.isdisjoint(inputs):
            ops.append(op)
            if _is_convolution(op):
                return _with_normalization(graph, ops)
            reached.update(op.outputs)
        elif op.inputs and not inputs:
            ops.append(op)  # weights that are dequantized
    return None


def _is_convolution(op: Op) -> bool:
    """Return True for a 2-D convolution: a filter of height, width and two channel axes."""
    weights = find_row(op).weights
    return weights is not None and weights.channel_axis is not None and op.input(1).rank == 4


def _with_normalization(graph: Graph, ops: list[Op]) -> tuple[list[Op], Tensor] | None:
    made = ops[-1].output
    while len(made.consumers) == 1 and not ops[-1].options.get(_FUSED):
        (after,) = made.consumers
        others = [tensor for tensor in after.inputs if tensor is not None and tensor is not made]
        if not find_row(after).is_affine or not all(tensor.is_constant for tensor in others):
            break
        ops.append(after)
        made = after.output
    ready = {tensor for op in ops for tensor in op.outputs}.union(graph.inputs)
    inputs = {tensor for op in ops for tensor in op.inputs if tensor is not None}
    computed = all(tensor.is_constant or tensor in ready for tensor in inputs)
    return (ops, made) if computed and made.dtype.is_float else None


class _FirstLayer:
    """The ops up to the first layer, in LiteRT."""

    def __init__(self, ops: list[Op], made: Tensor, picture: Tensor) -> None:
        with _alone(ops, picture, made) as model:
            content = write(model)
        interpreter = create_interpreter(content, delegates=False)  # starts at once
        self._run = interpreter.get_signature_runner("first")

    def spread(self, pixels: np.ndarray, scale: Convention) -> float:
        """The median over the channels of the standard deviation of their outputs.

        The rim is left out: beside padding even a grey picture varies.
        """
        mean, std = np.array(scale.mean, np.float32), np.array(scale.std, np.float32)
        answer = self._run(x=(pixels - mean) / std)["y"]
        rows, columns = (slice(size // 8, size - size // 8) for size in answer.shape[1:3])
        return float(np.median(answer[:, rows, columns].std(axis=(0, 1, 2))))


@contextmanager
def _alone(ops: list[Op], picture: Tensor, made: Tensor) -> Iterator[Model]:
    """A model of these ops, the last without its activation."""
    graph, model, last = Graph("first"), Model(), ops[-1]
    tensors = [tensor for op in ops for tensor in (*op.inputs, *op.outputs) if tensor is not None]
    graph.tensors = list(dict.fromkeys([picture, *tensors]))
    graph.ops, graph.inputs, graph.outputs = ops, [picture], [made]
    model.graphs = [graph]
    model.signatures = [Signature("first", graph, {"x": picture}, {"y": made})]
    options = last.options
    last.options = {**options, _FUSED: 0} if _FUSED in options else options
    try:
        yield model
    finally:
        last.options = options


def _picture(shape: tuple[int, ...]) -> np.ndarray:
    """Pixels 0…255 [1, H, W, C] with the statistics of photos: power falls with frequency."""
    _, height, width, channels = shape
    rng = np.random.default_rng(0)
    rows, columns = np.fft.fftfreq(height)[:, np.newaxis], np.fft.rfftfreq(width)
    distance = np.hypot(rows, columns)
    distance[0, 0] = np.inf
    noise = rng.standard_normal((channels + 1, height, width))
    clouds = np.fft.irfft2(np.fft.rfft2(noise) / distance, (height, width))
    clouds /= clouds.std(axis=(1, 2), keepdims=True) + 1e-9
    colours = clouds[0] + 0.3 * clouds[1:]  # channels are much alike
    pixels = np.clip(colours * 60 + 115, 0, 255).round().astype(np.float32)
    return np.ascontiguousarray(pixels.transpose(1, 2, 0)[np.newaxis])
