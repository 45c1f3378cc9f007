"""Choose whether a file power-normalizes its features."""

from __future__ import annotations

from ..errors import ConversionError
from ..heads import GraphHead, Head
from .prepare_base import PreparedBase

__all__ = ["choose_normalization"]

_MIN_FEATURES = 64  # the norm of fewer numbers may tell classes apart


def choose_normalization(prepared: PreparedBase, head: Head, option: bool | None) -> bool:
    """Return whether to power-normalize the features.

    On photos through a good base the normalization is as accurate as none, on other samples it
    gains one to four points (docs/benchmarks.md). The norm is lost, so that few numbers, a
    regression, and numbers that the app states keep it. A head with layers of its own gets the
    features that it was trained with.

    Args:
        prepared: the base, before its features are adapted.
        head: the head.
        option: the choice of the user, or None.

    Raises:
        ConversionError: If there is a choice, but the base is a personalizable file.
    """
    if prepared.features:
        if option is not None:
            raise ConversionError(
                "a personalizable file keeps its features as they are: convert it without "
                "normalize (--normalize), or convert its base"
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
