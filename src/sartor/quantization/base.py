"""The base of a file in the making, quantized up to its features; and what that loses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ..contract.manifest import InputSpec
from ..contract.names import FEATURES
from ..contract.signatures import numbered
from ..flatbuffer import write
from ..graph import DType, Graph, Model, Quantization, Signature
from ..modalities.conventions import Convention
from ..passes import open_inputs
from ..passes.images.quantized_inputs import are_pixels, feed_reals
from .quantizer import Representative, Sampled, quantize, read_samples
from .report import QuantizationReport, compare, features_of

__all__ = ["QuantizedBase", "quantize_base"]

_MOST_TO_CALIBRATE = 100
_SHIFT = 128


@dataclass(frozen=True)
class QuantizedBase:
    """A base that was float.

    Attributes:
        mode: see `sartor.quantization.quantizer`.
        graph: up to the features, its only outputs; its inputs are of types that cross a signature.
        inputs: what they are now.
        features: their names.
        before: the float base, as a file.
        bytes_after: the size of the quantized one as a file.
        float_inputs: what the inputs were.
        samples: what it was calibrated and is judged on; None where nothing was given.
        calibrated: how many of them it was calibrated on.
    """

    mode: str
    graph: Graph
    inputs: list[InputSpec]
    features: list[str]
    before: bytes
    bytes_after: int
    float_inputs: Sequence[InputSpec]
    samples: Sampled | None
    calibrated: int

    def report(
        self, content: bytes, learner: Callable[[Sequence[str]], bytes]
    ) -> QuantizationReport:
        """Measure what is lost.

        Args:
            content: the personalizable file that it was made into.
            learner: see `compare`.
        """
        sizes = self.mode, len(self.before), self.bytes_after, self.calibrated
        if self.samples is None:
            return QuantizationReport(*sizes)
        old = features_of(self.before, self.samples.inputs(self.float_inputs), self.features)
        new = features_of(content, self.samples.inputs(self.inputs), self.features)
        lost = compare(old, new, self.samples.labels, learner)
        return QuantizationReport(*sizes, len(self.samples.samples), *lost)


def quantize_base(
    model: Model, specs: Sequence[InputSpec], mode: str, representative: Representative | None
) -> QuantizedBase:
    """Quantize a base that is cut at its features.

    Pictures arrive as uint8 where the base becomes integer and their bytes can stand for what it
    expects, to one level; else as the float32 that they were.

    Args:
        model: the base; its graphs are replaced.
        specs: its inputs.
        mode: one of `sartor.quantization.quantizer.MODES`.
        representative: see `read_samples`; `full-integer` needs it.

    Raises:
        ConversionError: see `quantize`.
        DataError, OSError: see `read_samples`.
    """
    samples = None if representative is None else read_samples(specs, representative)
    before = _file(model)
    used = samples.some(_MOST_TO_CALIBRATE) if samples and mode == "full-integer" else Sampled([])
    ranges = {spec.name: _pixel_range(spec) for spec in specs if _is_scaled_picture(spec)}
    quantized = quantize(model, mode, used.inputs(specs), ranges)
    graph = quantized.main
    size = len(_file(quantized))
    model.graphs = quantized.graphs
    inputs = [_opened(graph, index, spec) for index, spec in enumerate(specs)]
    open_inputs(graph, named=True)
    names = _names(graph)
    count = len(used.samples)
    return QuantizedBase(mode, graph, inputs, names, before, size, specs, samples, count)


def _file(model: Model) -> bytes:
    """The graphs alone, signed."""
    graph, plain = model.main, Model()
    plain.graphs = list(model.graphs)
    outputs = dict(zip(_names(graph), graph.outputs, strict=True))
    inputs = {tensor.name: tensor for tensor in graph.inputs}
    plain.signatures = [Signature("infer", graph, inputs, outputs)]
    return write(plain)


def _names(graph: Graph) -> list[str]:
    return [numbered(FEATURES, index) for index in range(len(graph.outputs))]


def _is_scaled_picture(spec: InputSpec) -> bool:
    return spec.kind == "image" and spec.dtype == "float32"


def _pixel_range(spec: InputSpec) -> tuple[float, float]:
    """The least and greatest value that a picture can have in any channel."""
    many = max(len(spec.mean), len(spec.std))
    pairs = list(zip(_filled(spec.mean, many), _filled(spec.std, many), strict=True))
    return min(-m / s for m, s in pairs), max((255 - m) / s for m, s in pairs)


def _filled(values: Sequence[float], many: int) -> Sequence[float]:
    return values if len(values) == many else tuple(values) * many


def _opened(graph: Graph, index: int, spec: InputSpec) -> InputSpec:
    """The input as uint8 pixels where they are what its int8 stand for, else as it was."""
    tensor = graph.inputs[index]
    pair = tensor.quantization.per_tensor if tensor.quantization is not None else None
    if tensor.dtype is not DType.INT8 or tensor.quantization is None or pair is None:
        return spec
    unsigned = Quantization(tensor.quantization.scale, tensor.quantization.zero_point + _SHIFT)
    if _is_scaled_picture(spec) and are_pixels(unsigned, Convention(spec.mean, spec.std)):
        return replace(spec, dtype="uint8", mean=(0.0,), std=(1.0,))
    feed_reals(graph, index)
    return spec
