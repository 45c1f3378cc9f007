"""Turn the signature `infer` into a plain classifier."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..contract.names import OUTPUT
from ..graph import Model, Signature
from .cut import cut
from .fold_constants import fold_constants
from .fold_variables import fold_variables
from .merge_dense import merge_dense

__all__ = ["freeze_infer", "keep_infer"]

_SIGNATURE = "serving_default"


def freeze_infer(model: Model, variables: Mapping[str, np.ndarray]) -> None:
    """Replace variables by constants, and remove all signatures but `infer`.

    Before: a personalizable model. After: one graph without variables, from the inputs of the base
    to the output of the head, as the signature `serving_default`.

    Args:
        model: a personalizable model; changed in place.
        variables: name → float32 array. A class axis may be shorter than that of the variable.

    Raises:
        ConversionError: If an op does not allow the shorter class axis.
    """
    keep_infer(model, variables)
    fold_constants(model.main)
    merge_dense(model.main)
    fold_constants(model.main)
    model.main.outputs[0].name = OUTPUT
    (signature,) = model.signatures
    signature.outputs = {OUTPUT: model.main.outputs[0]}


def keep_infer(
    model: Model, variables: Mapping[str, np.ndarray], *, exclusive: bool = False
) -> None:
    """Do the same, and simplify nothing: each op of `infer` stays.

    Args:
        model: a personalizable model; changed in place.
        variables: name → float32 array. A class axis may be shorter than that of the variable.
        exclusive: whether each variable has its own buffer (see `Tensor.exclusive`).

    Raises:
        ConversionError: If an op does not allow the shorter class axis.
    """
    (infer,) = (signature for signature in model.signatures if signature.key == "infer")
    graph, inputs = infer.graph, infer.inputs
    fold_variables(graph, variables, exclusive=exclusive)
    cut(model, [OUTPUT])
    graph.name, graph.outputs[0].name = "main", OUTPUT
    model.signatures = [Signature(_SIGNATURE, graph, inputs, {OUTPUT: graph.outputs[0]})]
