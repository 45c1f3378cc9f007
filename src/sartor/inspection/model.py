"""Describe a `.tflite` file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..contract.manifest import FeatureSpec, Manifest
from ..contract.names import MANIFEST_FILE
from ..costs import multiply_adds
from ..errors import ConversionError
from ..flatbuffer.metadata import METADATA_NAME, decode_metadata
from ..graph import DType, Graph, Model, Op, Signature, Tensor, names_of
from ..litert import manifest_of, read_model
from ..passes.adapt_inputs import check_inputs
from ..passes.cut import cut
from ..passes.dataflow import Dataflow, can_be_feature
from ..passes.find_features import entry_signature, find_features
from ..passes.rebatch import rebatch
from .costs import activation_bytes
from .cuts import element_bytes, find_cuts, tensor_info
from .gradients import GradientFlow, gradient_support
from .parts import Parts
from .quantization import format_quantization
from .records import CutInfo, ModelDescription, OpInfo, SignatureInfo, VariableInfo
from .training import TrainingOptions, describe_training
from .variables import find_variables

__all__ = ["describe_model"]

_FLEX = "Flex"
_NO_VARIABLES: tuple[VariableInfo, ...] = ()


def describe_model(
    path: Path, content: bytes | None = None, training: TrainingOptions | None = None
) -> ModelDescription:
    """Describe a `.tflite` file.

    Args:
        path: path of the file, for messages if there is a content.
        content: content of the model, for an archive or a base with a name. Default: that of the
            file.
        training: options for which to predict the cost of training. Default: no prediction.

    Raises:
        ConversionError: If an option of the training is invalid.
        InvalidModelError: If the file is not a model, or is damaged.
        NotPersonalizableError: If the manifest is damaged or of a newer contract version.
    """
    model = read_model(path if content is None else content)
    manifest = manifest_of(model, str(path)) if MANIFEST_FILE in model.files else None
    inputs, outputs = (
        tuple(map(tensor_info, tensors)) for tensors in (model.main.inputs, model.main.outputs)
    )
    signatures = tuple(map(_describe_signature, model.signatures))
    entry, names, error = _choose_entry(model)
    parts = Parts()
    inference = _describe_inference(model, entry.graph, parts)
    base = _describe_base(model, entry, names, manifest, error, parts)
    return ModelDescription(
        bytes=path.stat().st_size if content is None else len(content),
        kind="model" if manifest is None else "personalizable model",
        description=parts.read("description", lambda: _read_description(model), ""),
        metadata=tuple(model.metadata),
        files=tuple(model.files),
        labels=_read_labels(model),
        inputs=inputs,
        outputs=outputs,
        signatures=signatures,
        conversion_error=error,
        manifest=manifest,
        training=None if training is None else describe_training(content or path, training),
        unreadable=parts.errors,
        **inference,
        **base,
    )


def _read_labels(model: Model) -> tuple[str, ...]:
    """Return the names of the classes in the first label file of a model."""
    for name, content in model.files.items():
        if name.endswith(".txt"):
            return tuple(filter(None, content.decode(errors="replace").splitlines()))
    return ()


def _choose_entry(model: Model) -> tuple[Signature, Mapping[Tensor, str], str | None]:
    """Set the batch of the signature to convert to 1.

    Returns:
        The signature, or else the first graph; the names of its tensors in the file; and the error
        message of `convert`, if any.
    """
    try:
        entry = entry_signature(model)
    except ConversionError as error:
        entry = Signature("", model.main, {}, {})
        return entry, names_of(entry), str(error)
    names = names_of(entry)
    try:
        check_inputs(entry.graph)
        rebatch(entry.graph)
    except ConversionError as error:
        return entry, names, str(error)
    inputs = {tensor: tensor.name for tensor in entry.graph.inputs}  # with a new batch axis
    return entry, {**inputs, **names}, None


def _describe_signature(signature: Signature) -> SignatureInfo:
    inputs, outputs = (
        {name: tensor_info(tensor) for name, tensor in side.items()}
        for side in (signature.inputs, signature.outputs)
    )
    return SignatureInfo(signature.key, inputs, outputs)


def _describe_inference(model: Model, graph: Graph, parts: Parts) -> dict[str, Any]:
    """Return the attributes about ops, weights and the cost of one inference."""
    flow = Dataflow.of(graph)
    costs = {op: multiply_adds(op) for op in flow.ops}
    return {
        "variables": parts.read("variables", lambda: find_variables(model), _NO_VARIABLES),
        "quantization": parts.read("quantization", lambda: format_quantization(flow), "unknown"),
        "parameters": sum(tensor.size for tensor in flow.parameters(flow.ops)),
        "multiply_adds": sum(count or 0 for count in costs.values()),
        "uncounted": tuple(sorted({op.name for op, count in costs.items() if count is None})),
        "activation_bytes": parts.read("memory", lambda: activation_bytes(graph, flow.tensors), 0),
        "ops": _describe_ops(model, costs),
    }


def _describe_ops(model: Model, costs: Mapping[Op, int | None]) -> tuple[OpInfo, ...]:
    ops_by_name: dict[str, list[Op]] = defaultdict(list)
    for graph in model.graphs:
        for op in graph.ops:
            ops_by_name[op.name].append(op)
    return tuple(
        OpInfo(
            op=name,
            count=len(ops),
            kind=_op_kind(ops[0]),
            multiply_adds=_sum(costs.get(op, 0) for op in ops),
            gradient=gradient_support(ops[0]),
        )
        for name, ops in sorted(ops_by_name.items())
    )


def _op_kind(op: Op) -> str:
    if op.custom_code is None:
        return "builtin"
    return _FLEX if op.custom_code.startswith(_FLEX) else "custom"


def _sum(counts: Iterable[int | None]) -> int | None:
    values = list(counts)
    return None if None in values else sum(count or 0 for count in values)


def _describe_base(
    model: Model,
    entry: Signature,
    names: Mapping[Tensor, str],
    manifest: Manifest | None,
    error: str | None,
    parts: Parts,
) -> dict[str, Any]:
    """Return the attributes about cuts and gradients. A personalizable file is cut first."""
    default, reason, stored_bytes = _default_cut(model, entry, manifest)
    flow = Dataflow.of(entry.graph)
    features = {
        tensor: name for tensor, name in reversed(list(names.items())) if _can_be_cut(tensor, flow)
    }
    gradient_flow = parts.read(
        "trainable layers", lambda: GradientFlow.of(flow), GradientFlow((), (), frozenset())
    )
    cuts = list[CutInfo]()
    if error is None:
        cuts = parts.read(
            "cuts",
            lambda: find_cuts(flow, features, gradient_flow.trainable, default, stored_bytes),
            cuts,
        )
    return {
        "cuts": tuple(cuts),
        "default_reason": reason,
        "tensors": {name: tensor_info(tensor) for tensor, name in features.items()},
        "layers": gradient_flow.layers,
        "gradient_stops": gradient_flow.stops,
    }


def _can_be_cut(tensor: Tensor, flow: Dataflow) -> bool:
    """Return whether `convert` accepts a tensor as features."""
    return (
        tensor in flow.tensors
        and can_be_feature(tensor)
        and tensor.rank > 1
        and tensor.shape[0] == 1
        and tensor not in flow.custom
    )


def _default_cut(
    model: Model, entry: Signature, manifest: Manifest | None
) -> tuple[Sequence[Tensor], str, Mapping[Tensor, int]]:
    """Return the default cut, its reason, and the bytes per element in a sample store."""
    try:
        if manifest is None:
            features = find_features(entry)
            return features.tensors, features.reason, {}
        current = cut(model, [spec.name for spec in manifest.features])
    except ConversionError as error:
        return (), str(error), {}
    pairs = zip(current.tensors, manifest.features, strict=True)
    stored_bytes = {tensor: _stored_bytes(spec) for tensor, spec in pairs}
    return current.tensors, "the current features", stored_bytes


def _stored_bytes(spec: FeatureSpec) -> int:
    return element_bytes(DType[spec.dtype.upper()], quantized=spec.scale is not None)


def _read_description(model: Model) -> str:
    """Return name and description of the standard metadata, or the description of the file."""
    content = model.metadata.get(METADATA_NAME)
    metadata = None if content is None else decode_metadata(content)
    texts = (metadata.name, metadata.description) if metadata is not None else ()
    return ": ".join(text for text in texts if text) or model.description
