"""Choices of features for a base that cannot be cut at the default ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from .errors import FeatureError, SartorError
from .graph import Model, names_of
from .litert import HANGS
from .passes.dataflow import Dataflow, can_be_feature
from .passes.find_features import entry_signature
from .passes.frontiers import frontiers
from .personalizable_model import PersonalizableModel

__all__ = ["with_choices"]

Names = tuple[str, ...]

_MAX_CHOICES = 6


def with_choices(
    error: FeatureError,
    base: Model,
    convert: Callable[[Names], PersonalizableModel],
    *,
    named: Names = (),
) -> FeatureError:
    """Return the error with advice: features that convert.

    They are the choices of the error; the default features, if the user named others; or else the
    last tensor that every path crosses, or any. Each is tried.

    Args:
        error: error of a conversion.
        base: the base; changed.
        convert: function that converts the base with features of these names.
        named: names of the features by the user.
    """
    if named:
        return _with_default(error, convert)

    is_endless = False

    def size(names: Names) -> int | None:
        nonlocal is_endless
        if is_endless:  # each trial would take minutes
            return None
        try:
            features = convert(names).manifest.features
        except SartorError as failure:
            is_endless = HANGS in str(failure)
            return None
        return sum(math.prod(spec.shape) for spec in features)

    if error.choices:
        sizes = {names: size(names) for names in list(error.choices)[:_MAX_CHOICES]}
        choices = {names: count for names, count in sizes.items() if count is not None}
    else:
        cuts, tensors = _cuts(base)
        choices = _last_cut(cuts, size) or _last_cut(tensors, size)
    if not choices:
        return FeatureError(f"{error.reason}. `sartor inspect` lists the tensors of the base")
    return FeatureError(error.reason, choices)


def _with_default(
    error: FeatureError, convert: Callable[[Names], PersonalizableModel]
) -> FeatureError:
    """Return the error with the advice to leave out the features, if that converts."""
    try:
        default = convert(()).cut
    except FeatureError as default_error:
        return FeatureError(error.reason, default_error.choices)
    except SartorError:
        return error
    return FeatureError(
        f"{error.reason}. Without features= (--features), the features are {default}"
    )


def _cuts(base: Model) -> tuple[list[Names], list[Names]]:
    """Return the names of the tensors that every path crosses, and of all, without the inputs."""
    entry = entry_signature(base)
    names = {tensor: name for tensor, name in names_of(entry).items() if can_be_feature(tensor)}
    flow = Dataflow.of(entry.graph)
    cuts = [tensors[0] for tensors in frontiers(flow, names, max_tensors=1)]
    every = [tensor for op in flow.ops for tensor in op.outputs if tensor in names]
    return (
        [(names[tensor],) for tensor in cuts if tensor.producer is not None],
        [(names[tensor],) for tensor in every],
    )


def _last_cut(cuts: Sequence[Names], size: Callable[[Names], int | None]) -> dict[Names, int]:
    """Return the cut nearest the outputs that converts, with its size; empty if none does.

    If a cut converts, so do those nearer the inputs, which need fewer ops: a binary search.
    """
    last, low, high = dict[Names, int](), 0, len(cuts)
    while low < high:
        middle = high - 1 if high == len(cuts) else (low + high) // 2  # the outputs first
        count = size(cuts[middle])
        if count is None:
            high = middle
        else:
            last, low = {cuts[middle]: count}, middle + 1
    return last
