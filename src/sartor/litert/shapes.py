"""The shapes that LiteRT computes. A damaged model may end the process: `trial` uses another."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from ..errors import InvalidModelError
from .interpreter import create_interpreter

__all__ = ["Shapes", "compute_shapes"]

Shapes: TypeAlias = "dict[int, tuple[int, ...]]"
"""Index of a tensor → shape."""


def compute_shapes(content: bytes) -> list[Shapes]:
    """Run the first graph of a model once, and return the shapes of its tensors.

    Args:
        content: a model whose inputs have their final shapes; those of other tensors may be wrong.

    Returns:
        The shapes of each graph.

    Raises:
        InvalidModelError: If LiteRT cannot run the model.
    """
    interpreter = create_interpreter(content, delegates=False)  # XNNPACK trusts the wrong shapes
    try:
        for detail in interpreter.get_input_details():
            value = np.zeros(detail["shape"], detail["dtype"])
            interpreter.set_tensor(detail["index"], value)
        interpreter.invoke()  # some ops compute the shapes of their outputs from values
    except (RuntimeError, ValueError) as error:
        raise InvalidModelError(str(error)) from error
    return [
        {
            detail["index"]: tuple(map(int, detail["shape"]))
            for detail in interpreter.get_tensor_details(subgraph)
        }
        for subgraph in range(interpreter.num_subgraphs())
    ]
