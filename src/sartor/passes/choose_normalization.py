"""Choose whether a file power-normalizes its features."""

from __future__ import annotations

from ..errors import ConversionError
from ..heads import FineTune, GraphHead, Head
from .prepare_base import PreparedBase

__all__ = ["choose_normalization"]

_MIN_FEATURES = 64  # the norm of fewer numbers may tell classes apart


def choose_normalization(
    prepared: PreparedBase, head: Head | FineTune, option: bool | None
) -> bool:
    """Return whether to power-normalize the features.

    On photos through a good base, accuracy is the same with and without; other samples gain up to
    three points (docs/benchmarks.md). The norm of the features is lost. So a regression, few
    features, and inputs of the base as features stay as they are, and so do the features of a
    head that brings its own layers.

    Args:
        prepared: the base, before its features are adapted.
        head: the head.
        option: the choice of the user, or None.

    Raises:
        ConversionError: If there is a choice, but the base is a personalizable file.
    """
    if isinstance(head, FineTune):
        head = head.head
    if prepared.features:
        if option is not None:
            raise ConversionError(
                "a personalizable file keeps its features as they are: leave normalize "
                "(--normalize, --no-normalize) out, or convert its base"
            )
        return False
    if option is not None:
        return option
    return (
        head.flat
        and not isinstance(head, GraphHead)
        and head.loss.task != "regression"
        and prepared.computes_features
        and len(prepared.graph.outputs) == 1
        and prepared.graph.outputs[0].size >= _MIN_FEATURES
    )
