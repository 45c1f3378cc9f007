"""The reference: the graphs of a personalizable file in NumPy and float64."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from sartor.contract.manifest import Manifest
from sartor.contract.names import FEATURES, MANIFEST_FILE
from sartor.flatbuffer import read
from sartor.graph import Graph, Op, Tensor
from sartor.ops import evaluate, has_reference

__all__ = ["Reference"]

_STATE = ("VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE", "CALL_ONCE")


class Reference:
    """A personalizable file, computed in float64.

    If an op of the base has no NumPy reference, the features are those of a new LiteRT Interpreter,
    and the rest is computed in float64.

    Attributes:
        manifest: manifest of the file.
        state: name → value of each variable.
        source: source of the expected values, for the vector file.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._model = read(content)
        self.manifest = Manifest.from_json(self._model.files[MANIFEST_FILE])
        self.state: dict[str, np.ndarray] = {}
        self._initialize()
        whole = "float64 NumPy over the file's graphs"
        partial = f"features of ai-edge-litert's Interpreter; the rest {whole}"
        self.source = {"infer": partial if self._missing() else whole, "others": whole}

    def __call__(self, signature: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Call a signature, which may change the variables."""
        ends = self._model.signature(signature)
        assert ends is not None, signature
        graph = ends.graph
        feeds = {ends.inputs[name]: value for name, value in inputs.items()}
        if signature == "infer" and self._missing():
            features = self._features(inputs)
            feeds = {ends.outputs[name]: value for name, value in features.items()}
            graph = _behind(graph, [*feeds, *_reads(graph)])
        values = evaluate(graph, {**feeds, **self._variables(graph)})
        for op in graph.ops:
            if op.code == "ASSIGN_VARIABLE":
                self.state[_name(op)] = values[op.input(1)]
        return {name: values[tensor] for name, tensor in ends.outputs.items()}

    def _initialize(self) -> None:
        for op in self._model.signatures[0].graph.ops:
            if op.code == "CALL_ONCE":
                for assign in op.options["initSubgraphIndex"].ops:
                    if assign.code == "ASSIGN_VARIABLE":
                        self.state[_name(assign)] = assign.input(1).value.astype(np.float64)

    def _variables(self, graph: Graph) -> dict[Tensor, np.ndarray]:
        """Return a feed for each handle (which has no value) and each variable that is read."""
        feeds = {op.output: np.zeros(1) for op in graph.ops if op.code == "VAR_HANDLE"}
        return {**feeds, **{t: self.state[_name(t.producer)] for t in _reads(graph) if t.producer}}

    def _missing(self) -> set[str]:
        """Return the ops of the base without a NumPy reference."""
        infer = self._model.signature("infer")
        ops = [op for op in infer.graph.ops if op.code not in _STATE] if infer else []
        return {op.code for op in ops if not has_reference(op)}

    def _features(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the features of a new interpreter, which has no state of earlier calls."""
        interpreter = Interpreter(model_content=self._content, num_threads=1)
        outputs = interpreter.get_signature_runner("infer")(**inputs)
        return {name: value for name, value in outputs.items() if name.startswith(FEATURES)}


def _reads(graph: Graph) -> list[Tensor]:
    return [op.output for op in graph.ops if op.code == "READ_VARIABLE"]


def _name(op: Op) -> str:
    """Return the name of the variable that an op reads or assigns."""
    handle = op.input(0).producer
    assert handle is not None
    return str(handle.options["sharedName"])


def _behind(graph: Graph, tensors: list[Tensor]) -> Graph:
    """Return the part of a graph that depends on tensors."""
    dependent, part = set(tensors), Graph(graph.name)
    part.tensors = graph.tensors
    for op in graph.ops:
        if op.code not in _STATE and dependent.intersection(op.inputs):
            dependent.update(op.outputs)
            part.ops.append(op)
        elif op.code in _STATE:
            part.ops.append(op)
    return part
