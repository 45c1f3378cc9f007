"""What is in a `.tflite` file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..contract.manifest import FeatureSpec, Manifest
from ..contract.names import MANIFEST_FILE
from ..errors import ConversionError
from ..flatbuffer import read
from ..flatbuffer.metadata import METADATA_NAME, decode_metadata
from ..graph import DType, Graph, Model, Op, Signature, Tensor
from ..litert import manifest_of
from ..passes.cut import accepted_names, cut, entry_of, find_features
from ..passes.rebatch import rebatch
from .base import BaseGraph
from .costs import activation_bytes, multiply_adds
from .cuts import bytes_kept, can_be_feature, find_cuts, tensor_facts
from .gradients import Backward, row_states
from .quantization import quantization_of
from .records import ModelDescription, OpFacts, SignatureFacts
from .variables import variables_of

__all__ = ["describe_model"]

_FLEX = "Flex"


def describe_model(path: Path) -> ModelDescription:
    """Describe a `.tflite` file.

    Raises:
        InvalidModelError: it is no model, or a damaged one.
        NotPersonalizableError: its manifest is damaged, or of a newer contract.
    """
    model = read(path)
    manifest = _manifest(model, path)
    ends = model.main.inputs, model.main.outputs
    inputs, outputs = (tuple(map(tensor_facts, tensors)) for tensors in ends)
    signatures = tuple(map(_signature, model.signatures))
    obstacle = _obstacle(entry_of(model).graph)
    whole = _whole(model)
    base = _base(model, manifest, obstacle)
    return ModelDescription(
        bytes=path.stat().st_size,
        kind="model" if manifest is None else "personalizable model",
        description=_description(model),
        metadata=tuple(model.metadata),
        files=tuple(model.files),
        inputs=inputs,
        outputs=outputs,
        signatures=signatures,
        obstacle=obstacle,
        manifest=manifest,
        **whole,
        **base,
    )


def _manifest(model: Model, path: Path) -> Manifest | None:
    if MANIFEST_FILE not in model.files:
        return None
    return manifest_of(model, path)


def _obstacle(graph: Graph) -> str | None:
    """Let the graph take one sample, or say why it cannot."""
    try:
        rebatch(graph)
    except ConversionError as error:
        return str(error)
    return None


def _whole(model: Model) -> dict[str, Any]:
    """What is known of the file, and of one inference."""
    graph = entry_of(model).graph
    flow = BaseGraph.of(graph)
    costs = {op: multiply_adds(op) for op in flow.ops}
    return {
        "variables": variables_of(model),
        "quantization": quantization_of(flow),
        "parameters": sum(tensor.size for tensor in flow.parameters(flow.ops)),
        "multiply_adds": sum(count or 0 for count in costs.values()),
        "uncounted": tuple(sorted({op.name for op, count in costs.items() if count is None})),
        "activation_bytes": activation_bytes(graph, flow.flow),
        "ops": _ops(model, costs),
    }


def _ops(model: Model, costs: Mapping[Op, int | None]) -> tuple[OpFacts, ...]:
    by_name: dict[str, list[Op]] = defaultdict(list)
    for graph in model.graphs:
        for op in graph.ops:
            by_name[op.name].append(op)
    return tuple(
        OpFacts(name, len(ops), _kind(ops[0]), _sum(costs.get(op, 0) for op in ops),
                row_states(ops[0]))
        for name, ops in sorted(by_name.items())
    )  # fmt: skip


def _kind(op: Op) -> str:
    if op.custom_code is None:
        return "builtin"
    return _FLEX if op.custom_code.startswith(_FLEX) else "custom"


def _sum(counts: Iterable[int | None]) -> int | None:
    known = list(counts)
    return None if None in known else sum(count or 0 for count in known)


def _base(model: Model, manifest: Manifest | None, obstacle: str | None) -> dict[str, Any]:
    """What is known of the file as a base; of a personalizable one the graph is cut."""
    entry = entry_of(model)
    accepted = accepted_names(entry)
    names = {tensor: name for name, tensor in reversed(accepted.items())}  # the shortest comes last
    default, why, kept = _default(model, entry, manifest)
    base = BaseGraph.of(entry.graph)
    taken = {t: name for t, name in names.items() if t in base.flow and can_be_feature(t)}
    backward = Backward.of(base)
    cuts = [] if obstacle else find_cuts(base, taken, backward.trainable, default, kept)
    return {
        "cuts": tuple(cuts),
        "default": why,
        "tensors": {name: tensor_facts(tensor) for tensor, name in taken.items()},
        "layers": backward.layers,
        "stops": backward.stops,
    }


def _default(
    model: Model, entry: Signature, manifest: Manifest | None
) -> tuple[Sequence[Tensor], str, Mapping[Tensor, int]]:
    """Where `convert` cuts, why, and the bytes of an element that a store keeps there."""
    try:
        if manifest is None:
            return *find_features(entry), {}
        found = cut(model, [spec.name for spec in manifest.features])
    except ConversionError as error:
        return (), str(error), {}
    pairs = zip(found.tensors, manifest.features, strict=True)
    return found.tensors, "the features that it has", {t: _kept(spec) for t, spec in pairs}


def _kept(spec: FeatureSpec) -> int:
    return bytes_kept(DType[spec.dtype.upper()], quantized=spec.scale is not None)


def _signature(signature: Signature) -> SignatureFacts:
    sides = (signature.inputs, signature.outputs)
    inputs, outputs = ({name: tensor_facts(t) for name, t in side.items()} for side in sides)
    return SignatureFacts(signature.key, inputs, outputs)


def _description(model: Model) -> str:
    """The words of the standard metadata, else those of the file."""
    content = model.metadata.get(METADATA_NAME)
    metadata = None if content is None else decode_metadata(content)
    words = (metadata.name, metadata.description) if metadata is not None else ()
    return ": ".join(each for each in words if each) or model.description
