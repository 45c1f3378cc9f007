"""Find the feature tensors of a base."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..contract.names import FEATURES
from ..errors import ConversionError, FeatureError
from ..graph import MEAN, Model, Signature, Tensor, names_of
from .dataflow import Dataflow, can_be_feature
from .feature_candidates import Candidate, find_candidate, numbers
from .select_tensors import mean_over_positions, select_tensors

__all__ = ["Features", "entry_signature", "find_features"]

_ENTRY_KEYS = (FEATURES, "infer", "serving_default")


@dataclass(frozen=True)
class Features:
    """The feature tensors of a base.

    Attributes:
        tensors: the features; several if branches cross the cut.
        reason: one line that states how they were found.
        notes: messages for the user.
    """

    tensors: tuple[Tensor, ...]
    reason: str
    notes: tuple[str, ...] = ()


def entry_signature(model: Model) -> Signature:
    """Return the signature to convert.

    It is the only signature, or `features`, `infer` or `serving_default`. A model without
    signatures has its first graph.

    Raises:
        ConversionError: If there are several signatures, and none has one of these names.
    """
    signatures = {each.key: each for each in model.signatures}
    for key in _ENTRY_KEYS:
        if key in signatures:
            return signatures[key]
    if len(signatures) > 1:
        raise ConversionError(
            f"the base has {len(signatures)} signatures: {', '.join(map(repr, signatures))}. "
            f"Choose one: --signature {next(iter(signatures))}, in Python "
            f"sartor.bases.TFLite(path, signature={next(iter(signatures))!r})"
        )
    return next(iter(signatures.values()), Signature("", model.main, {}, {}))


def find_features(entry: Signature, names: Sequence[str] = ()) -> Features:
    """Return the feature tensors.

    The features are, in this order of precedence:

    - the tensors of the given names;
    - the outputs of a signature `features`;
    - those that the outputs of the base suggest (see `find_candidate`). If they differ, the
      tensors that all outputs depend on, or else those of the output with the most layers.

    Raises:
        ConversionError: If a name does not exist.
        FeatureError: If there is no layer with weights, the outputs suggest different features
            and none contains the others, a tensor contains neither floats nor quantized values, or
            it needs an op that is not builtin.
    """
    if names:
        features = Features(tuple(select_tensors(entry, names)), "selected by name")
    elif entry.key == FEATURES:
        reason = f"outputs of signature {FEATURES!r}: {', '.join(entry.outputs)}"
        features = Features(tuple(entry.outputs.values()), reason)
    else:
        features = _default_features(entry)
    for tensor in features.tensors:
        if not can_be_feature(tensor):
            raise FeatureError(
                f"{tensor!r} cannot be a feature: features are float or quantized tensors"
            )
    flow = Dataflow.of(entry.graph)
    custom = sorted({name for t in features.tensors for name in flow.custom.get(t, ())})
    if custom:
        raise FeatureError(
            f"the features need ops that LiteRT does not have: {', '.join(custom)}. Choose "
            "features before them, or convert the model without them"
        )
    return features


def _default_features(entry: Signature) -> Features:
    flow, names = Dataflow.of(entry.graph), names_of(entry)
    outputs = dict.fromkeys(entry.outputs.values() or entry.graph.outputs)
    candidates = [each for output in outputs if (each := find_candidate(output, flow)) is not None]
    if flow.tensors.isdisjoint(outputs):
        raise FeatureError("the outputs of the base do not depend on any input")
    if not candidates:
        raise FeatureError(
            "the base has no layer with weights (fully connected or convolution), so its features "
            "cannot be found"
        )
    choice = _choose(candidates, flow)
    if choice is None:
        raise FeatureError(_question(candidates), _options(candidates, flow, names))
    tensors = choice.tensors
    if choice.pooled:
        tensors = tuple(
            mean_over_positions(tensor, names[tensor]) if tensor.rank > 2 else tensor
            for tensor in tensors
        )
    return Features(tensors, choice.reason, tuple(_notes(choice, candidates, tensors, names)))


def _choose(candidates: Sequence[Candidate], flow: Dataflow) -> Candidate | None:
    """Return the candidate that is clear; None if the user must choose.

    Of several candidates, it is the one that all others are computed from (all outputs share it),
    or else the one with the layers of all others (which are auxiliary).
    """
    different = list({(each.tensors, each.pooled): each for each in reversed(candidates)}.values())
    before = {candidate: flow.ops_before(candidate.tensors) for candidate in different}
    layers = {each: set(filter(flow.is_weighted, ops)) for each, ops in before.items()}

    def is_shared(candidate: Candidate, other: Candidate) -> bool:
        return all(tensor.producer in before[other] for tensor in candidate.tensors)

    def is_deeper(candidate: Candidate, other: Candidate) -> bool:
        return layers[candidate] > layers[other]

    for precedes in (is_shared, is_deeper):
        for candidate in different:
            others = [other for other in different if other is not candidate]
            if candidate.is_clear and all(precedes(candidate, other) for other in others):
                return candidate
    return None


def _question(candidates: Sequence[Candidate]) -> str:
    if len(candidates) == 1:
        return (
            f"the features of the base are not clear: {candidates[0].output!r} is an image, a "
            "detection or a value for each position, which are no features"
        )
    return f"the {len(candidates)} outputs of the base suggest different features"


def _options(
    candidates: Sequence[Candidate], flow: Dataflow, names: Mapping[Tensor, str]
) -> dict[tuple[str, ...], int]:
    """Return the names of the features to choose from, with their sizes."""
    options = dict[tuple[str, ...], int]()
    clear = [candidate for candidate in candidates if candidate.is_clear]
    for candidate in clear:
        if _is_output(candidate) and len(clear) < len(candidates):
            continue  # the boxes of a detector, for example
        key = tuple(
            (MEAN if candidate.pooled and tensor.rank > 2 else "") + names[tensor]
            for tensor in candidate.tensors
        )
        options[key] = sum(map(numbers, candidate.tensors))
    if len(clear) < len(candidates):
        for tensor in _feature_maps(flow, names):
            options[(MEAN + names[tensor],)] = tensor.shape[-1]
            options[(names[tensor],)] = numbers(tensor)
    return options


def _feature_maps(flow: Dataflow, names: Mapping[Tensor, str]) -> list[Tensor]:
    """Return the smallest inputs of layers that have positions, the deepest first."""
    inputs = [
        tensor
        for op in flow.ops
        if flow.is_weighted(op)
        for tensor in op.inputs
        if tensor in flow.tensors and tensor is not None and tensor.producer is not None
    ]
    maps = [each for each in inputs if each.rank > 2 and can_be_feature(each) and each in names]
    smallest = min(map(numbers, maps), default=0)
    return list(dict.fromkeys(each for each in reversed(maps) if numbers(each) == smallest))[:2]


def _notes(
    choice: Candidate,
    candidates: Sequence[Candidate],
    tensors: Sequence[Tensor],
    names: Mapping[Tensor, str],
) -> list[str]:
    notes = []
    for other in candidates:
        same = (other.tensors, other.pooled) == (choice.tensors, choice.pooled)
        if not same and not _is_output(other):
            listed = ", ".join(repr(names[tensor]) for tensor in other.tensors)
            notes.append(
                f"the outputs of the base suggest different features. The features are "
                f"{choice.reason}; for output {names[other.output]!r} they would be {listed}: "
                "choose them with features= (--features)"
            )
    size, outputs = sum(map(numbers, tensors)), max(map(_outputs, candidates))
    if size < outputs:
        notes.append(
            f"the features are {size} numbers, fewer than the {outputs} outputs of the base. If "
            "the accuracy is low, choose other features with features= (--features): "
            "`sartor inspect` lists them"
        )
    if choice.pooled:
        listed = ", ".join(repr(names[tensor]) for tensor in choice.tensors)
        notes.append(
            f"the features are means over positions. If the positions matter, name {listed} with "
            f"features= (--features): {sum(map(numbers, choice.tensors)):,} numbers"
        )
    return notes


def _outputs(candidate: Candidate) -> int:
    """Return the number of outputs of a classifier; 0 for an output that is the feature."""
    return 0 if _is_output(candidate) else numbers(candidate.output)


def _is_output(candidate: Candidate) -> bool:
    return candidate.output in candidate.tensors
