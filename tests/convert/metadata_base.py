"""A base with standard metadata."""

from __future__ import annotations

from convert_bases import classifier, file

from sartor.flatbuffer import METADATA_NAME, encode_metadata, read, write
from sartor.flatbuffer.metadata_tables import (
    AssociatedFile,
    Content,
    FileType,
    ImageProperties,
    ModelMetadata,
    NormalizationOptions,
    ProcessUnit,
    SubGraphMetadata,
    TensorMetadata,
)

NAMES = ["cup", "Schlüssel", "鍵"]
LABELS = AssociatedFile(name="old.txt", type=FileType.TENSOR_AXIS_LABELS)
SCALING = ProcessUnit(options=NormalizationOptions(mean=(127.5,), std=(128.0,)))
IMAGE = TensorMetadata(
    name="image", description="A photo.", content=Content(content_properties=ImageProperties(1)),
    process_units=(SCALING,),
)  # fmt: skip


def base_with_metadata(tensor: TensorMetadata, shape: tuple[int, ...] = (1, 4, 4, 3)) -> bytes:
    """Return a base with metadata of its input, and a label file for its output."""
    model = read(file(classifier, shape))
    output = TensorMetadata(name="probability", associated_files=(LABELS,))
    metadata = ModelMetadata(
        name="Things", description="Tells things apart.", author="Somebody", license="Apache-2.0",
        subgraph_metadata=(
            SubGraphMetadata(input_tensor_metadata=(tensor,), output_tensor_metadata=(output,)),
        ),
    )  # fmt: skip
    model.metadata[METADATA_NAME] = encode_metadata(metadata)
    model.metadata["min_runtime_version"] = b"1.5.0".ljust(16, b"\0")
    model.metadata["own"] = b"kept"
    model.files = {"old.txt": b"1\n2", "about.txt": b"kept"}
    return write(model)
