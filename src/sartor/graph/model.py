"""A model: graphs, signatures, metadata and associated files."""

from __future__ import annotations

from collections.abc import Mapping

from .graph import Graph
from .tensor import Tensor

__all__ = ["Model", "Signature"]


class Signature:
    """A named entry point of a model.

    Attributes:
        key: name of the signature, for example `train`.
        graph: graph that runs.
        inputs, outputs: name → tensor of `graph`, in the order of the file.
    """

    def __init__(
        self,
        key: str,
        graph: Graph,
        inputs: Mapping[str, Tensor],
        outputs: Mapping[str, Tensor],
    ) -> None:
        self.key = key
        self.graph = graph
        self.inputs = dict(inputs)
        self.outputs = dict(outputs)

    def __repr__(self) -> str:
        return f"<Signature {self.key!r} of {self.graph!r}>"


class Model:
    """The content of a `.tflite` file.

    Attributes:
        graphs: subgraphs; the first one runs without a signature.
        signatures: signatures, in file order.
        description: free text.
        version: version of the schema: 3.
        metadata: name → bytes, in file order (`TFLITE_METADATA` and others).
        files: associated files in the ZIP after the flatbuffer: name → content, in archive order.
        opaque: other content of the file, which is not changed.
    """

    def __init__(self) -> None:
        self.graphs: list[Graph] = []
        self.signatures: list[Signature] = []
        self.description = ""
        self.version = 3
        self.metadata: dict[str, bytes] = {}
        self.files: dict[str, bytes] = {}
        self.opaque: dict[str, object] = {}

    @property
    def main(self) -> Graph:
        """The graph that runs without a signature: the first one."""
        return self.graphs[0]

    def signature(self, key: str) -> Signature | None:
        """Return the signature with this key, or None."""
        return next((each for each in self.signatures if each.key == key), None)

    def __repr__(self) -> str:
        keys = ", ".join(each.key for each in self.signatures)
        return f"<Model: {len(self.graphs)} graphs, signatures: {keys or 'none'}>"
