"""Quantize the base of a personalizable file up to its features, and report the loss."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ..contract.manifest import InputSpec
from ..contract.names import FEATURES
from ..contract.signatures import numbered
from ..flatbuffer import write
from ..graph import DType, Graph, Model, Quantization, Signature
from ..modalities import modality_of
from ..modalities.image.conventions import Convention
from ..ops import power_normalize_rows
from ..passes import adapt_inputs
from ..passes.images.adapt_quantized_images import insert_quantize, takes_pixels
from .calibration_data import CalibrationData, RepresentativeSamples
from .quantizer import quantize
from .report import (
    QuantizationReport,
    compare_features,
    compute_features,
)

__all__ = ["QuantizedBase", "quantize_base"]

_MAX_CALIBRATION_SAMPLES = 100
_UINT8_OFFSET = 128  # uint8 value − int8 value of the same real number


@dataclass(frozen=True)
class QuantizedBase:
    """A quantized base, and the data for its report.

    Attributes:
        mode: one of `sartor.quantization.MODES`.
        graph: the quantized graph. Its outputs are the features; its inputs have dtypes that a
            signature allows.
        inputs: specs of the inputs after quantization.
        features: names of the outputs.
        float_content: the float base as a `.tflite` file.
        float_inputs: specs of the inputs before quantization.
        quantized_bytes: size of the quantized base as a `.tflite` file, in bytes.
        samples: representative samples, or None if none were given.
        calibrated: number of samples used for calibration.
    """

    mode: str
    graph: Graph
    inputs: list[InputSpec]
    features: list[str]
    float_content: bytes
    float_inputs: Sequence[InputSpec]
    quantized_bytes: int
    samples: CalibrationData | None
    calibrated: int

    def report(
        self,
        content: bytes,
        create_classifier: Callable[[Sequence[str]], bytes],
        *,
        normalize: bool,
    ) -> QuantizationReport:
        """Measure the sizes, and the loss if there are representative samples.

        Args:
            content: the personalizable file with the quantized base.
            create_classifier: see `compare_features`.
            normalize: whether its features are power-normalized.
        """
        report = QuantizationReport(
            self.mode, len(self.float_content), self.quantized_bytes, self.calibrated
        )
        if self.samples is None:
            return report
        before = compute_features(
            self.float_content, self.samples.inputs(self.float_inputs), self.features
        )
        if normalize:
            before = [power_normalize_rows(rows) for rows in before]
        after = compute_features(content, self.samples.inputs(self.inputs), self.features)
        error, cosine, few_shot = compare_features(
            before, after, self.samples.labels, create_classifier
        )
        return replace(
            report,
            samples=len(self.samples.samples),
            relative_error=error,
            cosine=cosine,
            few_shot=few_shot,
        )


def quantize_base(
    model: Model,
    specs: Sequence[InputSpec],
    mode: str,
    representative: RepresentativeSamples | None,
) -> QuantizedBase:
    """Quantize a base whose outputs are the features.

    In mode `full-integer` an image input becomes uint8 if each pixel is, to within one level, the
    byte of its value in the base. Otherwise it stays float32.

    Args:
        model: the base. Its graphs are replaced.
        specs: specs of its inputs.
        mode: one of `sartor.quantization.MODES`.
        representative: representative samples; required for `full-integer`.

    Raises:
        ConversionError: See `quantize`.
        DataError, OSError: See `CalibrationData.read`.
    """
    samples = None if representative is None else CalibrationData.read(specs, representative)
    float_content = _serialize(model)
    calibration = CalibrationData([])
    if samples is not None and mode == "full-integer":
        calibration = samples.subset(_MAX_CALIBRATION_SAMPLES)
    ranges = {spec.name: modality_of(spec).value_range(spec) for spec in specs}
    value_ranges = {name: each for name, each in ranges.items() if each is not None}
    quantized = quantize(model, mode, calibration.inputs(specs), value_ranges)
    quantized_bytes = len(_serialize(quantized))
    model.graphs, graph = quantized.graphs, quantized.main
    inputs = [_open_input(graph, index, spec) for index, spec in enumerate(specs)]
    adapt_inputs(graph, keep_names=True)
    return QuantizedBase(
        mode=mode,
        graph=graph,
        inputs=inputs,
        features=_output_names(graph),
        float_content=float_content,
        float_inputs=specs,
        quantized_bytes=quantized_bytes,
        samples=samples,
        calibrated=len(calibration.samples),
    )


def _serialize(model: Model) -> bytes:
    """Write the graphs with one signature and nothing else."""
    graph, plain = model.main, Model()
    plain.graphs = list(model.graphs)
    inputs = {tensor.name: tensor for tensor in graph.inputs}
    outputs = dict(zip(_output_names(graph), graph.outputs, strict=True))
    plain.signatures = [Signature("infer", graph, inputs, outputs)]
    return write(plain)


def _output_names(graph: Graph) -> list[str]:
    return [numbered(FEATURES, index) for index in range(len(graph.outputs))]


def _open_input(graph: Graph, index: int, spec: InputSpec) -> InputSpec:
    """Give an int8 input a dtype that a signature allows, and return its new spec."""
    tensor = graph.inputs[index]
    quantization = tensor.quantization
    if tensor.dtype is not DType.INT8 or quantization is None or quantization.per_tensor is None:
        return spec
    unsigned = Quantization(quantization.scale, quantization.zero_point + _UINT8_OFFSET)
    if modality_of(spec).is_normalized(spec) and takes_pixels(
        unsigned, Convention(spec.mean, spec.std)
    ):
        return replace(spec, dtype="uint8", mean=(0.0,), std=(1.0,))
    insert_quantize(graph, index)
    return spec
