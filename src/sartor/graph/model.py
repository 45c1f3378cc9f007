"""A model: graphs, the signatures that name their ends, and what the file carries beside."""

from __future__ import annotations

from collections.abc import Mapping

from .graph import Graph
from .tensor import Tensor

__all__ = ["Model", "Signature"]


class Signature:
    """Names for the inputs and outputs of a graph, under a key that a caller asks for.

    Attributes:
        key: as `train`.
        graph: what runs.
        inputs, outputs: name → tensor of `graph`, in the order that the file lists them.
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
    """All that a `.tflite` file holds.

    Attributes:
        graphs: the first is what runs without a signature.
        signatures: in file order.
        description: for people.
        version: of the schema, 3 for every file there is.
        metadata: name → bytes, in file order (`TFLITE_METADATA` and others).
        files: the ZIP appended to the flatbuffer: name → content, in archive order.
        opaque: what the file has beside, kept untouched.
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
        """The graph that runs without a signature."""
        return self.graphs[0]

    def signature(self, key: str) -> Signature | None:
        """The signature with this key, or None."""
        return next((found for found in self.signatures if found.key == key), None)

    def __repr__(self) -> str:
        keys = ", ".join(found.key for found in self.signatures)
        return f"<Model: {len(self.graphs)} graphs, signatures: {keys or 'none'}>"
