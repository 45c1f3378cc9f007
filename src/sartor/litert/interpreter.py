"""Create LiteRT interpreters. No other module of Sartor imports them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import InvalidModelError
from .logs import silence_logs

__all__ = ["create_interpreter"]


def create_interpreter(
    model: bytes,
    *,
    threads: int = 1,
    delegates: bool = True,
    input_shapes: Sequence[tuple[int, ...]] | None = None,
) -> Any:
    """Load a model into a LiteRT interpreter and allocate its tensors.

    Args:
        model: content of a `.tflite` file.
        threads: number of threads of one call. Default: 1.
        delegates: use XNNPACK. Without it the interpreter starts faster and runs slower.
            Default: True.
        input_shapes: one shape for each input of the main graph. Default: the shapes in the file.

    Returns:
        An `ai_edge_litert.interpreter.Interpreter`.

    Raises:
        InvalidModelError: If LiteRT cannot load the model or allocate its tensors.
    """
    # The import takes longer than the rest of Sartor.
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    resolver = (
        OpResolverType.AUTO if delegates else OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    )
    try:
        with silence_logs():
            interpreter = Interpreter(
                model_content=model,
                num_threads=threads,
                experimental_op_resolver_type=resolver,
            )
            details = interpreter.get_input_details() if input_shapes is not None else ()
            for detail, shape in zip(details, input_shapes or (), strict=True):
                if tuple(detail["shape"]) != shape:
                    interpreter.resize_tensor_input(detail["index"], shape)
            interpreter.allocate_tensors()  # otherwise LiteRT logs at the first call
    except (RuntimeError, ValueError) as error:
        raise InvalidModelError(f"LiteRT cannot load the model: {error}") from error
    return interpreter
