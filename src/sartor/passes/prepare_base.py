"""Prepare a base for conversion: cut it at the features, and adapt its inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..contract.manifest import FeatureSpec, InputSpec, Manifest
from ..contract.names import MANIFEST_FILE
from ..errors import ConversionError, FeatureError
from ..flatbuffer import write
from ..flatbuffer.metadata_tables import TensorMetadata
from ..graph import Graph, Model
from ..litert import try_model
from ..modalities.image.conventions import Convention
from .adapt_inputs import adapt_inputs
from .adapt_quantized_tensors import adapt_quantized_tensors
from .cut import cut
from .describe_inputs import describe_inputs
from .images.adapt_image_layout import adapt_image_layout
from .images.adapt_quantized_images import adapt_quantized_images
from .images.check_scaling import check_scaling
from .metadata import read_input_metadata
from .rebatch import has_batch_of_one, rebatch
from .reset_state import reset_state

__all__ = ["PreparedBase", "prepare_base"]


@dataclass
class PreparedBase:
    """A base that ends at the features.

    Attributes:
        model: the model with the graph of the base, and the graphs that it calls.
        graph: the graph of the base; its outputs are the features.
        inputs: specs of its inputs.
        metadata: the standard metadata of each input, or None.
        features: specs from the previous manifest, if the base is a personalizable file that is
            cut at the same tensors; else empty.
        computes_features: whether no feature is an input.
        cut_reason: one line that states where the base was cut and why.
        notes: messages for the user.
    """

    model: Model
    graph: Graph
    inputs: list[InputSpec]
    metadata: list[TensorMetadata | None]
    features: tuple[FeatureSpec, ...]
    computes_features: bool
    cut_reason: str
    notes: list[str]


def prepare_base(
    model: Model,
    features: Sequence[str],
    scaling: Convention | None,
    *,
    test_scaling: bool = True,
) -> PreparedBase:
    """Cut a base at its features, and adapt its inputs to what signatures allow.

    Before: any model. After: one graph (and the graphs that it calls), without signatures, with
    batch 1, inputs of float32, int32 or uint8, and the features as outputs.

    Args:
        model: the base; changed in place.
        features: names of the feature tensors; empty to find them automatically.
        scaling: the image scaling that the user states, or None.
        test_scaling: run the first layer to check whether the scaling is plausible.

    Raises:
        ConversionError: If the base cannot be cut or adapted; see each pass.
    """
    manifest = _read_manifest(model)
    input_metadata = read_input_metadata(model)
    feature_specs = manifest.features if manifest is not None else ()
    previous_names = [spec.name for spec in feature_specs]
    names = list(features) or previous_names

    result = cut(model, names)
    graph = result.graph
    computes_features = not set(graph.inputs) & set(graph.outputs)
    metadata = [input_metadata.get(tensor) for tensor in graph.inputs]
    _rebatch(model, graph)
    state_notes = reset_state(graph)
    adapt_inputs(graph, keep_names=manifest is not None)
    _adapt_layout(graph, metadata, scaling, manifest)
    adapt_quantized_images(graph, metadata, scaling)
    quantization_notes = adapt_quantized_tensors(graph, metadata) if manifest is None else []
    inputs, notes = describe_inputs(graph, metadata, manifest, scaling)
    if test_scaling and (manifest is None or scaling is not None):
        notes = check_scaling(graph, inputs) or notes
    return PreparedBase(
        model=model,
        graph=graph,
        inputs=inputs,
        metadata=metadata,
        features=feature_specs if names == previous_names else (),
        computes_features=computes_features,
        cut_reason=result.reason,
        notes=[*result.notes, *state_notes, *notes, *quantization_notes],
    )


def _read_manifest(model: Model) -> Manifest | None:
    """Return the manifest of a personalizable base, or None."""
    text = model.files.get(MANIFEST_FILE)
    return None if text is None else Manifest.from_json(text)


def _rebatch(model: Model, graph: Graph) -> None:
    """Set the batch to 1, and compare the features with those of the base as it is.

    Raises:
        FeatureError: If the first sample of a batch has other features, or LiteRT runs one of the
            two only.
    """
    if has_batch_of_one(graph):
        rebatch(graph)
        return
    before = write(model)
    rebatch(graph)
    difference = try_model(write(model), reference=before)
    if difference is not None:
        shapes = ", ".join(f"{tensor.name} {list(tensor.shape)}" for tensor in graph.inputs)
        raise FeatureError(
            f"the base cannot be run on one sample ({shapes}): {difference}. Export it with a "
            "batch of 1"
        )


def _adapt_layout(
    graph: Graph,
    metadata: Sequence[TensorMetadata | None],
    scaling: Convention | None,
    manifest: Manifest | None,
) -> None:
    """Adapt the image layout of a plain base; a personalizable file already has it."""
    bgr = scaling is not None and scaling.bgr
    if manifest is None:
        adapt_image_layout(graph, metadata, bgr=bgr)
    elif bgr:
        raise ConversionError(
            "the channel order of a personalizable file cannot be changed to BGR: convert the "
            "original base with this preprocessing"
        )
